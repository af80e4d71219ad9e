package policy_tests.servers

import data.policy_tests.now
import data.policy_tests.verdict

_cache := {"name": "cache-01"}

_legacy := {"name": "db-legacy"}

_monitoring := {"id": "i-0123456789abcdef0", "account": "222233334444"}

_mail := {"tags": {"Role": "mail"}}

test_denies_redis_from_anywhere if {
	verdict(_cache, "tcp 6379", ["0.0.0.0/0"]) == {"deny tcp 6379 from 0.0.0.0/0: short, nearest cache-01-redis"}
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

test_allows_dashboards_to_the_office_in_any_account if {
	verdict(_monitoring, "tcp 9090-9093", ["203.0.113.0/24"]) == {
		"allow tcp 9090-9093 from 203.0.113.0/24: monitoring",
	}
}

test_denies_dashboards_to_others if {
	verdict(_monitoring, "tcp 443", ["198.51.100.7/32"]) == {
		"deny tcp 443 from 198.51.100.7/32: short, nearest monitoring",
	}
}

test_allows_mail_in_every_account_that_the_row_names if {
	every account in ["111122223333", "444455556666"] {
		verdict(object.union(_mail, {"account": account}), "tcp 25", ["0.0.0.0/0"]) == {
			"allow tcp 25 from 0.0.0.0/0: mail-servers",
		}
	}
}

test_denies_mail_in_another_account if {
	verdict(object.union(_mail, {"account": "222233334444"}), "tcp 25", ["0.0.0.0/0"]) == {
		"deny tcp 25 from 0.0.0.0/0: uncovered",
	}
}
