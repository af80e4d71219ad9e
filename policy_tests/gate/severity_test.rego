# METADATA
# description: How bad each denied range is, and that the worst of them counts.
package policy_tests.gate.severity

import data.policy_tests.decide
import data.policy_tests.everything
import data.policy_tests.exposure
import data.policy_tests.finding

_listed := {"administrative": {"tcp": [22], "udp": [161]}}

_severity(exposures, allowances) := severity if {
	severity := decide(finding({}, exposures), allowances, set()).severity with data.policy_tests.ports as _listed
}

# The severity of each denied range, where these ports are listed.
_severities(exposures, ports) := [entry.severity | some entry in decision.denied] if {
	decision := decide(finding({}, exposures), set(), set()) with data.policy_tests.ports as ports
}

test_critical_for_an_administrative_port_from_anywhere_or_unknown if {
	every source in ["0.0.0.0/0", "::/0", "unknown"] {
		_severity([exposure("tcp 22", [source])], set()) == "critical"
		_severity([exposure("tcp 20-25", [source])], set()) == "critical"
		_severity([exposure("udp 161", [source])], set()) == "critical"
	}
}

test_critical_for_every_port_from_anywhere if {
	_severity([exposure("udp 0-65535", ["0.0.0.0/0"])], set()) == "critical"
}

test_high_for_nearly_every_port_from_anywhere if {
	_severity([exposure("udp 162-65535", ["0.0.0.0/0"])], set()) == "high"
	_severity([exposure("udp 0-160", ["0.0.0.0/0"])], set()) == "high"
}

test_high_for_any_other_port_from_anywhere_or_unknown if {
	every source in ["0.0.0.0/0", "::/0", "unknown"] {
		_severity([exposure("tcp 443", [source])], set()) == "high"
		_severity([exposure("udp 22", [source])], set()) == "high"
	}
}

test_medium_from_any_narrower_source if {
	every source in ["203.0.113.0/24", "10.0.0.0/8", "0.0.0.0/1", "sg-0b1b", "pl-0c1c"] {
		_severity([exposure("tcp 22", [source])], set()) == "medium"
	}
}

test_the_worst_counts if {
	https := exposure("tcp 443", ["10.0.0.0/8", "0.0.0.0/0"])
	_severity([https, exposure("tcp 22", ["10.0.0.0/8", "unknown"])], set()) == "critical"
	_severity([https, exposure("tcp 22", ["10.0.0.0/8"])], set()) == "high"
}

test_what_is_allowed_does_not_count if {
	ssh := object.union(object.remove(everything, ["udp"]), {"tcp": [22]})
	_severity([exposure("tcp 22", ["0.0.0.0/0"])], {ssh}) == "none"
	_severity([exposure("tcp 22", ["0.0.0.0/0"]), exposure("tcp 443", ["10.0.0.0/8"])], {ssh}) == "medium"
}

test_high_when_it_cannot_be_judged if {
	_severity([], {everything}) == "high"
	_severity([exposure("tcp 443-80", ["10.0.0.0/8"])], {everything}) == "high"
	_severity([exposure("tcp 22", ["unknown"]), exposure("tcp 443-80", ["10.0.0.0/8"])], set()) == "critical"
}

test_every_range_has_its_own if {
	exposures := [
		exposure("tcp 22", ["0.0.0.0/0", "10.0.0.0/8"]),
		exposure("tcp 443", ["unknown"]),
		exposure("udp 0-65535", ["::/0"]),
	]
	_severities(exposures, _listed) == ["critical", "medium", "high", "critical"]
}

test_a_list_takes_the_place_of_the_engines_for_its_protocol if {
	exposures := [exposure("tcp 22", ["0.0.0.0/0"]), exposure("tcp 80", ["0.0.0.0/0"]), exposure("udp 161", ["::/0"])]
	every ports in [{}, {"administrative": {}}, {"administrative": {"tcp": "80"}}, {"administrative": [80]}, null] {
		_severities(exposures, ports) == ["critical", "high", "critical"]
	}
	_severities(exposures, {"administrative": {"tcp": [80]}}) == ["high", "critical", "critical"]
	_severities(exposures, {"administrative": {"tcp": [], "udp": []}}) == ["high", "high", "high"]
}

test_each_port_that_administers_a_server_is_critical if {
	every protocol, listed in data.gate.administrative_ports {
		every port in listed {
			_severities([exposure(sprintf("%s %d", [protocol, port]), ["unknown"])], {}) == ["critical"]
		}
	}
}
