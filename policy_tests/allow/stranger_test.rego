# METADATA
# description: |
#   No allowance applies to a server of which nothing is known, so that a negation or an `every` over an absent field
#   cannot pass for consent. It looks at every allowance, also at those that are added later.
package policy_tests.allow.stranger

_applying(server) := allowances if {
	allowances := data.allow.allowance with input as {
		"id": "finding-1",
		"now": "2026-11-24T06:12:00Z",
		"reach": "internet",
		"reach_known": true,
		"server": server,
		"exposures": _exposures,
		"listeners": _listeners,
	}
}

_exposures := [{
	"protocol": "tcp",
	"from_port": 0,
	"to_port": 65535,
	"sources": ["0.0.0.0/0", "10.0.0.0/8", "203.0.113.0/24", "sg-0bbb", "pl-0bbb", "unknown"],
	"load_balancer": "app/web/50dc",
}]

_listeners := [{"protocol": "tcp", "port": 40000, "task": "web:1", "target_group": "web", "load_balancer": "app/web/50dc"}]

test_no_allowance_for_a_server_without_any_field if _applying({}) == set()

test_no_allowance_without_a_server if {
	set() == data.allow.allowance with input as {
		"id": "finding-1",
		"reach": "internet",
		"reach_known": true,
		"exposures": _exposures,
	}
}

test_no_allowance_without_a_finding if {
	set() == data.allow.allowance with input as {}
}

test_no_allowance_for_a_server_with_empty_fields if {
	_applying({
		"kind": "",
		"id": "",
		"name": "",
		"tags": {},
		"tags_known": false,
		"account": "",
		"region": "",
		"vpc": "",
		"subnet": "",
		"security_groups": [],
		"platform": "",
	}) == set()
}

test_no_allowance_for_a_server_with_empty_tags if {
	_applying({"name": "", "account": "", "tags": {"Name": "", "Role": "", "portcullis:allow": "", "": ""}}) == set()
}

test_no_allowance_for_a_server_with_null_fields if {
	_applying({"kind": null, "id": null, "name": null, "tags": null, "account": null, "region": null}) == set()
}

test_no_allowance_for_a_strange_server_in_an_account_on_no_list if {
	_applying({
		"kind": "instance",
		"id": "i-0aaa",
		"name": "stranger",
		"tags": {"Name": "stranger", "Environment": "prod"},
		"tags_known": true,
		"account": "222233334444",
		"region": "eu-west-1",
	}) == set()
}

test_no_allowance_for_a_security_group_in_an_account_on_no_list if {
	_applying({
		"kind": "security_group",
		"id": "sg-0aaa",
		"tags": {},
		"tags_known": false,
		"account": "222233334444",
		"region": "eu-west-1",
	}) == set()
}
