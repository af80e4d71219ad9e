package policy_tests.allow.containers

import data.policy_tests.now
import data.policy_tests.verdict

_host := {"tags": {"Role": "container-host"}}

test_allows_dynamic_ports_from_a_load_balancers_group if {
	verdict(_host, "tcp 32768-60999", ["sg-0b1b"]) == {"allow tcp 32768-60999 from sg-0b1b: container-hosts"}
}

test_allows_one_dynamic_port_from_a_private_network if {
	verdict(_host, "tcp 32771", ["10.20.0.0/16"]) == {"allow tcp 32771 from 10.20.0.0/16: container-hosts"}
}

test_denies_dynamic_ports_from_anywhere if {
	verdict(_host, "tcp 32768-60999", ["0.0.0.0/0"]) == {
		"deny tcp 32768-60999 from 0.0.0.0/0: short, nearest container-hosts",
	}
}

test_denies_a_group_of_another_account if {
	verdict(_host, "tcp 32771", ["222233334444/sg-0b1b"]) == {
		"deny tcp 32771 from 222233334444/sg-0b1b: short, nearest container-hosts",
	}
}

test_denies_the_ports_around_the_dynamic_ones if {
	verdict(_host, "tcp 32000-61000", ["10.0.0.0/8"]) == {
		"deny tcp 32000-32767 from 10.0.0.0/8: short, nearest container-hosts",
		"allow tcp 32768-60999 from 10.0.0.0/8: container-hosts",
		"deny tcp 61000 from 10.0.0.0/8: short, nearest container-hosts",
	}
}

test_denies_udp if {
	verdict(_host, "udp 32771", ["10.0.0.0/8"]) == {"deny udp 32771 from 10.0.0.0/8: uncovered"}
}

test_denies_another_role if {
	verdict({"tags": {"Role": "container"}}, "tcp 32771", ["10.0.0.0/8"]) == {
		"deny tcp 32771 from 10.0.0.0/8: uncovered",
	}
}

test_denies_another_account if {
	verdict(object.union(_host, {"account": "222233334444"}), "tcp 32771", ["10.0.0.0/8"]) == {
		"deny tcp 32771 from 10.0.0.0/8: uncovered",
	}
}

test_denies_after_the_last_day if {
	verdict(_host, "tcp 32771", ["10.0.0.0/8"]) == {"deny tcp 32771 from 10.0.0.0/8: expired, nearest container-hosts"}
		with now as "2027-07-01T00:00:00Z"
}
