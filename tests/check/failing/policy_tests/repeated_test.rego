package policy_tests.repeated

test_repeated_key if {
	object.keys({1: "a", "1": "b", 1: "b"}) == {1, "1"}
}
