package policy_tests.forbid.telnet

import data.policy_tests.everything
import data.policy_tests.verdict

test_denies_telnet_from_every_kind_of_source if {
	every source in ["0.0.0.0/0", "::/0", "203.0.113.9/32", "10.0.0.0/8", "sg-0b1b", "pl-0c1c", "unknown"] {
		verdict({}, "tcp 23", [source]) == {
			sprintf("deny tcp 23 from %s: prohibited by no-telnet, nearest everything", [source]),
		}
			with data.allow.allowance as {everything}
	}
}

test_denies_telnet_in_the_midst_of_what_is_allowed if {
	verdict({}, "tcp 22-24", ["0.0.0.0/0"]) == {
		"allow tcp 22 from 0.0.0.0/0: everything",
		"deny tcp 23 from 0.0.0.0/0: prohibited by no-telnet, nearest everything",
		"allow tcp 24 from 0.0.0.0/0: everything",
	}
		with data.allow.allowance as {everything}
}

test_allows_udp if {
	verdict({}, "udp 23", ["0.0.0.0/0"]) == {"allow udp 23 from 0.0.0.0/0: everything"}
		with data.allow.allowance as {everything}
}
