# METADATA
# title: What the tests of a policy need
# description: |
#   `verdict(server, ports, sources)` is what the gate says about those ports of that server, one line for each port
#   range and source, such as
#
#       allow tcp 443 from 0.0.0.0/0: web-https
#       deny tcp 81-442 from 0.0.0.0/0: short, nearest web-https
#       deny tcp 23 from 0.0.0.0/0: prohibited by no-telnet
#
#   Of the server only what matters has to be given. The rest is an instance without name or tags, in the account of
#   policy_tests/defaults.rego (package policy_tests.defaults: `account`, and `server` with any other fields). Of a test
#   that fails, OPA prints what was assumed of the server and what the gate says. A test of another day replaces `now`.
package policy_tests

now := "2026-11-24T06:12:00Z"

verdict(server, ports, sources) := told(decision) if {
	decision := data.gate.decision with input as finding(server, [exposure(ports, sources)])
} else := {line} if {
	not exposure(ports, sources)
	line := sprintf("nothing, since %v names no ports; write them like tcp 443 or udp 8000-8100", [ports])
	print(concat("\n  ", ["the gate says:", line]))
}

finding(server, exposures) := {
	"id": "finding-1",
	"reporters": [],
	"now": now,
	"reach": "internet",
	"reach_known": true,
	"server": object.union(assumed, server),
	"exposures": exposures,
} if {
	assumed := object.remove(_assumed, object.keys(server))
	_print_assumed(assumed, server)
}

# What is assumed of a server, where the test does not say it.
_assumed := object.union_n([
	{"kind": "instance", "id": "i-0aaa", "tags": {}, "tags_known": true, "region": "eu-west-1"},
	_defaults,
])

_defaults := object.union_n(array.concat(
	[server | server := data.policy_tests.defaults.server],
	[{"account": account} | account := data.policy_tests.defaults.account],
))

_print_assumed(assumed, server) if {
	fields := ({"id", "region"} | object.keys(_defaults)) & object.keys(assumed)
	values := concat(", ", [sprintf("%s %v", [field, assumed[field]]) | some field in fields])
	origin := concat("", {" (policy_tests/defaults.rego)" | some field in fields; field in object.keys(_defaults)})
	account := ["no account, since policy_tests/defaults.rego names none" |
		not "account" in (object.keys(assumed) | object.keys(server))
	]
	_print_line("assumed: ", concat("; ", array.concat([concat("", [values, origin]) | values != ""], account)))
}

_print_line(_, "")

_print_line(label, text) if {
	text != ""
	print(concat("", [label, text]))
}

# Ports are given as "tcp 443" or "udp 8000-8100".
exposure(ports, sources) := {
	"protocol": protocol,
	"from_port": ends[0],
	"to_port": ends[count(ends) - 1],
	"sources": sources,
	"security_group": "sg-0aaa",
	"rules": ["sgr-0aaa"],
} if {
	[protocol, range] := split(ports, " ")
	ends := [to_number(end) | some end in split(range, "-")]
}

# The decision on a finding when these are all the allowances and prohibitions that apply to it, with networks and
# ports of its own, so that no edit of a team changes it. Both entrypoints of the gate have to say the same, or there is none.
decide(value, allowances, prohibitions) := decision if {
	decision := data.gate.decision with input as value
		with data.allow.allowance as allowances
		with data.servers as {}
		with data.forbid.prohibition as prohibitions
		with data.networks as networks
		with data.ports as ports
	[decision] == data.gate.batch.decisions with input as {"findings": [value]}
		with data.allow.allowance as allowances
		with data.servers as {}
		with data.forbid.prohibition as prohibitions
		with data.networks as networks
		with data.ports as ports
}

networks := {
	"anywhere": ["0.0.0.0/0", "::/0"],
	"office": ["203.0.113.0/24"],
	"private": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "sg-*"],
}

ports := {}

# An allowance and a prohibition of which only what matters has to be given.
allowing(id, terms) := object.union({"id": id, "owner": "netops", "reason": "Test", "expires": "2027-06-30"}, terms)

forbidding(id, terms) := object.union({"id": id, "reason": "Test"}, terms)

everything := allowing("everything", {"tcp": ["0-65535"], "udp": ["0-65535"], "sources": ["anywhere"]})

# The lines of a decision. An action that does not fit its entries is a line too, so no test can pass over it.
told(decision) := lines if {
	lines := union({
		{sprintf("allow %s: %s", [_spelled(entry), concat(", ", entry.by)]) | some entry in decision.allowed},
		{sprintf("deny %s: %s", [_spelled(entry), _why(entry)]) | some entry in decision.denied},
		{sprintf("problem with %s %v: %s", [found.kind, found.id, found.field]) | some found in decision.problems},
		{"cannot be judged" | decision.undecidable},
		{sprintf("but the action is %s", [decision.action]) | decision.action != _fitting_action(decision)},
	})
	print(concat("\n  ", array.concat(["the gate says:"], sort(lines))))
}

_fitting_action(decision) := "allow" if {
	decision.denied == []
	not decision.undecidable
} else := "deny"

_spelled(entry) := sprintf("%s %s from %s", [entry.protocol, range, entry.source]) if {
	range := concat("-", [sprintf("%d", [end]) | some end in sort({entry.from_port, entry.to_port})])
}

_why(entry) := concat("", [
	entry.cause,
	concat("", [sprintf(" by %s", [id]) | id := entry.prohibition; id != null]),
	concat("", [sprintf(", nearest %s", [id]) | id := entry.nearest; id != null]),
])
