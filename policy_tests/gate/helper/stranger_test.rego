# METADATA
# description: |
#   No allowance applies to a server of which nothing is known, so that a negation or an `every` over an absent field
#   cannot pass for consent. It looks at every allowance, of rules and of rows, also at those that are added later. One
#   that says `"everywhere": true` means what it says.
package policy_tests.stranger

test_no_allowance_applies_to_a_stranger if {
	print("these allowances apply to a server of which nothing is known:", applying)
	applying == set()
}

# The allowances that apply, by their ids, each with the strangers to which it does.
applying contains [id, name] if {
	some name, finding in _findings
	allowances := data.gate.allowance with input as finding
	some allowance in allowances
	not allowance.everywhere == true
	id := object.get(_object(allowance), "id", "unnamed")
}

_object(value) := value if is_object(value)

else := {}

_findings := object.union(
	{
		"nothing at all": {},
		"a report without a server": object.remove(_finding({}), ["server"]),
	},
	{name: _finding(server) | some name, server in _servers},
)

_servers := {
	"a server without any field": {},
	"a server with empty fields": {
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
	},
	"a server with empty tags": {
		"name": "",
		"account": "",
		"tags": {"Name": "", "Role": "", "portcullis:allow": "", "": ""},
	},
	"a strange server in an account on no list": {
		"kind": "instance",
		"id": "i-0aaa",
		"name": "stranger",
		"tags": {"Name": "stranger", "Environment": "prod"},
		"tags_known": true,
		"account": "000000000000",
		"region": "eu-west-1",
	},
	"a security group in an account on no list": {
		"kind": "security_group",
		"id": "sg-0aaa",
		"tags": {},
		"tags_known": false,
		"account": "000000000000",
		"region": "eu-west-1",
	},
}

_finding(server) := {
	"id": "finding-1",
	"now": "2026-11-24T06:12:00Z",
	"reach": "internet",
	"reach_known": true,
	"server": server,
	"exposures": [{
		"protocol": "tcp",
		"from_port": 0,
		"to_port": 65535,
		"sources": ["0.0.0.0/0", "10.0.0.0/8", "203.0.113.0/24", "sg-0bbb", "pl-0bbb", "unknown"],
		"load_balancer": "app/web/50dc",
	}],
	"listeners": [{
		"protocol": "tcp",
		"port": 40000,
		"task": "web:1",
		"target_group": "web",
		"load_balancer": "app/web/50dc",
	}],
}
