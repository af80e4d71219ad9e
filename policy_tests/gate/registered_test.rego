# METADATA
# description: A reading made when the folder was checked is taken while the statement and its networks are the same.
package policy_tests.gate.registered

import data.policy_tests.allowing
import data.policy_tests.decide
import data.policy_tests.everything
import data.policy_tests.exposure
import data.policy_tests.finding
import data.policy_tests.forbidding
import data.policy_tests.networks
import data.policy_tests.told

_ssh := allowing("ssh", {"tcp": [22], "sources": ["office"]})

_telnet := forbidding("no-telnet", {"tcp": [23], "sources": ["office"]})

_used := {"office": networks.office}

# The readings of other statements, for tcp 8022, so that a decision shows whether they are taken.
_permitting := reading if {
	reading := data.gate._allowance(object.union(_ssh, {"tcp": [8022]})) with data.networks as networks
}

_forbidding := reading if {
	reading := data.gate._prohibition(object.union(_telnet, {"tcp": [8022]})) with data.networks as networks
}

_finding := finding({}, [exposure("tcp 8022", ["203.0.113.9/32"])])

# What the gate says with an entry of the register: a statement, the networks that it named, and its reading.
_permitted(allowance, used) := told(decision) if {
	register := {"allowance": {"ssh": [allowance, used, _permitting]}}
	decision := decide(_finding, {_ssh}, set()) with data._portcullis.register as register
}

_forbidden(prohibition, used) := told(decision) if {
	register := {"prohibition": {"no-telnet": [prohibition, used, _forbidding]}}
	decision := decide(_finding, {everything}, {_telnet}) with data._portcullis.register as register
}

_read_anew(allowance, prohibition, used) if {
	_permitted(allowance, used) == {"deny tcp 8022 from 203.0.113.9/32: short, nearest ssh"}
	_forbidden(prohibition, used) == {"allow tcp 8022 from 203.0.113.9/32: everything"}
}

test_takes_the_reading_of_the_same_statement if {
	_permitted(_ssh, _used) == {"allow tcp 8022 from 203.0.113.9/32: ssh"}
	_forbidden(_telnet, _used) == {"deny tcp 8022 from 203.0.113.9/32: prohibited by no-telnet, nearest everything"}
}

test_reads_a_statement_anew_that_has_changed if {
	_read_anew(object.union(_ssh, {"owner": "other"}), object.union(_telnet, {"reason": "other"}), _used)
}

test_reads_a_statement_anew_whose_network_has_changed if {
	every used in [{"office": ["198.51.100.0/24"]}, {}, {"office": networks.office, "private": networks.private}] {
		_read_anew(_ssh, _telnet, used)
	}
}
