# METADATA
# description: An allowance with any malformed field covers nothing and is a problem that names the field.
package policy_tests.gate.allowance

import data.policy_tests.allowing
import data.policy_tests.decide
import data.policy_tests.everything
import data.policy_tests.exposure
import data.policy_tests.finding
import data.policy_tests.told

_decision(allowances) := decide(finding({}, [exposure("tcp 22", ["0.0.0.0/0"])]), allowances, set())

# A malformed allowance alone: denied as if it were not there, with a problem in each of these fields and nowhere else.
_refused(allowance, fields) if {
	told(_decision({allowance})) == {"deny tcp 22 from 0.0.0.0/0: uncovered"} | {line |
		some field in fields
		line := sprintf("problem with allowance everything: %s", [field])
	}
}

test_denies_by_an_allowance_that_lacks_a_field if {
	every field in ["owner", "reason", "expires", "sources"] { _refused(object.remove(everything, [field]), {field}) }
}

test_denies_by_an_allowance_without_id if {
	every allowance in [
		object.remove(everything, ["id"]),
		object.union(everything, {"id": " "}),
		object.union(everything, {"id": 7}),
	] {
		told(_decision({allowance})) == {"deny tcp 22 from 0.0.0.0/0: uncovered", "problem with allowance unnamed: id"}
	}
}

test_denies_by_an_allowance_without_ports if {
	_refused(object.remove(everything, ["tcp", "udp"]), {"tcp"})
}

test_denies_by_an_allowance_with_blank_or_wrongly_typed_text if {
	every field in ["owner", "reason"] {
		every value in ["", " ", null, 7, true, ["x"], {"x": "y"}] {
			_refused(object.union(everything, {field: value}), {field})
		}
	}
}

test_denies_by_an_allowance_with_an_unknown_field if {
	_refused(object.union(everything, {"source": ["anywhere"], "tpc": [22]}), {"source", "tpc"})
}

test_denies_by_an_allowance_with_a_date_that_is_none if {
	every expires in [
		"", "never", "2027-6-30", "2027-06-30 ", "2027-06-30T00:00:00Z", "30.06.2027", "2027-00-10", "2027-13-10",
		"2027-02-29", "2027-02-30", "2027-04-31", "2100-02-29", "0000-01-01", "10000-01-01", "２０２７-06-30",
		20270630, null, true, ["2027-06-30"], {"date": "2027-06-30"},
	] {
		_refused(object.union(everything, {"expires": expires}), {"expires"})
	}
}

test_allows_by_an_allowance_with_a_rare_date if {
	every expires in ["2028-02-29", "2400-02-29", "2027-12-31", "9999-12-31"] {
		told(_decision({object.union(everything, {"expires": expires})})) == {"allow tcp 22 from 0.0.0.0/0: everything"}
	}
}

test_denies_by_an_allowance_with_malformed_ports if {
	every ports in [
		[], set(), 22, "22", null, true, {"from": 22}, ["22"], [22.5], [-1], [65536], [true], [null], [[22]],
		["30-20"], ["22-"], ["-22"], ["+1-22"], ["1-65536"], ["01-22"], ["1-022"], ["1 - 22"], ["1-22 "], ["1-2-3"],
		["a-b"], ["1–22"], ["99999999999999999999-99999999999999999999"], [22, "x"],
	] {
		_refused(object.union(everything, {"tcp": ports}), {"tcp"})
		_refused(object.union(everything, {"udp": ports}), {"udp"})
	}
}

test_denies_by_an_allowance_with_malformed_sources if {
	every sources in [
		[], set(), "anywhere", null, true, {"anywhere": true}, ["nowhere"], ["anywhere", "nowhere"], [""], [7], [null],
		["203.0.113.1/24"], ["203.0.113.0/33"], ["::/129"], ["2001:db8::1/32"], ["203.0.113.0"], ["203.0.113.0/024"],
		["203.0.113.0/-1"], ["203.0.113.256/32"], ["203.0.113/24"], ["::ffff:203.0.113.0/120"], ["fe80::%eth0/64"],
		["::/00"], ["sg-"], ["sg_0b1b"], ["1234/sg-0b1b"], ["222233334444/sg-*"], ["pl-*"], ["unknown"],
	] {
		_refused(object.union(everything, {"sources": sources}), {"sources"})
	}
}

test_denies_by_an_allowance_whose_network_has_an_unreadable_member if {
	every network in [["0.0.0.0/0", "::/0", "203.0.113.1/24"], [], "0.0.0.0/0", {"a": "0.0.0.0/0"}, null, [7]] {
		_refused(everything, {"sources"}) with data.policy_tests.networks as {"anywhere": network}
	}
}

