package policy_tests.defaults

account := "111122223333"
