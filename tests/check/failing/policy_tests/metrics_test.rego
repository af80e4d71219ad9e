package policy_tests.metrics

import data.policy_tests.verdict

test_denies_metrics_from_a_group if {
	verdict({}, "tcp 9000", ["sg-0bbb"]) == {"deny tcp 9000 from sg-0bbb: uncovered"}
}
