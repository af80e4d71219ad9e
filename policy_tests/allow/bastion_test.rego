package policy_tests.allow.bastion

import data.policy_tests.now
import data.policy_tests.verdict

_bastion := {"name": "bastion-01", "tags": {"Role": "bastion"}}

test_allows_ssh_from_the_office if {
	verdict(_bastion, "tcp 22", ["203.0.113.0/24", "2001:db8:ff1::/48"]) == {
		"allow tcp 22 from 203.0.113.0/24: bastion-ssh",
		"allow tcp 22 from 2001:db8:ff1::/48: bastion-ssh",
	}
}

test_allows_ssh_from_one_address_of_the_office if {
	verdict(_bastion, "tcp 22", ["203.0.113.77/32"]) == {"allow tcp 22 from 203.0.113.77/32: bastion-ssh"}
}

test_denies_ssh_from_anywhere_beside_the_office if {
	verdict(_bastion, "tcp 22", ["203.0.113.0/24", "0.0.0.0/0"]) == {
		"allow tcp 22 from 203.0.113.0/24: bastion-ssh",
		"deny tcp 22 from 0.0.0.0/0: short, nearest bastion-ssh",
	}
}

test_denies_ssh_from_a_network_a_bit_wider_than_the_office if {
	verdict(_bastion, "tcp 22", ["203.0.112.0/23"]) == {"deny tcp 22 from 203.0.112.0/23: short, nearest bastion-ssh"}
}

test_denies_ssh_from_an_unknown_address if {
	verdict(_bastion, "tcp 22", ["unknown"]) == {"deny tcp 22 from unknown: short, nearest bastion-ssh"}
}

test_denies_another_port if {
	verdict(_bastion, "tcp 21-22", ["203.0.113.0/24"]) == {
		"deny tcp 21 from 203.0.113.0/24: short, nearest bastion-ssh",
		"allow tcp 22 from 203.0.113.0/24: bastion-ssh",
	}
}

test_denies_another_role if {
	verdict({"tags": {"Role": "bastion2"}}, "tcp 22", ["203.0.113.0/24"]) == {
		"deny tcp 22 from 203.0.113.0/24: uncovered",
	}
}

test_denies_another_account if {
	verdict(object.union(_bastion, {"account": "222233334444"}), "tcp 22", ["203.0.113.0/24"]) == {
		"deny tcp 22 from 203.0.113.0/24: uncovered",
	}
}

test_denies_after_the_last_day if {
	verdict(_bastion, "tcp 22", ["203.0.113.0/24"]) == {"deny tcp 22 from 203.0.113.0/24: expired, nearest bastion-ssh"}
		with now as "2027-02-01T00:00:00Z"
}
