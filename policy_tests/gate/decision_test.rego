# METADATA
# description: Whole decisions, field by field, one for each cause.
package policy_tests.gate.decision

import data.policy_tests.allowing
import data.policy_tests.decide
import data.policy_tests.exposure
import data.policy_tests.finding
import data.policy_tests.forbidding
import data.policy_tests.now

_web := allowing("web", {"tcp": [80, 443], "sources": ["anywhere"]})

_decision := {
	"id": "finding-1",
	"action": "deny",
	"severity": "high",
	"undecidable": false,
	"denied": [],
	"allowed": [],
	"allowances": {},
	"prohibitions": {},
	"problems": [],
}

_entry := {"protocol": "tcp", "from_port": 8443, "to_port": 8443, "source": "0.0.0.0/0"}

_denied := object.union(_entry, {
	"security_group": "sg-0aaa",
	"rules": ["sgr-0aaa"],
	"cause": "short",
	"prohibition": null,
	"nearest": null,
	"still_allowed": [],
	"severity": "high",
})

test_allows_with_every_field if {
	decide(finding({}, [exposure("tcp 443", ["0.0.0.0/0"])]), {_web}, set()) == object.union(_decision, {
		"action": "allow",
		"severity": "none",
		"allowed": [object.union(_entry, {"from_port": 443, "to_port": 443, "by": ["web"]})],
		"allowances": {"web": {"owner": "netops", "expires": "2027-06-30", "labels": {}}},
	})
}

test_denies_what_an_allowance_falls_short_of if {
	decide(finding({}, [exposure("tcp 8443", ["0.0.0.0/0"])]), {_web}, set()) == object.union(_decision, {
		"denied": [object.union(_denied, {
			"nearest": "web",
			"reason": "web allows tcp 80, 443 from anywhere; 8443 is not among them",
		})],
		"allowances": {"web": {"owner": "netops", "expires": "2027-06-30", "labels": {}}},
	})
}

test_denies_what_nothing_allows if {
	decide(finding({}, [exposure("tcp 8443", ["0.0.0.0/0"])]), set(), set()) == object.union(_decision, {
		"denied": [object.union(_denied, {
			"cause": "uncovered",
			"reason": "nothing allows tcp 8443 on this server",
		})],
	})
}

test_denies_what_an_expired_allowance_covers if {
	decide(finding({}, [exposure("tcp 443", ["0.0.0.0/0"])]), {_web}, set()) == object.union(_decision, {
		"denied": [object.union(_denied, {
			"from_port": 443,
			"to_port": 443,
			"cause": "expired",
			"nearest": "web",
			"reason": "web expired on 2027-06-30 (netops)",
		})],
		"allowances": {"web": {"owner": "netops", "expires": "2027-06-30", "labels": {}}},
	})
		with now as "2027-07-01T00:00:00Z"
}

test_denies_what_a_prohibition_forbids_although_it_is_allowed if {
	forbidden := forbidding("no-https", {"tcp": [443], "sources": ["anywhere"]})
	decide(finding({}, [exposure("tcp 443", ["0.0.0.0/0"])]), {_web}, {forbidden}) == object.union(_decision, {
		"denied": [object.union(_denied, {
			"from_port": 443,
			"to_port": 443,
			"cause": "prohibited",
			"prohibition": "no-https",
			"nearest": "web",
			"reason": "no-https forbids tcp 443 from 0.0.0.0/0: Test",
		})],
		"prohibitions": {"no-https": {"reason": "Test", "labels": {}}},
		"allowances": {"web": {"owner": "netops", "expires": "2027-06-30", "labels": {}}},
	})
}

test_denies_an_exposure_of_which_group_and_rules_are_unknown if {
	bare := object.remove(exposure("tcp 8443", ["0.0.0.0/0"]), ["security_group", "rules"])
	decide(finding({}, [bare]), set(), set()) == object.union(_decision, {"denied": [object.union(_denied, {
		"security_group": null,
		"rules": [],
		"cause": "uncovered",
		"reason": "nothing allows tcp 8443 on this server",
	})]})
}

test_sorts_what_is_denied_by_protocol_port_source_and_group if {
	exposures := [
		exposure("udp 53", ["0.0.0.0/0"]),
		exposure("tcp 443", ["::/0", "0.0.0.0/0"]),
		object.union(exposure("tcp 22", ["0.0.0.0/0"]), {"security_group": "sg-0bbb"}),
		exposure("tcp 22", ["0.0.0.0/0"]),
	]
	decision := decide(finding({}, exposures), set(), set())
	[[entry.protocol, entry.from_port, entry.source, entry.security_group] | some entry in decision.denied] == [
		["tcp", 22, "0.0.0.0/0", "sg-0aaa"],
		["tcp", 22, "0.0.0.0/0", "sg-0bbb"],
		["tcp", 443, "0.0.0.0/0", "sg-0aaa"],
		["tcp", 443, "::/0", "sg-0aaa"],
		["udp", 53, "0.0.0.0/0", "sg-0aaa"],
	]
}
