package policy_tests.forbid.telnet

import data.policy_tests.everything
import data.policy_tests.verdict

# `everything` is an allowance for every port from anywhere.
test_denies_telnet_whatever_is_allowed if {
	verdict({}, "tcp 22-24", ["0.0.0.0/0"]) == {
		"allow tcp 22 from 0.0.0.0/0: everything",
		"deny tcp 23 from 0.0.0.0/0: prohibited by no-telnet, nearest everything",
		"allow tcp 24 from 0.0.0.0/0: everything",
	}
		with data.allow.allowance as {everything}
}
