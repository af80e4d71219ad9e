package policy_tests.allow.containers

import data.policy_tests.exposure
import data.policy_tests.finding
import data.policy_tests.now
import data.policy_tests.told
import data.policy_tests.verdict

_host := {"tags": {"Role": "container-host"}}

# What the gate says of ports of a server that are reached through a load balancer, behind which a task has bound 32771.
_through(server, ports, sources) := _found(server, [_leading(ports, sources)])

_leading(ports, sources) := object.union(exposure(ports, sources), {"load_balancer": "app/web/50dc"})

# An exposure to the groups of a load balancer, on ports to which it sends nothing.
_sends_nothing(ports, groups) := object.union(
	_leading(ports, groups),
	{"security_group": null, "rules": []},
)

_found(server, exposures) := _reported({}, server, exposures)

_reported(report, server, exposures) := told(decision) if {
	decision := data.gate.decision with input as object.union(
		object.union(finding(server, exposures), report),
		{"listeners": [{
			"protocol": "tcp",
			"port": 32771,
			"task": "frontend:12",
			"target_group": "web",
			"load_balancer": "app/web/50dc",
		}]},
	)
}

test_allows_a_bound_port_through_its_load_balancer if {
	_through(_host, "tcp 32771", ["0.0.0.0/0", "::/0"]) == {
		"allow tcp 32771 from 0.0.0.0/0: container-tasks",
		"allow tcp 32771 from ::/0: container-tasks",
	}
}

test_denies_a_port_that_no_task_has_bound if {
	_through(_host, "tcp 32770-32771", ["0.0.0.0/0"]) == {
		"deny tcp 32770 from 0.0.0.0/0: short, nearest container-tasks",
		"allow tcp 32771 from 0.0.0.0/0: container-tasks",
	}
}

test_denies_a_bound_port_around_its_load_balancer if {
	every source in ["0.0.0.0/0", "203.0.113.0/24"] {
		_found(_host, [exposure("tcp 32771", [source])]) == {
			sprintf("deny tcp 32771 from %s: short, nearest container-tasks", [source]),
		}
	}
	_found(_host, [exposure("tcp 32771", ["10.0.0.0/8"])]) == {
		"deny tcp 32771 from 10.0.0.0/8: short, nearest inside-container-hosts",
	}
}

test_denies_an_unexpected_port_beside_what_is_behind_the_load_balancer if {
	exposures := [
		_leading("tcp 32771", ["0.0.0.0/0"]),
		_sends_nothing("tcp 32768-32770", ["sg-0b1b"]),
		_sends_nothing("tcp 32772-65535", ["sg-0b1b"]),
		exposure("tcp 49999", ["0.0.0.0/0"]),
	]
	_found(_host, exposures) == {
		"allow tcp 32771 from 0.0.0.0/0: container-tasks",
		"allow tcp 32768-32770 from sg-0b1b: container-hosts",
		"allow tcp 32772-65535 from sg-0b1b: container-hosts",
		"deny tcp 49999 from 0.0.0.0/0: short, nearest container-hosts",
	}
}

test_denies_a_bound_port_from_an_unknown_address if {
	_through(_host, "tcp 32771", ["unknown"]) == {"deny tcp 32771 from unknown: short, nearest container-tasks"}
}

test_allows_dynamic_ports_from_a_load_balancers_group if {
	_found(_host, [_sends_nothing("tcp 32772-60999", ["sg-0b1b"])]) == {
		"allow tcp 32772-60999 from sg-0b1b: container-hosts",
	}
}

test_denies_dynamic_ports_from_a_group_that_is_no_load_balancers if {
	verdict(_host, "tcp 45000", ["sg-0e0e"]) == {
		"deny tcp 45000 from sg-0e0e: short, nearest inside-container-hosts",
	}
}

test_denies_them_from_any_group_where_another_is_let_in_beside_the_load_balancers if {
	_found(_host, [_sends_nothing("tcp 32772-60999", ["sg-0b1b"]), exposure("tcp 32768", ["sg-0e0e"])]) == {
		"deny tcp 32772-60999 from sg-0b1b: short, nearest container-tasks",
		"deny tcp 32768 from sg-0e0e: short, nearest inside-container-hosts",
	}
}

