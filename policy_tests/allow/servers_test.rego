package policy_tests.allow.servers

import data.policy_tests.now
import data.policy_tests.verdict

_cache := {"name": "cache-01"}

_legacy := {"name": "db-legacy"}

_monitoring := {"id": "i-0123456789abcdef0"}

_mail := {"tags": {"Role": "mail"}}

test_allows_redis_of_the_row_by_name_from_a_private_network if {
	verdict(_cache, "tcp 6379", ["10.0.0.0/8", "sg-0b1b"]) == {
		"allow tcp 6379 from 10.0.0.0/8: cache-01-redis, inside",
		"allow tcp 6379 from sg-0b1b: cache-01-redis, inside",
	}
}

test_denies_redis_from_anywhere if {
	verdict(_cache, "tcp 6379", ["0.0.0.0/0"]) == {"deny tcp 6379 from 0.0.0.0/0: short, nearest cache-01-redis"}
}

test_denies_a_port_that_the_row_does_not_name if {
	verdict(_cache, "tcp 6380", ["203.0.113.0/24"]) == {
		"deny tcp 6380 from 203.0.113.0/24: short, nearest cache-01-redis",
	}
}

test_denies_the_name_in_another_account if {
	verdict(object.union(_cache, {"account": "222233334444"}), "tcp 6379", ["10.0.0.0/8"]) == {
		"deny tcp 6379 from 10.0.0.0/8: uncovered",
	}
}

test_denies_the_row_by_name_after_its_last_day if {
	verdict(_cache, "tcp 6379", ["10.0.0.0/8"]) == {"deny tcp 6379 from 10.0.0.0/8: expired, nearest cache-01-redis"}
		with now as "2027-07-01T00:00:00Z"
}

test_allows_the_partner_until_the_end_of_the_last_day if {
	verdict(_legacy, "tcp 5432", ["198.51.100.7/32"]) == {"allow tcp 5432 from 198.51.100.7/32: db-partner"}
		with now as "2026-11-20T23:59:59Z"
}

test_denies_the_partner_four_days_later if {
	verdict(_legacy, "tcp 5432", ["198.51.100.7/32"]) == {
		"deny tcp 5432 from 198.51.100.7/32: expired, nearest db-partner",
	}
}

test_denies_the_partners_neighbour if {
	verdict(_legacy, "tcp 5432", ["198.51.100.6/31"]) == {
		"deny tcp 5432 from 198.51.100.6/31: short, nearest db-partner",
	}
		with now as "2026-11-20T12:00:00Z"
}

test_allows_the_row_by_id_in_any_account if {
	verdict(object.union(_monitoring, {"account": "222233334444"}), "tcp 9090-9093", ["203.0.113.0/24"]) == {
		"allow tcp 9090-9093 from 203.0.113.0/24: monitoring",
	}
}

test_denies_the_row_by_id_from_outside_the_office if {
	verdict(_monitoring, "tcp 443", ["198.51.100.7/32"]) == {
		"deny tcp 443 from 198.51.100.7/32: short, nearest monitoring",
	}
}

test_denies_another_id if {
	verdict({"id": "i-0123456789abcdef1"}, "tcp 443", ["203.0.113.0/24"]) == {
		"deny tcp 443 from 203.0.113.0/24: uncovered",
	}
}

test_denies_the_row_by_id_after_its_last_day if {
	verdict(_monitoring, "tcp 443", ["203.0.113.0/24"]) == {
		"deny tcp 443 from 203.0.113.0/24: expired, nearest monitoring",
	}
		with now as "2027-04-01T00:00:00Z"
}

test_allows_the_row_by_tag_in_every_account_that_it_names if {
	every account in ["111122223333", "444455556666"] {
		verdict(object.union(_mail, {"account": account}), "tcp 25", ["0.0.0.0/0"]) == {
			"allow tcp 25 from 0.0.0.0/0: mail-servers",
		}
	}
}

test_denies_the_tag_in_another_account if {
	verdict(object.union(_mail, {"account": "222233334444"}), "tcp 25", ["0.0.0.0/0"]) == {
		"deny tcp 25 from 0.0.0.0/0: uncovered",
	}
}

test_denies_another_value_of_the_tag if {
	verdict({"tags": {"Role": "mail2"}}, "tcp 25", ["0.0.0.0/0"]) == {"deny tcp 25 from 0.0.0.0/0: uncovered"}
}

test_denies_the_value_under_another_key if {
	verdict({"tags": {"role": "mail"}}, "tcp 25", ["0.0.0.0/0"]) == {"deny tcp 25 from 0.0.0.0/0: uncovered"}
}

test_denies_the_row_by_tag_after_its_last_day if {
	verdict(_mail, "tcp 25", ["0.0.0.0/0"]) == {"deny tcp 25 from 0.0.0.0/0: expired, nearest mail-servers"}
		with now as "2027-07-01T00:00:00Z"
}

_row := {
	"id": "row",
	"accounts": ["production"],
	"tcp": [443],
	"sources": ["anywhere"],
	"owner": "o",
	"reason": "r",
	"expires": "2099-12-31",
}

_told_of(row) := lines if {
	lines := verdict({"name": "s"}, "tcp 443", ["0.0.0.0/0"]) with data.servers as {"by_name": {"s": [row]}}
}

test_allows_a_readable_row if _told_of(_row) == {"allow tcp 443 from 0.0.0.0/0: row"}

test_denies_a_row_of_another_list_of_accounts if {
	_told_of(object.union(_row, {"accounts": ["staging"]})) == {"deny tcp 443 from 0.0.0.0/0: uncovered"}
}

test_denies_a_row_by_id_of_another_list_of_accounts if {
	verdict({"id": "i-0bbb"}, "tcp 443", ["0.0.0.0/0"]) == {"deny tcp 443 from 0.0.0.0/0: uncovered"}
		with data.servers as {"by_id": {"i-0bbb": [object.union(_row, {"accounts": ["staging"]})]}}
}

test_denies_a_row_without_accounts if {
	_told_of(object.remove(_row, ["accounts"])) == {
		"deny tcp 443 from 0.0.0.0/0: uncovered",
		"problem with allowance row: accounts",
	}
}

test_denies_a_row_whose_accounts_cannot_be_read if {
	every accounts in [
		null, [], "any", "production", {"a": "any"},
		["nowhere"], ["production", "nowhere"], ["any", 7], ["teams"],
	] {
		_told_of(object.union(_row, {"accounts": accounts})) == {
			"deny tcp 443 from 0.0.0.0/0: uncovered",
			"problem with allowance row: accounts",
		}
	}
}

test_denies_a_row_that_is_no_row if {
	every row in ["any", 443, null, ["production"]] {
		_told_of(row) == {"deny tcp 443 from 0.0.0.0/0: uncovered", "problem with allowance unnamed: "}
	}
}

test_denies_without_a_table if {
	verdict({"name": "s"}, "tcp 443", ["0.0.0.0/0"]) == {"deny tcp 443 from 0.0.0.0/0: uncovered"}
		with data.servers as {}
}
