# METADATA
# description: |
#   An allowance with `bound` covers what a known task has bound behind the load balancer through which the exposure
#   leads, within its ports.
package policy_tests.gate.bound

import data.policy_tests.allowing
import data.policy_tests.decide
import data.policy_tests.exposure
import data.policy_tests.finding
import data.policy_tests.told

_ceiling := allowing("tasks", {
	"tcp": ["32768-60999"],
	"udp": [40000],
	"bound": "behind a load balancer",
	"sources": ["anywhere"],
})

_listener := {
	"protocol": "tcp",
	"port": 40000,
	"task": "frontend:12",
	"target_group": "web",
	"load_balancer": "app/web/50dc",
}

_through(ports, sources, balancer) := object.union(exposure(ports, sources), {"load_balancer": balancer})

_decision(exposures, listeners) := decide(
	object.union(finding({}, exposures), {"listeners": listeners}),
	{_ceiling},
	set(),
)

_told(exposures, listeners) := told(_decision(exposures, listeners))

_denied(ports, source) := {sprintf("deny %s from %s: short, nearest tasks", [ports, source])}

test_allows_a_bound_port_through_its_load_balancer if {
	_told([_through("tcp 40000", ["0.0.0.0/0", "::/0", "sg-1"], "app/web/50dc")], [_listener]) == {
		"allow tcp 40000 from 0.0.0.0/0: tasks",
		"allow tcp 40000 from ::/0: tasks",
		"allow tcp 40000 from sg-1: tasks",
	}
}

test_denies_every_other_port_through_it if {
	listeners := [_listener, object.union(_listener, {"port": 40002})]
	_told([_through("tcp 39999-40002", ["0.0.0.0/0"], "app/web/50dc")], listeners) == {
		"deny tcp 39999 from 0.0.0.0/0: short, nearest tasks",
		"allow tcp 40000 from 0.0.0.0/0: tasks",
		"deny tcp 40001 from 0.0.0.0/0: short, nearest tasks",
		"allow tcp 40002 from 0.0.0.0/0: tasks",
	}
}

test_denies_a_bound_port_beyond_the_ceiling if {
	listeners := [object.union(_listener, {"port": 8080})]
	_told([_through("tcp 8080", ["0.0.0.0/0"], "app/web/50dc")], listeners) == _denied("tcp 8080", "0.0.0.0/0")
}

test_denies_a_bound_port_around_its_load_balancer if {
	_told([exposure("tcp 40000", ["0.0.0.0/0"])], [_listener]) == _denied("tcp 40000", "0.0.0.0/0")
}

test_denies_only_the_way_around_the_load_balancer if {
	exposures := [exposure("tcp 40000", ["198.51.100.0/24"]), _through("tcp 40000", ["0.0.0.0/0"], "app/web/50dc")]
	_told(exposures, [_listener]) == {
		"deny tcp 40000 from 198.51.100.0/24: short, nearest tasks",
		"allow tcp 40000 from 0.0.0.0/0: tasks",
	}
}

test_denies_a_port_bound_behind_another_load_balancer if {
	_told([_through("tcp 40000", ["0.0.0.0/0"], "app/api/1")], [_listener]) == _denied("tcp 40000", "0.0.0.0/0")
}

test_denies_a_port_that_is_registered_nowhere if {
	every balancer in [null, "", "app/web/50dc"] {
		listeners := [object.union(_listener, {"target_group": null, "load_balancer": null})]
		_told([_through("tcp 40000", ["0.0.0.0/0"], balancer)], listeners) == _denied("tcp 40000", "0.0.0.0/0")
	}
}

test_denies_where_neither_names_a_load_balancer if {
	every name in [null, "", " ", 5, ["app/web/50dc"]] {
		listeners := [object.union(_listener, {"load_balancer": name})]
		_told([_through("tcp 40000", ["0.0.0.0/0"], name)], listeners) == _denied("tcp 40000", "0.0.0.0/0")
	}
}

test_denies_the_other_protocol if {
	_told([_through("udp 40000", ["0.0.0.0/0"], "app/web/50dc")], [_listener]) == _denied("udp 40000", "0.0.0.0/0")
}

test_denies_an_unknown_address if {
	_told([_through("tcp 40000", ["unknown"], "app/web/50dc")], [_listener]) == _denied("tcp 40000", "unknown")
}

test_denies_with_listeners_that_cannot_be_read if {
	every listeners in [
		null, {}, "tcp 40000", 40000, [null], [40000], [[]], [{}],
		[object.union(_listener, {"port": "40000"})], [object.union(_listener, {"port": 40000.5})],
		[object.remove(_listener, ["protocol"])], {"a": _listener},
	] {
		_told([_through("tcp 40000", ["0.0.0.0/0"], "app/web/50dc")], listeners) == _denied("tcp 40000", "0.0.0.0/0")
	}
}

test_denies_within_what_a_tag_declares if {
	allowance := object.union(_ceiling, {"declared_in": "ports"})
	listeners := [_listener, object.union(_listener, {"port": 40001})]
	through := _through("tcp 40000-40001", ["0.0.0.0/0"], "app/web/50dc")
	found := object.union(finding({"tags": {"ports": "tcp/40001"}}, [through]), {"listeners": listeners})
	told(decide(found, {allowance}, set())) == {
		"deny tcp 40000 from 0.0.0.0/0: short, nearest tasks",
		"allow tcp 40001 from 0.0.0.0/0: tasks",
	}
}

test_says_that_the_port_has_to_be_bound if {
	[entry.reason | some entry in _decision([exposure("tcp 40000", ["0.0.0.0/0"])], []).denied] == [concat("", [
		"tasks allows tcp 32768-60999 bound behind a load balancer from anywhere; 40000 is not among them",
	])]
}

test_denies_and_names_another_word if {
	every word in ["", "yes", "behind a load balancer ", true, null, ["behind a load balancer"]] {
		found := object.union(
			finding({}, [_through("tcp 40000", ["0.0.0.0/0"], "app/web/50dc")]),
			{"listeners": [_listener]},
		)
		told(decide(found, {object.union(_ceiling, {"bound": word})}, set())) == {
			"deny tcp 40000 from 0.0.0.0/0: uncovered",
			"problem with allowance tasks: bound",
		}
	}
}

test_says_which_word_it_is if {
	allowance := object.union(_ceiling, {"bound": "by a task"})
	decide(finding({}, [exposure("tcp 40000", ["0.0.0.0/0"])]), {allowance}, set()).problems == [{
		"kind": "allowance",
		"id": "tasks",
		"field": "bound",
		"problem": "'by a task' is not \"behind a load balancer\"",
	}]
}
