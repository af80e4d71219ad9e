package policy_tests.unread

import data.policy_tests.verdict

tset_denies_ssh if {
	verdict({}, "tcp 22", ["0.0.0.0/0"]) == _denied
}

tests_ssh_from_the_office if {
	verdict({}, "tcp 22", ["203.0.113.9/32"]) == {"allow tcp 22 from 203.0.113.9/32: x"}
}

_denied := {"deny tcp 22 from 0.0.0.0/0: uncovered"}

server := {"account": "444455556666"}

test_denies_ssh_in_another_account if {
	verdict(server, "tcp 22", ["0.0.0.0/0"]) == _denied
}
