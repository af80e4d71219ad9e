# METADATA
# description: |
#   A row of servers/data.yaml is an allowance for the server of that name, id or tag in the accounts that it names. One
#   without accounts that can be read covers nothing and is a problem.
package policy_tests.gate.table

import data.policy_tests.allowing
import data.policy_tests.exposure
import data.policy_tests.finding
import data.policy_tests.networks
import data.policy_tests.told

_accounts := {
	"production": ["111122223333"],
	"staging": ["444455556666"],
	"empty": [],
	"teams": {"netops": ["111122223333"]},
}

_server := {"id": "i-0bbb", "name": "www", "tags": {"Role": "web", "Stage": "test"}, "account": "111122223333"}

_row := object.union(allowing("row", {"tcp": [443], "sources": ["anywhere"]}), {"accounts": ["production"]})

_allowed := {"allow tcp 443 from 0.0.0.0/0: row"}

_uncovered := {"deny tcp 443 from 0.0.0.0/0: uncovered"}

# What the gate says of port 443 of a server when these rules and rows are all that there is, whichever way it is asked.
_told(server, rules, table) := told(decision) if {
	value := finding(server, [exposure("tcp 443", ["0.0.0.0/0"])])
	decision := data.gate.decision with input as value
		with data.allow.allowance as rules
		with data.servers as table
		with data.forbid.prohibition as set()
		with data.networks as networks
		with data.accounts as _accounts
	[decision] == data.gate.batch.decisions with input as {"findings": [value]}
		with data.allow.allowance as rules
		with data.servers as table
		with data.forbid.prohibition as set()
		with data.networks as networks
		with data.accounts as _accounts
}

_by_name(row) := _told(_server, set(), {"by_name": {"www": [row]}})

# The table with the row under each kind of key in turn.
_tables(row) := [
	{"by_name": {"www": [row]}},
	{"by_id": {"i-0bbb": [row]}},
	{"by_tag": {"Role": {"web": [row]}}},
	{"by_tag": {"Role": {"web": []}, "Stage": {"test": [row]}}},
]

test_allows_by_name_id_or_tag if {
	every table in _tables(_row) { _told(_server, set(), table) == _allowed }
}

test_denies_every_other_server if {
	every server in [
		{"name": "www2"}, {"name": "WWW"}, {"id": "i-0bbc"}, {"tags": {"Role": "web2"}}, {"tags": {"role": "web"}},
		{"tags": {"Name": "web"}}, {"tags": {"www": "Role"}},
	] {
		every table in _tables(_row) {
			_told(object.union({"account": "111122223333"}, server), set(), table) == _uncovered
		}
	}
}

test_denies_the_server_in_another_account if {
	every account in ["444455556666", "222233334444", ""] {
		every table in _tables(_row) {
			_told(object.union(_server, {"account": account}), set(), table) == _uncovered
		}
	}
	every table in _tables(_row) {
		_told({"name": "www", "id": "i-0bbb", "tags": _server.tags, "account": null}, set(), table) == _uncovered
	}
}

test_allows_in_every_account_that_the_row_names if {
	row := object.union(_row, {"accounts": ["production", "staging"]})
	every account in ["111122223333", "444455556666"] {
		every table in _tables(row) { _told(object.union(_server, {"account": account}), set(), table) == _allowed }
	}
	every table in _tables(row) {
		_told(object.union(_server, {"account": "222233334444"}), set(), table) == _uncovered
	}
}

test_allows_in_any_account if {
	every account in ["444455556666", "222233334444"] {
		server := object.union(_server, {"account": account})
		every table in _tables(object.union(_row, {"accounts": ["any"]})) {
			_told(server, set(), table) == _allowed
		}
	}
}

test_denies_by_a_row_of_a_list_without_accounts if {
	_by_name(object.union(_row, {"accounts": ["empty"]})) == _uncovered
}

test_denies_by_a_row_that_has_expired if {
	_by_name(object.union(_row, {"expires": "2026-11-23"})) == {
		"deny tcp 443 from 0.0.0.0/0: expired, nearest row",
	}
}

test_denies_by_a_row_without_accounts if {
	every table in _tables(object.remove(_row, ["accounts"])) {
		_told(_server, set(), table) == _uncovered | {"problem with allowance row: accounts"}
	}
}

test_denies_by_a_row_whose_accounts_cannot_be_read if {
	every accounts in [
		null, [], "any", "production", {"a": "any"},
		["nowhere"], ["production", "nowhere"], ["any", 7], ["teams"],
	] {
		_by_name(object.union(_row, {"accounts": accounts})) == _uncovered | {"problem with allowance row: accounts"}
	}
}

test_denies_by_a_row_of_a_list_that_no_data_has if {
	value := finding(_server, [exposure("tcp 443", ["0.0.0.0/0"])])
	decision := data.gate.decision with input as value
		with data.allow.allowance as set()
		with data.servers as {"by_name": {"www": [_row]}}
		with data.forbid.prohibition as set()
		with data.networks as networks
		with data.accounts as {}
	told(decision) == _uncovered | {"problem with allowance row: accounts"}
}

test_denies_by_what_is_no_row if {
	every row in ["any", 443, null, ["production"]] {
		_by_name(row) == _uncovered | {"problem with allowance unnamed: "}
	}
}

test_denies_without_a_table if {
	every table in [{}, {"by_name": {}}, {"by_name": []}, {"by_name": {"www": []}}, []] {
		_told(_server, set(), table) == _uncovered
	}
}

test_allows_by_rules_and_rows_alike if {
	rule := allowing("rule", {"tcp": ["440-450"], "sources": ["anywhere"]})
	_told(_server, {rule}, {"by_name": {"www": [_row]}}) == {"allow tcp 443 from 0.0.0.0/0: row, rule"}
}

# A policy of old may hand on the rows by itself, and a row may stand under several keys.
test_counts_no_row_twice if {
	table := object.union_n(_tables(_row))
	allowance := object.remove(_row, ["accounts"])
	_told(_server, {allowance}, table) == _allowed
	count(data.gate.allowance) == 1 with input as finding(_server, [])
		with data.allow.allowance as {allowance}
		with data.servers as table
		with data.accounts as _accounts
	unreadable := object.union(_row, {"accounts": null})
	_told(_server, {unreadable}, object.union_n(_tables(unreadable))) == _uncovered | {"problem with allowance row: accounts"}
}
