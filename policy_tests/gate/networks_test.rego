# METADATA
# description: Which addresses an allowance holds, and which a prohibition reaches.
package policy_tests.gate.networks

import data.policy_tests.allowing
import data.policy_tests.decide
import data.policy_tests.everything
import data.policy_tests.exposure
import data.policy_tests.finding
import data.policy_tests.forbidding
import data.policy_tests.told

_told(source, words) := told(decide(
	finding({}, [exposure("tcp 22", [source])]),
	{allowing("ssh", {"tcp": [22], "sources": words})},
	set(),
))

_allowed(source) := {sprintf("allow tcp 22 from %s: ssh", [source])}

_denied(source) := {sprintf("deny tcp 22 from %s: short, nearest ssh", [source])}

test_allows_a_network_within if {
	_told("203.0.113.64/26", ["office"]) == _allowed("203.0.113.64/26")
}

test_denies_a_network_around if {
	_told("203.0.113.0/24", ["203.0.113.64/26"]) == _denied("203.0.113.0/24")
}

test_denies_a_network_beside if {
	_told("203.0.114.0/24", ["office"]) == _denied("203.0.114.0/24")
}

test_allows_a_network_by_its_two_halves if {
	_told("198.51.100.0/24", ["198.51.100.0/25", "198.51.100.128/25"]) == _allowed("198.51.100.0/24")
}

test_denies_a_network_by_one_half if {
	_told("198.51.100.0/24", ["198.51.100.0/25", "198.51.101.128/25"]) == _denied("198.51.100.0/24")
}

test_allows_a_network_by_the_halves_of_two_allowances if {
	halves := {
		allowing("lower", {"tcp": [22], "sources": ["198.51.100.0/25"]}),
		allowing("upper", {"tcp": ["20-30"], "sources": ["198.51.100.128/25"]}),
	}
	told(decide(finding({}, [exposure("tcp 22", ["198.51.100.0/24"])]), halves, set())) == {
		"allow tcp 22 from 198.51.100.0/24: lower, upper",
	}
}

test_denies_where_only_one_of_two_halves_allows_the_port if {
	halves := {
		allowing("lower", {"tcp": [22], "sources": ["198.51.100.0/25"]}),
		allowing("upper", {"tcp": ["20-30"], "sources": ["198.51.100.128/25"]}),
	}
	told(decide(finding({}, [exposure("tcp 22-23", ["198.51.100.0/24"])]), halves, set())) == {
		"allow tcp 22 from 198.51.100.0/24: lower, upper",
		"deny tcp 23 from 198.51.100.0/24: short, nearest upper",
	}
}

test_denies_a_network_that_two_allowances_cover_with_a_gap if {
	parts := {
		allowing("lower", {"tcp": [22], "sources": ["198.51.100.0/25"]}),
		allowing("upper", {"tcp": [22], "sources": ["198.51.100.192/26"]}),
	}
	told(decide(finding({}, [exposure("tcp 22", ["198.51.100.0/24"])]), parts, set())) == {
		"deny tcp 22 from 198.51.100.0/24: short, nearest lower",
	}
}

test_allows_a_network_in_another_spelling if {
	_told("2001:DB8:0:1::/64", ["2001:db8::/32"]) == _allowed("2001:DB8:0:1::/64")
	_told("2001:db8:0:1::/64", ["2001:0DB8:0:0::/32"]) == _allowed("2001:db8:0:1::/64")
	_told("2001:db9::/64", ["2001:0DB8:0:0::/32"]) == _denied("2001:db9::/64")
	_told("unknown", ["0.0.0.0/0", "0:0::/0"]) == _allowed("unknown")
}

test_allows_everything_by_the_halves_of_both_families if {
	words := ["0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1"]
	every source in ["0.0.0.0/0", "::/0", "unknown", "sg-0b1b", "222233334444/sg-0b1b", "pl-0c1c"] {
		_told(source, words) == _allowed(source)
	}
}

