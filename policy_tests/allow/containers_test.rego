package policy_tests.allow.containers

import data.policy_tests.exposure
import data.policy_tests.finding
import data.policy_tests.now
import data.policy_tests.told

_host := {"tags": {"Role": "container-host"}}

_listener := {
	"protocol": "tcp",
	"port": 32771,
	"task": "frontend:12",
	"target_group": "web",
	"load_balancer": "app/web/50dc",
}

# The port that a task has bound, reached through its load balancer by anybody.
_through := object.union(exposure("tcp 32770-32771", ["0.0.0.0/0"]), {"load_balancer": "app/web/50dc"})

# Ports to which the load balancer sends nothing, though its group is let in.
_rest := object.union(
	exposure("tcp 32772-65535", ["sg-0b1b"]),
	{"load_balancer": "app/web/50dc", "security_group": null, "rules": []},
)

_told(server, exposures) := told(decision) if {
	decision := data.gate.decision with input as object.union(finding(server, exposures), {"listeners": [_listener]})
}

test_allows_what_a_task_has_bound_behind_its_load_balancer if {
	_told(_host, [_through]) == {
		"deny tcp 32770 from 0.0.0.0/0: short, nearest container-tasks",
		"allow tcp 32771 from 0.0.0.0/0: container-tasks",
	}
}

test_denies_a_bound_port_around_its_load_balancer if {
	_told(_host, [exposure("tcp 32771", ["0.0.0.0/0"])]) == {
		"deny tcp 32771 from 0.0.0.0/0: short, nearest container-tasks",
	}
}

test_allows_the_load_balancers_group_alone if {
	_told(_host, [_rest]) == {"allow tcp 32772-65535 from sg-0b1b: container-hosts"}
	_told(_host, [_rest, exposure("tcp 49999", ["0.0.0.0/0"])]) == {
		"allow tcp 32772-65535 from sg-0b1b: container-hosts",
		"deny tcp 49999 from 0.0.0.0/0: short, nearest container-hosts",
	}
}

test_denies_every_group_where_another_is_let_in if {
	lines := _told(_host, [_rest, exposure("tcp 49999", ["sg-0e0e"])])
	count(lines) == 2
	every line in lines { startswith(line, "deny ") }
}

test_denies_another_role_or_account if {
	every server in [{"tags": {"Role": "container"}}, object.union(_host, {"account": "222233334444"})] {
		_told(server, [_through]) == {"deny tcp 32770-32771 from 0.0.0.0/0: uncovered"}
	}
}

test_denies_after_the_last_day if {
	_told(_host, [exposure("tcp 32771", ["0.0.0.0/0"])]) == {
		"deny tcp 32771 from 0.0.0.0/0: short, nearest container-tasks",
	}
		with now as "2027-07-01T00:00:00Z"
	_told(_host, [object.union(_through, {"from_port": 32771})]) == {
		"deny tcp 32771 from 0.0.0.0/0: expired, nearest container-tasks",
	}
		with now as "2027-07-01T00:00:00Z"
}
