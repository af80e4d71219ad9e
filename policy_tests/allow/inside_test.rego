package policy_tests.allow.inside

import data.policy_tests.now
import data.policy_tests.verdict

_host := {"tags": {"Role": "container-host"}}

test_allows_private_networks_and_groups_beside_the_internet if {
	every source in ["sg-0b1b", "10.0.0.0/8", "fd00:db8::/32"] {
		verdict({}, "tcp 22", [source]) == {sprintf("allow tcp 22 from %s: inside", [source])}
		verdict({}, "udp 0-65535", [source]) == {sprintf("allow udp 0-65535 from %s: inside", [source])}
	}
}

test_denies_everybody_else_beside_them if {
	verdict({}, "tcp 22", ["sg-0b1b", "0.0.0.0/0", "203.0.113.0/24", "unknown", "222233334444/sg-1"]) == {
		"allow tcp 22 from sg-0b1b: inside",
		"deny tcp 22 from 0.0.0.0/0: short, nearest inside",
		"deny tcp 22 from 203.0.113.0/24: short, nearest inside",
		"deny tcp 22 from unknown: short, nearest inside",
		"deny tcp 22 from 222233334444/sg-1: short, nearest inside",
	}
}

test_denies_a_server_whose_tags_are_unknown if {
	verdict({"tags_known": false}, "tcp 22", ["sg-0b1b"]) == {"deny tcp 22 from sg-0b1b: uncovered"}
}

test_denies_another_account if {
	every server in [{}, _host] {
		verdict(object.union(server, {"account": "222233334444"}), "tcp 22", ["sg-0b1b"]) == {
			"deny tcp 22 from sg-0b1b: uncovered",
		}
	}
}

test_allows_the_low_ports_of_a_container_host_only if {
	verdict(_host, "udp 0-65535", ["sg-0b1b"]) == {"allow udp 0-65535 from sg-0b1b: inside-container-hosts"}
	verdict(_host, "tcp 32767-32768", ["10.0.0.0/8"]) == {
		"allow tcp 32767 from 10.0.0.0/8: inside-container-hosts",
		"deny tcp 32768 from 10.0.0.0/8: short, nearest inside-container-hosts",
	}
}

test_denies_after_the_last_day if {
	verdict({}, "tcp 22", ["sg-0b1b"]) == {"deny tcp 22 from sg-0b1b: expired, nearest inside"}
		with now as "2027-07-01T00:00:00Z"
}