test_denies_by_an_allowance_with_a_malformed_key_of_a_tag if {
	every key in ["", " ", null, 7, ["portcullis:allow"]] {
		_refused(object.union(everything, {"declared_in": key}), {"declared_in"})
	}
}

test_allows_by_an_allowance_that_is_for_everywhere_or_has_labels if {
	every keys in [
		{"everywhere": true}, {"labels": {}}, {"labels": {"ticket": "NET-12"}}, {"labels": {"a b": "(x) é", "owner": "o"}},
		{"everywhere": true, "labels": {"ticket": "NET-12", "runbook": "https://example.com/?a=\"b\""}},
	] {
		told(_decision({object.union(everything, keys)})) == {"allow tcp 22 from 0.0.0.0/0: everything"}
		every broken in [{"udp": ["30-20"]}, {"tcp": [22, "x-y"]}] {
			_refused(object.union(object.union(everything, keys), broken), object.keys(broken))
		}
	}
}

test_denies_by_an_allowance_that_is_for_everywhere_by_another_word if {
	every value in [false, "true", 1, null, [true], {}] {
		_refused(object.union(everything, {"everywhere": value}), {"everywhere"})
	}
}

test_denies_by_an_allowance_with_malformed_labels if {
	every labels in _malformed_labels { _refused(object.union(everything, {"labels": labels}), {"labels"}) }
}

_malformed_labels := [
	null, "ticket", ["ticket"], 7, true, set(), {"ticket": 7}, {"ticket": ""}, {"ticket": " "}, {"": "x"}, {" ": "x"},
	{7: "x"}, {"ticket": null}, {"ticket": ["NET-12"]}, {"ticket": {"a": "b"}}, {"a": "b", "ticket": false},
]

test_denies_by_what_is_no_allowance if {
	every value in ["everything", 22, true, null, [everything], {}] {
		problems := {found | some found in _decision({value}).problems}
		told(_decision({value})) == {"deny tcp 22 from 0.0.0.0/0: uncovered"} | {line |
			some found in problems
			line := sprintf("problem with allowance unnamed: %s", [found.field])
		}
		count(problems) > 0
	}
}

test_names_every_malformed_field if {
	_refused(
		{"id": "everything", "tcp": ["30-20"], "sources": ["nowhere"], "owner": "", "expires": "2027-6-30", "ports": []},
		{"tcp", "sources", "owner", "reason", "expires", "ports"},
	)
}

test_says_what_is_wrong_with_each_field if {
	allowance := {
		"id": "old-vpn",
		"tcp": ["30-20"],
		"sources": ["nowhere"],
		"owner": "",
		"expires": "2027-6-30",
		"accounts": null,
		"everywhere": "yes",
		"labels": {"ticket": 7},
		"x": 1,
	}
	_decision({allowance}).problems == [{"kind": "allowance", "id": "old-vpn", "field": field, "problem": problem} |
		some [field, problem] in [
			["accounts", "is for rows of the table, and has to name lists of accounts/data.yaml, or any"],
			["everywhere", "'yes' is not true; an allowance for some servers leaves it out"],
			["expires", "'2027-6-30' is not a date like 2027-06-30"],
			["labels", "is not an object of text to text, of which none is blank"],
			["owner", "is missing, blank or not text"],
			["reason", "is missing, blank or not text"],
			["sources", "nowhere is no network of data.networks and no CIDR without host bits"],
			["tcp", `["30-20"] is no list of ports (0-65535) and ranges like "8000-8100"`],
			["x", "is not a key that is known here"],
		]
	]
}

test_allows_by_the_well_formed_beside_a_malformed_one if {
	malformed := object.union(everything, {"id": "malformed", "expires": "2027-6-30"})
	told(_decision({everything, malformed})) == {
		"allow tcp 22 from 0.0.0.0/0: everything",
		"problem with allowance malformed: expires",
	}
}

test_denies_what_a_malformed_one_would_have_completed if {
	halves := {
		allowing("lower", {"tcp": [22], "sources": ["0.0.0.0/1"]}),
		allowing("upper", {"tcp": [22], "sources": ["128.0.0.0/1"], "owner": ""}),
	}
	told(_decision(halves)) == {
		"deny tcp 22 from 0.0.0.0/0: short, nearest lower",
		"problem with allowance upper: owner",
	}
}

# A policy's own to_number keeps the text that it was given, and that is not always a number of JSON.
test_reads_numbers_that_are_none_of_json if {
	every text in ["0022", "+22", "22.", "2.2e1", "22.0"] {
		allowance := allowing("ssh", {"tcp": [to_number(text)], "sources": ["anywhere"]})
		told(_decision({allowance})) == {"allow tcp 22 from 0.0.0.0/0: ssh"}
	}
	_refused(object.union(everything, {"limit": to_number("0022")}), {"limit"})
}
