# METADATA
# description: A finding that cannot be read in full is denied, undecidable and named; what can be read is judged.
package policy_tests.gate.finding

import data.policy_tests.decide
import data.policy_tests.everything
import data.policy_tests.exposure
import data.policy_tests.finding
import data.policy_tests.told

_ssh := exposure("tcp 22", ["0.0.0.0/0"])

# The line of a problem of the finding with each of these fields.
_cannot(fields) := {"cannot be judged"} | {line |
	some field in fields
	line := sprintf("problem with finding finding-1: %s", [field])
}

_told(exposures) := told(decide(finding({}, exposures), {everything}, set()))

test_denies_a_finding_without_exposures if {
	every exposures in [[], null, "tcp 22", 22, {}] { _told(exposures) == _cannot({"exposures"}) }
	told(decide(object.remove(finding({}, []), ["exposures"]), {everything}, set())) == _cannot({"exposures"})
}

test_denies_exposures_that_are_an_object if {
	_cannot({"exposures"}) - _told({"a": _ssh}) == set()
}

test_denies_an_exposure_with_malformed_ports if {
	every ports in [
		{"from_port": 443, "to_port": 80}, {"from_port": -1}, {"to_port": 65536}, {"from_port": "22", "to_port": "22"},
		{"from_port": 22.5, "to_port": 22.5}, {"from_port": null}, {"to_port": true}, {"to_port": [22]},
	] {
		_told([object.union(_ssh, ports)]) == _cannot({"exposures[0]"})
	}
}

test_denies_an_exposure_that_lacks_a_field if {
	every field in ["protocol", "from_port", "to_port"] {
		_told([object.remove(_ssh, [field])]) == _cannot({"exposures[0]"})
	}
}

test_denies_an_exposure_of_an_unknown_protocol if {
	every protocol in ["icmp", "TCP", "-1", "", null, 6] {
		_told([object.union(_ssh, {"protocol": protocol})]) == _cannot({"exposures[0]"})
	}
}

test_denies_what_is_no_exposure if {
	every value in ["tcp 22", 22, null, []] { _told([value]) == _cannot({"exposures[0]", "exposures[0].sources"}) }
}

test_denies_an_exposure_without_sources if {
	every sources in [[], null, "0.0.0.0/0", {"a": "0.0.0.0/0"}] {
		_told([object.union(_ssh, {"sources": sources})]) == _cannot({"exposures[0].sources"})
	}
	_told([object.remove(_ssh, ["sources"])]) == _cannot({"exposures[0].sources"})
}

test_denies_an_exposure_of_which_a_source_cannot_be_read if {
	every source in [
		"", "anywhere", "office", "any", "sg-*", 7, null, false,
		"203.0.113.1/24", "203.0.113.0/33", "203.0.113.1", "::ffff:203.0.113.0/120", "::/000", "2001:db8::/032",
	] {
		every sources in [["0.0.0.0/0", source], [source, "0.0.0.0/0"]] {
			told := _told([object.union(_ssh, {"sources": sources})])
			told == {"allow tcp 22 from 0.0.0.0/0: everything"} | _cannot({"exposures[0].sources"})
		}
	}
}

test_judges_the_siblings_of_an_exposure_that_cannot_be_judged if {
	sibling := object.union(_ssh, {"from_port": 443, "to_port": 80})
	_told([_ssh, sibling]) == {"allow tcp 22 from 0.0.0.0/0: everything"} | _cannot({"exposures[1]"})
}

test_denies_when_the_time_cannot_be_read if {
	every time in [
		"", "now", "2026-11-24", "2026-11-24T06:12:00", "2026-02-30T06:12:00Z", "2026-11-24T25:12:00Z",
		"2026-11-24T06:12:00+00:00", 7, null,
	] {
		told(decide(object.union(finding({}, [_ssh]), {"now": time}), {everything}, set())) == {
			"deny tcp 22 from 0.0.0.0/0: expired, nearest everything",
		} | _cannot({"now"})
	}
}

test_denies_what_is_no_finding if {
	every value in [{}, null, 7, "finding", []] {
		told(decide(value, {everything}, set())) == {
			"cannot be judged",
			"problem with finding null: exposures",
			"problem with finding null: now",
		}
	}
}

test_is_undecidable_with_every_field if {
	exposures := [object.union(_ssh, {"from_port": 443, "to_port": 80})]
	decide(finding({}, exposures), {everything}, set()) == {
		"id": "finding-1",
		"action": "deny",
		"severity": "high",
		"undecidable": true,
		"denied": [],
		"allowed": [],
		"allowances": {"everything": {"owner": "netops", "expires": "2027-06-30", "labels": {}}},
		"prohibitions": {},
		"problems": [{
			"kind": "finding",
			"id": "finding-1",
			"field": "exposures[0]",
			"problem": concat("", [
				"needs protocol tcp or udp and whole from_port and to_port within 0-65535, ",
				"the first not above the second",
			]),
		}],
	}
}

test_judges_a_finding_without_id_under_null if {
	every id in [null, 7, ["finding-1"]] {
		decision := decide(object.union(finding({}, [_ssh]), {"id": id}), {everything}, set())
		[decision.id, told(decision)] == [null, {"allow tcp 22 from 0.0.0.0/0: everything"}]
	}
	bare := object.remove(finding({}, [_ssh]), ["id", "reporters", "reach", "reach_known", "server"])
	told(decide(bare, {everything}, set())) == {"allow tcp 22 from 0.0.0.0/0: everything"}
}