test_survives_networks_on_which_opa_panics if {
	halves := ["64:ff9b::/97", "64:ff9b::8000:0/97", "::1/128", "0:0:0:0:0:0:0:1/128", "0064:FF9B::/98"]
	every source in ["64:ff9b::/97", "64:ff9b::8000:0/98", "::1/128"] {
		_told(source, halves) == _allowed(source)
	}
	_told("64:ff9b::/96", halves) == _denied("64:ff9b::/96")
	_told("::2/127", ["::0.0.0.2/128", "::0.0.0.3/128"]) == _denied("::2/127")
	each := {
		allowing("lower", {"tcp": [22], "sources": ["64:ff9b::/97"]}),
		allowing("upper", {"tcp": [22], "sources": ["64:ff9b::8000:0/97"]}),
	}
	told(decide(finding({}, [exposure("tcp 22", ["64:ff9b::/96"])]), each, set())) == {
		"deny tcp 22 from 64:ff9b::/96: short, nearest lower",
	}
}

test_denies_all_but_its_own_family if {
	_told("0.0.0.0/0", ["0.0.0.0/0"]) == _allowed("0.0.0.0/0")
	every source in ["::/0", "2001:db8::1/128", "unknown", "sg-0b1b", "pl-0c1c"] {
		_told(source, ["0.0.0.0/0"]) == _denied(source)
	}
	_told("0.0.0.0/0", ["::/0"]) == _denied("0.0.0.0/0")
}

test_denies_an_unknown_address_unless_everything_is_allowed if {
	_told("unknown", ["private", "office", "sg-*", "::/0"]) == _denied("unknown")
	_told("unknown", ["anywhere"]) == _allowed("unknown")
}

test_allows_a_group_by_its_id_or_as_any_of_the_own_account if {
	_told("sg-0b1b", ["sg-0b1b"]) == _allowed("sg-0b1b")
	_told("sg-0b1b", ["sg-*"]) == _allowed("sg-0b1b")
	_told("222233334444/sg-0b1b", ["222233334444/sg-0b1b"]) == _allowed("222233334444/sg-0b1b")
}

test_denies_another_group_and_that_of_a_peer if {
	_told("sg-0b1b", ["sg-0b1c"]) == _denied("sg-0b1b")
	_told("222233334444/sg-0b1b", ["sg-*", "sg-0b1b"]) == _denied("222233334444/sg-0b1b")
	_told("sg-0b1b", ["222233334444/sg-0b1b"]) == _denied("sg-0b1b")
}

test_denies_a_group_and_a_prefix_list_by_any_cidr if {
	_told("sg-0b1b", ["0.0.0.0/0"]) == _denied("sg-0b1b")
	_told("pl-0c1c", ["0.0.0.0/0", "sg-*"]) == _denied("pl-0c1c")
}

test_allows_a_prefix_list_by_its_id if {
	_told("pl-0c1c", ["pl-0c1c"]) == _allowed("pl-0c1c")
}

test_denies_what_a_network_with_the_name_of_a_cidr_does_not_list if {
	_told("0.0.0.0/0", ["0.0.0.0/0"]) == _denied("0.0.0.0/0")
		with data.policy_tests.networks as {"0.0.0.0/0": ["10.0.0.0/8"]}
}

test_denies_by_an_unreadable_network_with_the_name_of_a_cidr if {
	told(decide(
		finding({}, [exposure("tcp 22", ["0.0.0.0/0"])]),
		{allowing("ssh", {"tcp": [22], "sources": ["0.0.0.0/0"]})},
		set(),
	)) == {"deny tcp 22 from 0.0.0.0/0: uncovered", "problem with allowance ssh: sources"}
		with data.policy_tests.networks as {"0.0.0.0/0": ["0.0.0.0/33"]}
}

# What a prohibition with these sources and exceptions reaches.
_reached(sources, words, excepted) := {entry.source | some entry in decision.denied} if {
	stop := forbidding("no", {"tcp": [22], "sources": words, "except": excepted})
	decision := decide(finding({}, [exposure("tcp 22", sources)]), {everything}, {stop})
}

test_denies_a_source_of_which_any_address_is_forbidden if {
	sources := ["10.0.0.0/8", "10.1.2.0/24", "0.0.0.0/0", "11.0.0.0/8", "::/0", "sg-0b1b", "pl-0c1c", "unknown"]
	_reached(sources, ["10.1.0.0/16"], []) == {"10.0.0.0/8", "10.1.2.0/24", "0.0.0.0/0", "unknown"}
}

test_denies_what_is_not_wholly_excepted if {
	sources := ["203.0.113.0/24", "203.0.113.9/32", "203.0.112.0/23", "0.0.0.0/0", "::/0", "unknown"]
	_reached(sources, ["anywhere"], ["office"]) == {"203.0.112.0/23", "0.0.0.0/0", "::/0", "unknown"}
}

