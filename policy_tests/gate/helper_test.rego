# METADATA
# description: What the helper assumes of a server is the team's, and the stranger test finds what applies to anybody.
package policy_tests.gate.helper

import data.policy_tests.everything
import data.policy_tests.finding
import data.policy_tests.networks
import data.policy_tests.stranger
import data.policy_tests.verdict

_defaults := {"account": "222233334444", "server": {"name": "www", "tags": {"Role": "web"}, "region": "eu-north-1"}}

test_says_what_the_gate_says if {
	verdict({}, "tcp 22-23", ["0.0.0.0/0"]) == {"allow tcp 22-23 from 0.0.0.0/0: everything"}
		with data.allow.allowance as {everything}
		with data.forbid.prohibition as set()
		with data.networks as networks
}

test_assumes_what_the_team_says if {
	finding({}, []).server == {
		"kind": "instance",
		"id": "i-0aaa",
		"name": "www",
		"tags": {"Role": "web"},
		"tags_known": true,
		"account": "222233334444",
		"region": "eu-north-1",
	}
		with data.policy_tests.defaults as _defaults
}

test_assumes_nothing_that_the_test_says if {
	server := {"id": "i-0bbb", "account": "444455556666", "region": "eu-west-1", "tags": {}, "name": "db"}
	finding(server, []).server == object.union({"kind": "instance", "tags_known": true}, server)
		with data.policy_tests.defaults as _defaults
}

test_assumes_no_account_of_its_own if {
	not "account" in object.keys(finding({}, []).server) with data.policy_tests.defaults as {}
}

_tests := {
	"test_no_allowance_for_a_server_without_any_field",
	"test_no_allowance_without_a_server",
	"test_no_allowance_without_a_finding",
	"test_no_allowance_for_a_server_with_empty_fields",
	"test_no_allowance_for_a_server_with_empty_tags",
	"test_no_allowance_for_a_server_with_null_fields",
	"test_no_allowance_for_a_strange_server_in_an_account_on_no_list",
	"test_no_allowance_for_a_security_group_in_an_account_on_no_list",
}

test_an_allowance_for_anybody_meets_the_stranger if {
	every allowance in [everything, object.union(everything, {"everywhere": "true"}), "everything"] {
		every name in _tests { not stranger[name] with data.allow.allowance as {allowance} }
	}
}

test_an_allowance_for_anybody_may_say_so if {
	allowance := object.union(everything, {"everywhere": true})
	every name in _tests { stranger[name] with data.allow.allowance as {allowance} }
}
