# METADATA
# description: Why a port is denied, which allowance came nearest, and the sentence that says so.
package policy_tests.gate.cause

import data.policy_tests.allowing
import data.policy_tests.decide
import data.policy_tests.exposure
import data.policy_tests.finding
import data.policy_tests.forbidding
import data.policy_tests.now

# [from port, to port, cause, nearest, sentence] of all that is denied.
_denied(ports, source, allowances, prohibitions) := {[
	entry.from_port,
	entry.to_port,
	entry.cause,
	entry.nearest,
	entry.reason,
] |
	some entry in decide(finding({}, [exposure(ports, [source])]), allowances, prohibitions).denied
}

_lapsed(id, terms) := allowing(id, object.union({"expires": "2026-11-23"}, terms))

test_prohibited_comes_before_expired if {
	lapsed := _lapsed("old", {"tcp": [23], "sources": ["anywhere"]})
	stops := {forbidding(id, {"tcp": [23], "sources": ["anywhere"]}) | some id in {"no-b", "no-a"}}
	_denied("tcp 23", "0.0.0.0/0", {lapsed}, stops) == {[
		23, 23, "prohibited", "old",
		"no-a forbids tcp 23 from 0.0.0.0/0: Test",
	]}
}

test_prohibited_without_any_allowance if {
	stop := forbidding("no", {"tcp": [23], "sources": ["anywhere"]})
	_denied("tcp 23", "0.0.0.0/0", set(), {stop}) == {[
		23, 23, "prohibited", null,
		"no forbids tcp 23 from 0.0.0.0/0: Test",
	]}
}

test_prohibited_from_a_part_says_so if {
	office := forbidding("no", {"tcp": [23], "sources": ["office"]})
	_denied("tcp 23", "0.0.0.0/0", set(), {office}) == {[
		23, 23, "prohibited", null,
		"no forbids tcp 23 from a part of 0.0.0.0/0: Test",
	]}
	others := forbidding("no", {"tcp": [23], "sources": ["anywhere"], "except": ["office"]})
	_denied("tcp 23", "0.0.0.0/0", set(), {others}) == {[
		23, 23, "prohibited", null,
		"no forbids tcp 23 from a part of 0.0.0.0/0: Test",
	]}
	_denied("tcp 23", "192.0.2.0/24", set(), {others}) == {[
		23, 23, "prohibited", null,
		"no forbids tcp 23 from 192.0.2.0/24: Test",
	]}
	every stop in [office, others] {
		_denied("tcp 23", "unknown", set(), {stop}) == {[
			23, 23, "prohibited", null,
			"no forbids tcp 23 from some addresses, and this one is unknown: Test",
		]}
	}
	_denied("tcp 23", "unknown", set(), {forbidding("no", {"tcp": [23], "sources": ["anywhere"]})}) == {[
		23, 23, "prohibited", null,
		"no forbids tcp 23 from unknown: Test",
	]}
}

test_expired_when_effective_and_expired_networks_together_would_cover if {
	allowances := {
		allowing("lower", {"tcp": [22], "sources": ["198.51.100.0/25"]}),
		_lapsed("upper", {"tcp": [22], "sources": ["198.51.100.128/25"]}),
	}
	_denied("tcp 22", "198.51.100.0/24", allowances, set()) == {[
		22, 22, "expired", "upper",
		"upper expired on 2026-11-23 (netops)",
	]}
}

test_expired_names_one_that_expired_on_the_range_and_the_source if {
	allowances := {
		allowing("lower", {"tcp": [22], "sources": ["198.51.100.0/25"]}),
		_lapsed("upper", {"tcp": [22], "sources": ["198.51.100.128/25"]}),
		_lapsed("a-source-elsewhere", {"tcp": [22], "sources": ["office"]}),
		_lapsed("a-port-elsewhere", {"tcp": [23], "sources": ["anywhere"]}),
	}
	_denied("tcp 22", "198.51.100.0/24", allowances, set()) == {[
		22, 22, "expired", "upper",
		"upper expired on 2026-11-23 (netops)",
	]}
}

test_short_when_even_the_expired_would_not_cover if {
	allowances := {_lapsed("old", {"tcp": [22], "sources": ["office"]})}
	_denied("tcp 22", "0.0.0.0/0", allowances, set()) == {[
		22, 22, "short", "old",
		"old (expired on 2026-11-23) allows tcp 22 from office (203.0.113.0/24); 0.0.0.0/0 is wider",
	]}
}

