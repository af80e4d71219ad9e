# METADATA
# description: What is told of the networks inside a denied source.
package policy_tests.gate.inside

import data.policy_tests.allowing
import data.policy_tests.decide
import data.policy_tests.exposure
import data.policy_tests.finding
import data.policy_tests.forbidding
import data.policy_tests.now

_office := allowing("office", {"tcp": ["20-25"], "sources": ["office"]})

_everybody := allowing("everybody", {"tcp": [443, 3389], "sources": ["anywhere"]})

# What is told of each denied entry.
_still_allowed(ports, source, allowances, prohibitions) := [entry.still_allowed |
	some entry in decide(finding({}, [exposure(ports, [source])]), allowances, prohibitions).denied
]

_part(first, last, source) := {"from_port": first, "to_port": last, "source": source}

test_tells_what_networks_inside_a_denied_source_may_reach if {
	_still_allowed("tcp 22-30", "0.0.0.0/0", {_office, _everybody}, set()) == [[_part(22, 25, "203.0.113.0/24")]]
}

test_tells_nothing_where_no_allowance_holds_a_network_inside if {
	every source in ["198.51.100.0/24", "::/0", "sg-0e0e"] {
		_still_allowed("tcp 22", source, {_office, _everybody}, set()) == [[]]
	}
	_still_allowed("tcp 26", "0.0.0.0/0", {_office, _everybody}, set()) == [[]]
	_still_allowed("tcp 26", "unknown", {_office, _everybody}, set()) == [[]]
	_still_allowed("tcp 22", "0.0.0.0/0", {_office}, set()) == [[]] with now as "2027-07-01T00:00:00Z"
}

test_cannot_tell_what_an_unknown_source_holds if {
	_still_allowed("tcp 22", "unknown", {_office}, set()) == [null]
}

test_tells_what_a_prohibition_spares_of_a_denied_source if {
	no_desktop := forbidding("no-desktop", {"tcp": [3389], "sources": ["anywhere"], "except": ["private"]})
	_still_allowed("tcp 3389", "0.0.0.0/0", {_everybody}, {no_desktop}) == [[_part(3389, 3389, network) |
		some network in ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]
	]]
	_still_allowed("tcp 3389", "::/0", {_everybody}, {no_desktop}) == [[_part(3389, 3389, "fc00::/7")]]
}

test_tells_the_ports_between_two_prohibitions if {
	prohibitions := {
		forbidding("no-admin", {"tcp": ["0-1023"], "sources": ["anywhere"], "except": ["office"]}),
		forbidding("no-telnet", {"tcp": [23], "sources": ["anywhere"]}),
	}
	_still_allowed("tcp 20-25", "0.0.0.0/0", {_office}, prohibitions) == [[
		_part(20, 22, "203.0.113.0/24"),
		_part(24, 25, "203.0.113.0/24"),
	]]
}

test_cannot_tell_what_is_left_where_a_prohibition_keeps_out_a_part if {
	every source in ["203.0.113.128/25", "198.51.100.0/24"] {
		blocked := forbidding("blocked", {"tcp": [22, 443], "sources": [source]})
		_still_allowed("tcp 443", "0.0.0.0/0", {_everybody}, {blocked}) == [null]
		_still_allowed("tcp 22", "0.0.0.0/0", {_office}, {blocked}) == [null]
		_still_allowed("tcp 22", "0.0.0.0/0", {_everybody}, {blocked}) == [[]]
	}
}

_partners(count) := allowing("partners", {
	"tcp": [8443, 8445],
	"sources": [sprintf("198.51.100.%d/32", [number * 2]) | some number in numbers.range(1, count)],
})

test_tells_no_more_than_a_security_group_takes if {
	count(_still_allowed("tcp 8443", "0.0.0.0/0", {_partners(60)}, set())[0]) == 60
	_still_allowed("tcp 8443", "0.0.0.0/0", {_partners(61)}, set()) == [null]
	_still_allowed("tcp 8443-8445", "0.0.0.0/0", {_partners(31)}, set()) == [null]
	_still_allowed("tcp 8444", "0.0.0.0/0", {_partners(61)}, set()) == [[]]
	halves := {_partners(40), allowing("more", {"tcp": [8443], "sources": [sprintf("192.0.2.%d/32", [number * 2]) |
		some number in numbers.range(1, 21)
	]})}
	_still_allowed("tcp 8443", "0.0.0.0/0", halves, set()) == [null]
}
