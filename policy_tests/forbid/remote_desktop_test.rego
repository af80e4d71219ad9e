package policy_tests.forbid.remote_desktop

import data.policy_tests.everything
import data.policy_tests.exposure
import data.policy_tests.finding
import data.policy_tests.told
import data.policy_tests.verdict

test_denies_remote_desktop_from_outside if {
	every source in ["0.0.0.0/0", "::/0", "198.51.100.7/32", "pl-0c1c", "222233334444/sg-0b1b", "unknown"] {
		verdict({}, "tcp 3389", [source]) == {
			sprintf("deny tcp 3389 from %s: prohibited by no-remote-desktop-from-outside, nearest everything", [source]),
		}
			with data.allow.allowance as {everything}
	}
}

test_denies_remote_desktop_over_udp if {
	verdict({}, "udp 3389", ["0.0.0.0/0"]) == {
		"deny udp 3389 from 0.0.0.0/0: prohibited by no-remote-desktop-from-outside, nearest everything",
	}
		with data.allow.allowance as {everything}
}

test_denies_a_network_that_is_only_partly_the_office if {
	verdict({}, "tcp 3389", ["203.0.112.0/23"]) == {
		"deny tcp 3389 from 203.0.112.0/23: prohibited by no-remote-desktop-from-outside, nearest everything",
	}
		with data.allow.allowance as {everything}
}

test_allows_remote_desktop_from_the_office_and_private_networks if {
	every source in ["203.0.113.0/24", "2001:db8:ff1::1/128", "10.1.0.0/16", "fc00::/8", "sg-0b1b"] {
		verdict({}, "tcp 3389", [source]) == {sprintf("allow tcp 3389 from %s: everything", [source])}
			with data.allow.allowance as {everything}
	}
}

test_allows_the_ports_beside_it if {
	verdict({}, "tcp 3388-3390", ["0.0.0.0/0"]) == {
		"allow tcp 3388 from 0.0.0.0/0: everything",
		"deny tcp 3389 from 0.0.0.0/0: prohibited by no-remote-desktop-from-outside, nearest everything",
		"allow tcp 3390 from 0.0.0.0/0: everything",
	}
		with data.allow.allowance as {everything}
}

test_allows_what_is_reached_over_the_vpn_only if {
	decision := data.gate.decision with data.allow.allowance as {everything}
		with input as object.union(finding({}, [exposure("tcp 3389", ["0.0.0.0/0"])]), {"reach": "vpn"})
	told(decision) == {"allow tcp 3389 from 0.0.0.0/0: everything"}
}
