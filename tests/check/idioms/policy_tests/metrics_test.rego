package policy_tests.metrics

import data.policy_tests.verdict

test_allows_metrics if {
	verdict({"platform": "UBUNTU", "vpc": "vpc-0bbb"}, "tcp 9000", ["10.0.0.0/16"]) == {"allow tcp 9000 from 10.0.0.0/16: metrics"}
}

test_denies_metrics_from_an_unknown_address if count(verdict({}, "tcp 9000", ["unknown"])) == 1

test_denies_each if {
	every source in ["sg-0bbb", "pl-0bbb", "unknown"] {
		count(verdict({}, "tcp 9000", [source])) == 1
	}
}
