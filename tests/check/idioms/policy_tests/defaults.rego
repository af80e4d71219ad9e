package policy_tests.defaults

account := "111122223333"

server := {"region": "eu-central-1"}
