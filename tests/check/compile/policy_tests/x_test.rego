package policy_tests.x

import data.policy_tests.verdict

test_x if verdict({}, "tcp 22") == set()

test_y if verdit({}, "tcp 22", []) == set()
