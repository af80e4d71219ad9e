# METADATA
# description: An allowance with `declared_in` covers what the server's own tag declares, within its ports.
package policy_tests.gate.declared

import data.policy_tests.allowing
import data.policy_tests.decide
import data.policy_tests.exposure
import data.policy_tests.finding
import data.policy_tests.forbidding
import data.policy_tests.told

_ceiling := allowing("declared", {
	"tcp": [443, "8000-8100"],
	"udp": [1194],
	"declared_in": "ports",
	"sources": ["anywhere"],
})

_told(tags, ports) := told(_decision(tags, ports))

_decision(tags, ports) := decide(finding({"tags": tags}, [exposure(ports, ["0.0.0.0/0"])]), {_ceiling}, set())

test_allows_each_kind_of_word if {
	tags := {"ports": "tcp/443 udp/1194  tcp/8000-8010\ttcp/8011"}
	_told(tags, "tcp 443") == {"allow tcp 443 from 0.0.0.0/0: declared"}
	_told(tags, "udp 1194") == {"allow udp 1194 from 0.0.0.0/0: declared"}
	_told(tags, "tcp 8000-8012") == {
		"allow tcp 8000-8011 from 0.0.0.0/0: declared",
		"deny tcp 8012 from 0.0.0.0/0: short, nearest declared",
	}
}

test_allows_no_more_than_the_ceiling if {
	_told({"ports": "tcp/0-65535"}, "tcp 7999-8101") == {
		"deny tcp 7999 from 0.0.0.0/0: short, nearest declared",
		"allow tcp 8000-8100 from 0.0.0.0/0: declared",
		"deny tcp 8101 from 0.0.0.0/0: short, nearest declared",
	}
}

test_leaves_other_allowances_as_they_are if {
	other := allowing("other", {"tcp": [22], "sources": ["anywhere"]})
	found := finding({"tags": {"ports": "tcp/443"}}, [exposure("tcp 22", ["0.0.0.0/0"]), exposure("tcp 443", ["::/0"])])
	told(decide(found, {_ceiling, other}, set())) == {
		"allow tcp 22 from 0.0.0.0/0: other",
		"allow tcp 443 from ::/0: declared",
	}
}

test_denies_and_names_each_unreadable_word if {
	every word in [
		"443", "tcp", "tcp/", "tcp/x", "tcp/443,", "TCP/443", "tcp:443", "icmp/8", "tcp/-1", "tcp/+443", "tcp/0443",
		"tcp/65536", "tcp/444-443", "tcp/1-2-3", "tcp/443.0", "tcp/1e3", "tcp/99999999999999999999", "/443", "tcp//443",
	] {
		_told({"ports": word}, "tcp 443") == {
			"deny tcp 443 from 0.0.0.0/0: short, nearest declared",
			sprintf("problem with tag ports: %s", [word]),
		}
	}
}

test_says_what_is_wrong_with_a_word if {
	_decision({"ports": "tcp/443 8443"}, "tcp 443").problems == [{
		"kind": "tag",
		"id": "ports",
		"field": "8443",
		"problem": "'8443' is not like tcp/443 or udp/8000-8100, so it declares nothing",
	}]
}

test_denies_when_the_tag_is_absent_empty_or_no_text if {
	every tags in [
		{}, {"ports": ""}, {"ports": " "}, {"Ports": "tcp/443"},
		{"ports": ["tcp/443"]}, {"ports": null}, null, "tcp/443",
	] {
		_told(tags, "tcp 443") == {"deny tcp 443 from 0.0.0.0/0: short, nearest declared"}
	}
}

test_says_that_nothing_is_declared if {
	[entry.reason | some entry in _decision({}, "tcp 443").denied] == [concat("", [
		"declared allows tcp ports that its tag declares (none is known) from anywhere; ",
		"443 is not among them",
	])]
}

test_denies_a_protocol_without_ceiling if {
	ceiling := object.remove(_ceiling, ["udp"])
	found := finding({"tags": {"ports": "udp/1194"}}, [exposure("udp 1194", ["0.0.0.0/0"])])
	told(decide(found, {ceiling}, set())) == {"deny udp 1194 from 0.0.0.0/0: uncovered"}
}

test_denies_what_is_prohibited_and_declared if {
	found := finding({"tags": {"ports": "tcp/443"}}, [exposure("tcp 443", ["0.0.0.0/0"])])
	told(decide(found, {_ceiling}, {forbidding("no", {"tcp": [443], "sources": ["anywhere"]})})) == {
		"deny tcp 443 from 0.0.0.0/0: prohibited by no, nearest declared",
	}
}

test_denies_a_prohibition_that_would_read_a_tag if {
	stop := forbidding("no", {"tcp": [443], "sources": ["anywhere"], "declared_in": "ports"})
	found := finding({"tags": {"ports": "tcp/443"}}, [exposure("tcp 443", ["0.0.0.0/0"])])
	told(decide(found, {_ceiling}, {stop})) == {
		"deny tcp 443 from 0.0.0.0/0: prohibited by no, nearest declared",
		"problem with prohibition no: declared_in",
	}
}
