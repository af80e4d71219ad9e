package policy_tests.allow.private

import data.policy_tests.exposure
import data.policy_tests.finding
import data.policy_tests.now
import data.policy_tests.told
import data.policy_tests.verdict

_host := {"tags": {"Role": "container-host"}}

# What the gate says of ssh from these sources when the report itself is another one.
_reported(report, sources) := told(decision) if {
	decision := data.gate.decision with input as object.union(finding({}, [exposure("tcp 22", sources)]), report)
}

test_allows_private_networks_and_groups_beside_the_internet if {
	every source in ["sg-0b1b", "10.0.0.0/8", "172.16.5.0/24", "192.168.1.7/32", "fd00:db8::/32"] {
		verdict({}, "tcp 22", [source]) == {sprintf("allow tcp 22 from %s: inside", [source])}
		verdict({}, "udp 0-65535", [source]) == {sprintf("allow udp 0-65535 from %s: inside", [source])}
	}
}

test_allows_them_in_each_account_that_is_listed if {
	every account in ["111122223333", "444455556666"] {
		verdict({"account": account}, "udp 53", ["10.0.0.0/8"]) == {"allow udp 53 from 10.0.0.0/8: inside"}
	}
}

test_denies_everybody_else_beside_them if {
	verdict({}, "tcp 22", ["sg-0b1b", "0.0.0.0/0", "203.0.113.0/24", "unknown", "pl-1", "222233334444/sg-1"]) == {
		"allow tcp 22 from sg-0b1b: inside",
		"deny tcp 22 from 0.0.0.0/0: short, nearest inside",
		"deny tcp 22 from 203.0.113.0/24: short, nearest inside",
		"deny tcp 22 from unknown: short, nearest inside",
		"deny tcp 22 from pl-1: short, nearest inside",
		"deny tcp 22 from 222233334444/sg-1: short, nearest inside",
	}
}

test_denies_a_network_a_bit_wider if {
	verdict({}, "tcp 22", ["10.0.0.0/7", "sg-0b1b"]) == {
		"deny tcp 22 from 10.0.0.0/7: short, nearest inside",
		"allow tcp 22 from sg-0b1b: inside",
	}
}

test_says_nothing_of_a_finding_without_them if {
	every source in ["0.0.0.0/0", "unknown", "pl-1", "11.0.0.0/8", "222233334444/sg-1", "2001:db8::/32"] {
		verdict({}, "tcp 22", [source]) == {sprintf("deny tcp 22 from %s: uncovered", [source])}
	}
}

test_denies_what_is_reached_from_a_peer_or_a_vpn if {
	every reach in ["peered_vpc", "vpn"] {
		_reported({"reach": reach}, ["10.0.0.0/8"]) == {"deny tcp 22 from 10.0.0.0/8: uncovered"}
	}
}

test_denies_when_the_report_does_not_say_how_it_is_reached if {
	_reported({"reach_known": false}, ["sg-0b1b"]) == {"deny tcp 22 from sg-0b1b: uncovered"}
}

test_denies_a_server_whose_tags_are_unknown if {
	verdict({"tags_known": false}, "tcp 22", ["sg-0b1b"]) == {"deny tcp 22 from sg-0b1b: uncovered"}
}

test_denies_another_account if {
	verdict({"account": "222233334444"}, "tcp 22", ["sg-0b1b"]) == {"deny tcp 22 from sg-0b1b: uncovered"}
	verdict(object.union(_host, {"account": "222233334444"}), "tcp 22", ["sg-0b1b"]) == {
		"deny tcp 22 from sg-0b1b: uncovered",
	}
}

test_allows_the_low_ports_of_a_container_host if {
	verdict(_host, "tcp 24-32767", ["10.0.0.0/8"]) == {"allow tcp 24-32767 from 10.0.0.0/8: inside-container-hosts"}
	verdict(_host, "udp 0-65535", ["sg-0b1b"]) == {"allow udp 0-65535 from sg-0b1b: inside-container-hosts"}
}

test_denies_the_high_ports_of_a_container_host_from_a_private_network if {
	verdict(_host, "tcp 32767-32768", ["10.0.0.0/8"]) == {
		"allow tcp 32767 from 10.0.0.0/8: inside-container-hosts",
		"deny tcp 32768 from 10.0.0.0/8: short, nearest inside-container-hosts",
	}
}

test_denies_remote_desktop_from_a_group_of_a_peer_but_not_from_inside if {
	verdict({}, "tcp 3389", ["10.0.0.0/8", "222233334444/sg-1"]) == {
		"allow tcp 3389 from 10.0.0.0/8: inside",
		"deny tcp 3389 from 222233334444/sg-1: prohibited by no-remote-desktop-from-outside, nearest inside",
	}
}

test_denies_after_the_last_day if {
	verdict({}, "tcp 22", ["sg-0b1b"]) == {"deny tcp 22 from sg-0b1b: expired, nearest inside"}
		with now as "2027-07-01T00:00:00Z"
	verdict(_host, "tcp 22", ["sg-0b1b"]) == {"deny tcp 22 from sg-0b1b: expired, nearest inside-container-hosts"}
		with now as "2027-07-01T00:00:00Z"
}
