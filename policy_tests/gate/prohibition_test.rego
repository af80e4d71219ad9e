# METADATA
# description: A malformed prohibition denies everything that it applies to; an unreadable exception excepts nothing.
package policy_tests.gate.prohibition

import data.policy_tests.decide
import data.policy_tests.everything
import data.policy_tests.exposure
import data.policy_tests.finding
import data.policy_tests.forbidding
import data.policy_tests.told

_decision(stop) := decide(finding({}, [exposure("tcp 22", ["203.0.113.9/32"])]), {everything}, {stop})

_stop := forbidding("no", {"tcp": [23], "sources": ["anywhere"], "except": ["office"]})

# A malformed prohibition denies what it would not have forbidden, with a problem in each of these fields.
_denies(stop, id, fields) if {
	denied := sprintf("deny tcp 22 from 203.0.113.9/32: prohibited by %s, nearest everything", [id])
	told(_decision(stop)) == {denied} | {line |
		some field in fields
		line := sprintf("problem with prohibition %s: %s", [id, field])
	}
}

test_allows_what_a_well_formed_one_does_not_forbid if {
	keys := {"where_unknown": "allowed", "labels": {"ticket": "NET-12"}}
	told(_decision(object.union(_stop, keys))) == {"allow tcp 22 from 203.0.113.9/32: everything"}
	told(_decision(_stop)) == {"allow tcp 22 from 203.0.113.9/32: everything"}
}

test_denies_by_a_prohibition_that_lacks_a_field if {
	every field in ["reason", "sources", "tcp"] { _denies(object.remove(_stop, [field]), "no", {field}) }
	_denies(object.remove(_stop, ["id"]), "unnamed", {"id"})
}

test_denies_by_a_prohibition_with_a_malformed_field if {
	_denies(object.union(_stop, {"tcp": ["30-20"]}), "no", {"tcp"})
	_denies(object.union(_stop, {"udp": "53"}), "no", {"udp"})
	_denies(object.union(_stop, {"sources": ["nowhere"]}), "no", {"sources"})
	_denies(object.union(_stop, {"sources": []}), "no", {"sources"})
	_denies(object.union(_stop, {"reason": 7}), "no", {"reason"})
	_denies(object.union(_stop, {"id": ""}), "unnamed", {"id"})
	_denies(object.union(_stop, {"expires": "2027-06-30"}), "no", {"expires"})
	_denies(object.union(_stop, {"everywhere": true}), "no", {"everywhere"})
	every labels in [null, "ticket", {"ticket": 7}, {"ticket": " "}, {"": "x"}] {
		_denies(object.union(_stop, {"labels": labels}), "no", {"labels"})
	}
	every word in [true, "denied", "", null, ["allowed"]] {
		_denies(object.union(_stop, {"where_unknown": word}), "no", {"where_unknown"})
	}
}

test_forbids_by_a_prohibition_written_in_sets if {
	sets := {"tcp": {22, "23-25"}, "sources": {"private", "203.0.113.9/32"}, "except": set()}
	told(_decision(object.union(_stop, sets))) == {
		"deny tcp 22 from 203.0.113.9/32: prohibited by no, nearest everything",
	}
}

# An unknown address may be of any group, so only what excepts all groups excepts it from what names them.
test_asks_of_an_unknown_address_whether_groups_are_excepted if {
	stop := forbidding("no", {"tcp": [22], "sources": ["sg-*"]})
	unknown := finding({}, [exposure("tcp 22", ["unknown"])])
	told(decide(unknown, {everything}, {object.union(stop, {"except": ["sg-*"]})})) == {
		"allow tcp 22 from unknown: everything",
	}
	every words in [[], ["sg-0bbb"], ["office"]] {
		told(decide(unknown, {everything}, {object.union(stop, {"except": words})})) == {
			"deny tcp 22 from unknown: prohibited by no, nearest everything",
		}
	}
}

test_denies_by_what_is_no_prohibition if {
	every value in ["no", 7, null, [_stop]] { _denies(value, "unnamed", {""}) }
}

test_says_that_it_is_malformed if {
	[entry.reason | some entry in _decision(object.union(_stop, {"tcp": ["30-20"]})).denied] == [concat("", [
		"no forbids tcp 22 from 203.0.113.9/32: ",
		"it is malformed, so it denies everything that it applies to",
	])]
}

# What becomes of an address of the office when a prohibition excepts these words.
_excepting(words) := told(_decision(forbidding("no", {"tcp": [22], "sources": ["anywhere"], "except": words})))

test_allows_what_is_excepted if {
	every words in [["office"], {"office"}, ["203.0.113.9/32"], ["203.0.113.8/31", "private"]] {
		_excepting(words) == {"allow tcp 22 from 203.0.113.9/32: everything"}
	}
}

test_allows_what_is_excepted_beside_an_unreadable_word if {
	_excepting(["offcie", "office"]) == {
		"allow tcp 22 from 203.0.113.9/32: everything",
		"problem with prohibition no: except",
	}
}

test_denies_when_the_only_exception_cannot_be_read if {
	every words in [["offcie"], ["203.0.113.9/24"], [7], "office", {"office": true}, null, 7] {
		_excepting(words) == {
			"deny tcp 22 from 203.0.113.9/32: prohibited by no, nearest everything",
			"problem with prohibition no: except",
		}
	}
}

test_denies_when_nothing_is_excepted if {
	_excepting([]) == {"deny tcp 22 from 203.0.113.9/32: prohibited by no, nearest everything"}
}

test_denies_when_the_excepted_network_has_an_unreadable_member if {
	_excepting(["office"]) == {
		"deny tcp 22 from 203.0.113.9/32: prohibited by no, nearest everything",
		"problem with prohibition no: except",
	}
		with data.policy_tests.networks as {"anywhere": ["0.0.0.0/0", "::/0"], "office": ["203.0.113.0/24", "x"]}
}
