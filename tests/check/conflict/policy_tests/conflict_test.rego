package policy_tests.conflict

import data.policy_tests.verdict

test_passes if {
	verdict({"tags": {"Role": "web"}}, "tcp 443", ["203.0.113.0/24"]) == {"allow tcp 443 from 203.0.113.0/24: conflict"}
}

test_conflicts if {
	verdict({"tags": {"Role": "web", "Stage": "test"}}, "tcp 443", ["203.0.113.0/24"]) == set()
}
