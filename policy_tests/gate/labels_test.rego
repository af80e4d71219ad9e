# METADATA
# description: The labels of every well-formed statement that applies travel with the decision.
package policy_tests.gate.labels

import data.policy_tests.allowing
import data.policy_tests.decide
import data.policy_tests.exposure
import data.policy_tests.finding
import data.policy_tests.forbidding

_decision(ports, allowances, prohibitions) := decide(finding({}, [exposure(ports, ["0.0.0.0/0"])]), allowances, prohibitions)

_web := allowing("web", {"tcp": [443], "sources": ["anywhere"], "labels": {"ticket": "NET-12"}})

_old := object.union(_web, {"id": "old", "expires": "2026-11-23", "labels": {"ticket": "NET-1", "note": "\"é\""}})

_no_telnet := forbidding("no-telnet", {"tcp": [23], "sources": ["anywhere"], "labels": {"rule": "SEC-3"}})

test_says_the_labels_of_allowances if {
	every ports in ["tcp 443", "tcp 444"] {
		_decision(ports, {_web, _old}, set()).allowances == {
			"web": {"owner": "netops", "expires": "2027-06-30", "labels": {"ticket": "NET-12"}},
			"old": {"owner": "netops", "expires": "2026-11-23", "labels": {"ticket": "NET-1", "note": "\"é\""}},
		}
		_decision(ports, {_web}, set()).allowances == {"web": {
			"owner": "netops",
			"expires": "2027-06-30",
			"labels": {"ticket": "NET-12"},
		}}
	}
}

test_says_reason_and_labels_of_prohibitions_whether_they_forbid_or_not if {
	every ports in ["tcp 23", "tcp 443"] {
		_decision(ports, {_web}, {_no_telnet, forbidding("no", {"udp": [53], "sources": ["anywhere"]})}).prohibitions == {
			"no-telnet": {"reason": "Test", "labels": {"rule": "SEC-3"}},
			"no": {"reason": "Test", "labels": {}},
		}
	}
}

test_says_nothing_of_what_is_malformed if {
	decision := _decision(
		"tcp 23",
		{object.union(_web, {"expires": "never"}), _old},
		{object.union(_no_telnet, {"tcp": ["x"]}), object.union(_no_telnet, {"id": "no", "except": ["nowhere"]})},
	)
	object.keys(decision.allowances) == {"old"}
	decision.prohibitions == {"no": {"reason": "Test", "labels": {"rule": "SEC-3"}}}
}

# Ids are shared by mistake; what is said of one is then said whole.
test_says_one_of_two_with_one_id if {
	other := object.union(_no_telnet, {"reason": "Other", "labels": {"a": "b"}})
	_decision("tcp 443", set(), {_no_telnet, other}).prohibitions == {"no-telnet": {
		"reason": "Test",
		"labels": {"rule": "SEC-3"},
	}}
	longer := allowing("web", {"tcp": [443], "sources": ["office"], "expires": "2028-06-30", "labels": {"a": "b"}})
	_decision("tcp 443", {_web, longer}, set()).allowances == {"web": {
		"owner": "netops",
		"expires": "2028-06-30",
		"labels": {"a": "b"},
	}}
}