test_short_says_that_the_source_is_wider if {
	_denied("tcp 22", "203.0.112.0/23", {allowing("ssh", {"tcp": [22], "sources": ["office"]})}, set()) == {[
		22, 22, "short", "ssh",
		"ssh allows tcp 22 from office (203.0.113.0/24); 203.0.112.0/23 is wider",
	]}
}

test_short_says_that_the_source_lies_elsewhere if {
	allowances := {allowing("ssh", {"tcp": ["20-22"], "sources": ["office", "pl-0c1c"]})}
	_denied("tcp 22", "198.51.100.7/32", allowances, set()) == {[
		22, 22, "short", "ssh",
		"ssh allows tcp 20-22 from office (203.0.113.0/24), pl-0c1c; 198.51.100.7/32 is not among them",
	]}
}

test_short_says_that_the_address_is_unknown if {
	_denied("tcp 22", "unknown", {allowing("ssh", {"tcp": [22], "sources": ["private"]})}, set()) == {[
		22, 22, "short", "ssh",
		"ssh allows tcp 22 from private; the address is unknown, so it may be any",
	]}
}

test_short_says_that_neither_port_nor_source_is_allowed if {
	_denied("tcp 25", "0.0.0.0/0", {allowing("ssh", {"tcp": [22], "sources": ["198.51.100.7/32"]})}, set()) == {[
		25, 25, "short", "ssh",
		"ssh allows tcp 22 from 198.51.100.7/32; neither 25 nor 0.0.0.0/0 is among them",
	]}
}

test_uncovered_when_only_the_other_protocol_is_allowed if {
	_denied("udp 443", "0.0.0.0/0", {allowing("web", {"tcp": [443], "sources": ["anywhere"]})}, set()) == {[
		443, 443, "uncovered", null,
		"nothing allows udp 443 on this server",
	]}
}

test_nearest_covers_the_ports_before_the_source if {
	allowances := {
		allowing("a-source", {"tcp": [444], "sources": ["anywhere"]}),
		allowing("b-ports", {"tcp": [443], "sources": ["office"]}),
		allowing("a-rest", {"tcp": [445], "sources": ["office"]}),
	}
	_denied("tcp 443", "0.0.0.0/0", allowances, set()) == {[
		443, 443, "short", "b-ports",
		"b-ports allows tcp 443 from office (203.0.113.0/24); 0.0.0.0/0 is wider",
	]}
}

test_nearest_covers_the_source_by_the_smallest_distance_in_ports if {
	allowances := {
		allowing("a-far", {"tcp": [400], "sources": ["anywhere"]}),
		allowing("b-near", {"tcp": [1, "445-500"], "sources": ["anywhere"]}),
		allowing("a-rest", {"tcp": [444], "sources": ["office"]}),
	}
	_denied("tcp 443", "0.0.0.0/0", allowances, set()) == {[
		443, 443, "short", "b-near",
		"b-near allows tcp 1, 445-500 from anywhere; 443 is not among them",
	]}
}

test_nearest_of_equals_is_the_first_id if {
	allowances := {allowing(id, {"tcp": [444], "sources": ["anywhere"]}) | some id in {"b", "a", "c"}}
	_denied("tcp 443", "0.0.0.0/0", allowances, set()) == {[
		443, 443, "short", "a",
		"a allows tcp 444 from anywhere; 443 is not among them",
	]}
}

test_expired_names_the_first_id_of_those_that_made_it_up if {
	allowances := {
		allowing("c-first", {"tcp": ["80-85"], "sources": ["anywhere"], "expires": "2026-11-23"}),
		allowing("b-middle", {"tcp": ["86-90"], "sources": ["anywhere"], "expires": "2026-11-22"}),
		allowing("a-last", {"tcp": ["91-99"], "sources": ["office"], "expires": "2026-11-21"}),
		allowing("d-last", {"tcp": ["91-99"], "sources": ["anywhere"], "expires": "2026-11-20"}),
	}
	_denied("tcp 80-99", "0.0.0.0/0", allowances, set()) == {[
		80, 99, "expired", "b-middle",
		"b-middle expired on 2026-11-22 (netops)",
	]}
}

test_expired_names_the_last_day_as_over_only_on_the_next if {
	allowances := {allowing("web", {"tcp": [443], "sources": ["anywhere"], "expires": "2026-11-24"})}
	_denied("tcp 443", "0.0.0.0/0", allowances, set()) == set() with now as "2026-11-24T23:59:59.999Z"
	_denied("tcp 443", "0.0.0.0/0", allowances, set()) == {[
		443, 443, "expired", "web",
		"web expired on 2026-11-24 (netops)",
	]}
		with now as "2026-11-25T00:00:00Z"
}
