# METADATA
# description: |
#   No allowance applies to a server of which nothing is known, so that a negation or an `every` over an absent field
#   cannot pass for consent. It looks at every allowance, of rules and of rows, also at those that are added later. One
#   that says `"everywhere": true` means what it says.
package policy_tests.stranger

_applies_to(server) if {
	_applies({
		"id": "finding-1",
		"now": "2026-11-24T06:12:00Z",
		"reach": "internet",
		"reach_known": true,
		"server": server,
		"exposures": _exposures,
		"listeners": _listeners,
	})
}

_applies(finding) if {
	allowances := data.gate.allowance with input as finding
	some allowance in allowances
	not allowance.everywhere == true
	print("this allowance applies to a server of which nothing is known:", allowance)
}

_exposures := [{
	"protocol": "tcp",
	"from_port": 0,
	"to_port": 65535,
	"sources": ["0.0.0.0/0", "10.0.0.0/8", "203.0.113.0/24", "sg-0bbb", "pl-0bbb", "unknown"],
	"load_balancer": "app/web/50dc",
}]

_listeners := [{"protocol": "tcp", "port": 40000, "task": "web:1", "target_group": "web", "load_balancer": "app/web/50dc"}]

test_no_allowance_for_a_server_without_any_field if not _applies_to({})

test_no_allowance_without_a_server if {
	not _applies({"id": "finding-1", "reach": "internet", "reach_known": true, "exposures": _exposures})
}

test_no_allowance_without_a_finding if not _applies({})

test_no_allowance_for_a_server_with_empty_fields if {
	not _applies_to({
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
	})
}

test_no_allowance_for_a_server_with_empty_tags if {
	not _applies_to({"name": "", "account": "", "tags": {"Name": "", "Role": "", "portcullis:allow": "", "": ""}})
}

test_no_allowance_for_a_server_with_null_fields if {
	not _applies_to({"kind": null, "id": null, "name": null, "tags": null, "account": null, "region": null})
}

test_no_allowance_for_a_strange_server_in_an_account_on_no_list if {
	not _applies_to({
		"kind": "instance",
		"id": "i-0aaa",
		"name": "stranger",
		"tags": {"Name": "stranger", "Environment": "prod"},
		"tags_known": true,
		"account": "000000000000",
		"region": "eu-west-1",
	})
}

test_no_allowance_for_a_security_group_in_an_account_on_no_list if {
	not _applies_to({
		"kind": "security_group",
		"id": "sg-0aaa",
		"tags": {},
		"tags_known": false,
		"account": "000000000000",
		"region": "eu-west-1",
	})
}