test_denies_a_group_that_is_let_in_through_the_load_balancer_to_what_no_task_has_bound if {
	_found(_host, [_sends_nothing("tcp 50000", ["sg-0b1b"]), _leading("tcp 40000", ["sg-0e0e"])]) == {
		"deny tcp 50000 from sg-0b1b: short, nearest container-tasks",
		"deny tcp 40000 from sg-0e0e: short, nearest container-tasks",
	}
	_found(_host, [_sends_nothing("tcp 50000", ["sg-0b1b"]), _leading("tcp 32771-32772", ["sg-0e0e"])]) == {
		"deny tcp 50000 from sg-0b1b: short, nearest container-tasks",
		"allow tcp 32771 from sg-0e0e: container-tasks",
		"deny tcp 32772 from sg-0e0e: short, nearest container-tasks",
	}
	through_another := object.union(_leading("tcp 32771", ["sg-0e0e"]), {"load_balancer": "app/other/50dc"})
	_found(_host, [_sends_nothing("tcp 50000", ["sg-0b1b"]), through_another]) == {
		"deny tcp 50000 from sg-0b1b: short, nearest container-tasks",
		"deny tcp 32771 from sg-0e0e: short, nearest inside-container-hosts",
	}
}

test_allows_them_where_another_group_is_let_in_through_the_load_balancer_to_a_bound_port if {
	_found(_host, [_sends_nothing("tcp 50000", ["sg-0b1b"]), _leading("tcp 32771", ["sg-0e0e"])]) == {
		"allow tcp 50000 from sg-0b1b: container-hosts",
		"allow tcp 32771 from sg-0e0e: container-hosts, container-tasks",
	}
}

test_denies_who_shares_the_load_balancers_group_and_comes_around_it if {
	around := exposure("tcp 32768", ["sg-0b1b"])
	_found(_host, [around, _sends_nothing("tcp 32768", ["sg-0b1b"])]) == {
		"deny tcp 32768 from sg-0b1b: short, nearest inside-container-hosts",
	}
}

test_allows_them_where_another_group_is_let_in_to_other_ports if {
	beside := [exposure("tcp 22", ["sg-0e0e"]), exposure("udp 32768", ["sg-0e0e"])]
	_found(_host, array.concat(beside, [_sends_nothing("tcp 32768", ["sg-0b1b"])])) == {
		"allow tcp 22 from sg-0e0e: inside-container-hosts",
		"allow udp 32768 from sg-0e0e: inside-container-hosts",
		"allow tcp 32768 from sg-0b1b: container-hosts",
	}
}

test_denies_a_load_balancers_group_when_the_internet_is_not_what_is_told_of if {
	every report in [{"reach": "vpn"}, {"reach": "peered_vpc"}, {"reach_known": false}] {
		_reported(report, _host, [_sends_nothing("tcp 32768", ["sg-0b1b"])]) == {
			"deny tcp 32768 from sg-0b1b: short, nearest container-tasks",
		}
	}
}

test_denies_a_group_of_another_account if {
	verdict(_host, "tcp 32771", ["222233334444/sg-0b1b"]) == {
		"deny tcp 32771 from 222233334444/sg-0b1b: short, nearest container-tasks",
	}
}

test_denies_the_ports_below_the_dynamic_ones if {
	verdict(_host, "tcp 32000-32770", ["203.0.113.0/24"]) == {
		"deny tcp 32000-32770 from 203.0.113.0/24: short, nearest container-tasks",
	}
}

test_denies_udp if {
	verdict(_host, "udp 32771", ["203.0.113.0/24"]) == {"deny udp 32771 from 203.0.113.0/24: uncovered"}
}

test_denies_another_role if {
	_through({"tags": {"Role": "container"}}, "tcp 32771", ["0.0.0.0/0"]) == {
		"deny tcp 32771 from 0.0.0.0/0: uncovered",
	}
}

test_denies_another_account if {
	host := object.union(_host, {"account": "222233334444"})
	_found(host, [_leading("tcp 32771", ["0.0.0.0/0"]), _sends_nothing("tcp 32768", ["sg-0b1b"])]) == {
		"deny tcp 32771 from 0.0.0.0/0: uncovered",
		"deny tcp 32768 from sg-0b1b: uncovered",
	}
}

test_denies_after_the_last_day if {
	_through(_host, "tcp 32771", ["0.0.0.0/0"]) == {
		"deny tcp 32771 from 0.0.0.0/0: expired, nearest container-tasks",
	}
		with now as "2027-07-01T00:00:00Z"
	_found(_host, [_sends_nothing("tcp 32772", ["sg-0b1b"])]) == {
		"deny tcp 32772 from sg-0b1b: expired, nearest container-hosts",
	}
		with now as "2027-07-01T00:00:00Z"
}
