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

test_an_allowance_for_anybody_meets_every_stranger if {
	every allowance in [everything, object.union(everything, {"everywhere": "true"}), "everything"] {
		count(stranger.applying) == 7 with data.allow.allowance as {allowance}
		not stranger.test_no_allowance_applies_to_a_stranger with data.allow.allowance as {allowance}
	}
}

test_the_stranger_names_what_applies if {
	{["everything", "nothing at all"], ["unnamed", "nothing at all"]} - stranger.applying == set()
		with data.allow.allowance as {everything, "everything"}
}

test_an_allowance_for_anybody_may_say_so if {
	allowance := object.union(everything, {"everywhere": true})
	stranger.test_no_allowance_applies_to_a_stranger with data.allow.allowance as {allowance}
}

test_says_how_ports_are_written if {
	every ports in ["443", "tcp/443", "tcp https"] {
		line := sprintf("nothing, since %s names no ports; write them like tcp 443 or udp 8000-8100", [ports])
		verdict({}, ports, ["0.0.0.0/0"]) == {line}
	}
}