test_allows_a_source_of_which_all_that_is_forbidden_is_excepted if {
	_reached(["203.0.112.0/23"], ["office"], ["203.0.113.0/25", "203.0.113.128/25"]) == set()
	_reached(["203.0.112.0/23"], ["office"], ["203.0.113.0/25"]) == {"203.0.112.0/23"}
}

test_denies_groups_by_id_by_wildcard_or_by_everything if {
	sources := ["sg-0b1b", "sg-0b1c", "222233334444/sg-0b1b", "pl-0c1c"]
	_reached(sources, ["sg-0b1b", "pl-0c1c"], []) == {"sg-0b1b", "pl-0c1c"}
	_reached(sources, ["sg-*"], []) == {"sg-0b1b", "sg-0b1c"}
	_reached(sources, ["anywhere"], ["sg-*", "pl-0c1c"]) == {"222233334444/sg-0b1b"}
	_reached(sources, ["0.0.0.0/0"], []) == set()
}

test_denies_an_unknown_address_as_soon_as_anything_is_forbidden if {
	_reached(["unknown"], ["198.51.100.7/32"], []) == {"unknown"}
	_reached(["unknown"], ["office"], ["203.0.113.0/25", "203.0.113.128/25"]) == set()
	_reached(["unknown"], ["office"], ["203.0.113.0/25"]) == {"unknown"}
	_reached(["unknown"], ["anywhere"], ["anywhere"]) == set()
}

# By a customer's prefix list.

_listed(sources, words, prohibitions) := told(decide(
	finding({}, [object.union(exposure("tcp 22", sources), {"prefix_list": "pl-0aaa"})]),
	{allowing("ssh", {"tcp": [22], "sources": words})},
	prohibitions,
))

test_allows_the_addresses_of_a_list_that_is_named if {
	_listed(["198.51.100.0/24", "unknown"], ["pl-0aaa"], set()) == {
		"allow tcp 22 from 198.51.100.0/24: ssh",
		"allow tcp 22 from unknown: ssh",
	}
}

test_allows_the_addresses_of_a_list_by_their_networks if {
	_listed(["203.0.113.64/26"], ["office"], set()) == _allowed("203.0.113.64/26")
}

test_denies_the_addresses_of_a_list_that_is_not_named if {
	_listed(["198.51.100.0/24"], ["office", "pl-0bbb"], set()) == _denied("198.51.100.0/24")
}

test_denies_the_addresses_of_a_list_beside_the_named_one if {
	_told("198.51.100.0/24", ["pl-0aaa"]) == _denied("198.51.100.0/24")
}

test_denies_the_addresses_of_a_list_that_is_forbidden if {
	_listed(["198.51.100.0/24"], ["pl-0aaa"], {forbidding("no-ssh", {"tcp": [22], "sources": ["pl-0aaa"]})}) == {
		"deny tcp 22 from 198.51.100.0/24: prohibited by no-ssh, nearest ssh",
	}
}

test_allows_the_addresses_of_a_list_that_is_excepted if {
	_listed(
		["198.51.100.0/24"],
		["pl-0aaa"],
		{forbidding("no-ssh", {"tcp": [22], "sources": ["anywhere"], "except": ["pl-0aaa"]})},
	) == _allowed("198.51.100.0/24")
}

# An allowance for all of IPv4 and one for all of IPv6: together they hold what no network names.
_by_families(source, expires) := told(decide(
	finding({}, [exposure("tcp 22", [source])]),
	{
		allowing("four", {"tcp": ["20-22"], "sources": ["0.0.0.0/0"], "expires": expires}),
		allowing("six", {"tcp": [22], "sources": ["::/0"]}),
	},
	set(),
))

test_allows_what_two_allowances_hold_together if {
	every source in ["sg-1", "222233334444/sg-1", "pl-1", "unknown"] {
		_by_families(source, "2027-06-30") == {sprintf("allow tcp 22 from %s: four, six", [source])}
	}
}

test_says_that_one_of_two_has_expired if {
	every source in ["sg-1", "pl-1", "unknown"] {
		_by_families(source, "2020-01-31") == {sprintf("deny tcp 22 from %s: expired, nearest four", [source])}
	}
}
