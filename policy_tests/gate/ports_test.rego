# METADATA
# description: Ports are subtracted exactly; every entry is a maximal range.
package policy_tests.gate.ports

import data.policy_tests.allowing
import data.policy_tests.decide
import data.policy_tests.everything
import data.policy_tests.exposure
import data.policy_tests.finding
import data.policy_tests.forbidding
import data.policy_tests.told

_told(ports, allowances) := told(decide(finding({}, [exposure(ports, ["0.0.0.0/0"])]), allowances, set()))

_tcp(id, ports) := allowing(id, {"tcp": ports, "sources": ["anywhere"]})

test_denies_the_ports_between_two_that_are_allowed if {
	_told("tcp 80-443", {_tcp("web", [80, 443])}) == {
		"allow tcp 80 from 0.0.0.0/0: web",
		"deny tcp 81-442 from 0.0.0.0/0: short, nearest web",
		"allow tcp 443 from 0.0.0.0/0: web",
	}
}

test_denies_both_ends_of_a_range if {
	_told("tcp 0-65535", {_tcp("web", ["1-65534"])}) == {
		"deny tcp 0 from 0.0.0.0/0: short, nearest web",
		"allow tcp 1-65534 from 0.0.0.0/0: web",
		"deny tcp 65535 from 0.0.0.0/0: short, nearest web",
	}
}

test_allows_a_range_by_the_ports_that_make_it_up if {
	_told("tcp 8000-8002", {_tcp("web", [8000, 8001, 8002])}) == {"allow tcp 8000-8002 from 0.0.0.0/0: web"}
}

test_allows_ports_by_the_range_that_holds_them if {
	_told("tcp 8001", {_tcp("web", ["8000-8100"])}) == {"allow tcp 8001 from 0.0.0.0/0: web"}
}

test_allows_by_ranges_that_overlap_or_touch if {
	_told("tcp 1-100", {_tcp("web", ["1-40", "30-60", "61-100", 50])}) == {"allow tcp 1-100 from 0.0.0.0/0: web"}
}

test_allows_a_range_by_several_and_names_them_all if {
	_told("tcp 1-100", {_tcp("b", ["1-50"]), _tcp("a", ["51-100"]), _tcp("c", ["1-100"]), _tcp("d", [0, 101])}) == {
		"allow tcp 1-100 from 0.0.0.0/0: a, b, c",
	}
}

test_names_neither_the_expired_nor_those_for_other_addresses if {
	expired := object.union(_tcp("expired", [22]), {"expires": "2026-11-23"})
	elsewhere := object.union(_tcp("elsewhere", [22]), {"sources": ["198.51.100.0/24", "sg-*"]})
	found := finding({}, [exposure("tcp 22", ["203.0.113.0/24"])])
	told(decide(found, {_tcp("ssh", [22]), expired, elsewhere}, set())) == {"allow tcp 22 from 203.0.113.0/24: ssh"}
}

test_names_an_allowance_for_a_part_of_the_addresses if {
	part := object.union(_tcp("part", [22]), {"sources": ["203.0.113.9/32"]})
	found := finding({}, [exposure("tcp 22", ["203.0.113.0/24"])])
	told(decide(found, {_tcp("ssh", [22]), part}, set())) == {"allow tcp 22 from 203.0.113.0/24: part, ssh"}
}

test_allows_ports_given_as_a_set if {
	_told("tcp 80-81", {_tcp("web", {80, "81-82"})}) == {"allow tcp 80-81 from 0.0.0.0/0: web"}
}

test_denies_one_range_where_several_allowances_fall_short if {
	_told("tcp 1-9", {_tcp("a", [4]), _tcp("b", [4, 5])}) == {
		"deny tcp 1-3 from 0.0.0.0/0: short, nearest a",
		"allow tcp 4-5 from 0.0.0.0/0: a, b",
		"deny tcp 6-9 from 0.0.0.0/0: short, nearest b",
	}
}

test_judges_protocols_apart if {
	decision := decide(
		finding({}, [exposure("tcp 53", ["0.0.0.0/0"]), exposure("udp 53", ["0.0.0.0/0"])]),
		{allowing("dns", {"udp": [53], "sources": ["anywhere"]})},
		set(),
	)
	told(decision) == {
		"deny tcp 53 from 0.0.0.0/0: uncovered",
		"allow udp 53 from 0.0.0.0/0: dns",
	}
}

test_cuts_out_what_is_prohibited if {
	stops := {
		forbidding("no-telnet", {"tcp": [23], "sources": ["anywhere"]}),
		forbidding("no-mail", {"tcp": ["24-25"], "udp": [1], "sources": ["anywhere"]}),
	}
	told(decide(finding({}, [exposure("tcp 22-26", ["0.0.0.0/0"])]), {everything}, stops)) == {
		"allow tcp 22 from 0.0.0.0/0: everything",
		"deny tcp 23 from 0.0.0.0/0: prohibited by no-telnet, nearest everything",
		"deny tcp 24-25 from 0.0.0.0/0: prohibited by no-mail, nearest everything",
		"allow tcp 26 from 0.0.0.0/0: everything",
	}
}
