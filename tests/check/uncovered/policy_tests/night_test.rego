package policy_tests.night

import data.policy_tests.verdict

test_allows if verdict({}, "tcp 443", ["203.0.113.0/24"]) == {"allow tcp 443 from 203.0.113.0/24: tested"}

_checks_what_nobody_asks if verdict({"id": "i-0abc"}, "tcp 8443", ["198.51.100.7/32"]) == set()
