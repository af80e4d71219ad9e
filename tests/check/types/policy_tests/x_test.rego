package policy_tests.x

import data.policy_tests.verdict

test_x if verdict({}, "tcp 22", []).nothing == 1 + "x"
