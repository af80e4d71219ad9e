# METADATA
# description: What an allowance may ask of all exposures of a finding together.
package policy_tests.gate.reach

import data.gate
import data.policy_tests.exposure
import data.policy_tests.finding
import data.policy_tests.networks

_inside := ["10.0.0.0/8", "172.16.5.0/24", "192.168.1.7/32", "fd00:db8::/32", "sg-0b1b"]

_outside := [
	"0.0.0.0/0", "::/0", "unknown", "10.0.0.0/7", "11.0.0.0/8", "203.0.113.0/24", "2001:db8::/32", "pl-0c1c",
	"222233334444/sg-0b1b", "SG-1", "10.0.0.0/33", "sg", "", 7, null, ["10.0.0.0/8"],
]

_reached(report, sources, names) if {
	gate.reached_from(names) with data.networks as networks
		with input as object.union(finding({}, [exposure("tcp 443", ["0.0.0.0/0"]), exposure("tcp 22", sources)]), report)
}

test_reached_from_each_address_and_group_inside if {
	every source in _inside { _reached({}, [source], ["private"]) }
}

test_reached_by_one_source_among_others if {
	every source in _inside { _reached({}, array.concat(_outside, [source]), ["private"]) }
}

test_not_reached_from_elsewhere if {
	every source in _outside { not _reached({}, [source], ["private"]) }
	not _reached({}, _outside, ["private"])
}

test_reached_from_any_of_several_networks if {
	_reached({}, ["203.0.113.7/32"], ["private", "office"])
	_reached({}, ["203.0.113.7/32"], {"office"})
	every names in [[], ["private"], ["nowhere"], "office", [["office"]], null] {
		not _reached({}, ["203.0.113.7/32"], names)
	}
}

test_not_reached_where_only_everybody_is_let_in if {
	every source in ["0.0.0.0/0", "::/0", "unknown"] { not _reached({}, [source], ["anywhere"]) }
	_reached({}, ["203.0.113.7/32"], ["anywhere"])
}

test_not_reached_unless_the_report_is_known_to_be_about_the_internet if {
	every report in [{"reach": "peered_vpc"}, {"reach": "vpn"}, {"reach": null}, {"reach_known": false}] {
		not _reached(report, _inside, ["private"])
	}
	not gate.reached_from(["private"]) with input as {} with data.networks as networks
}

test_reached_from_a_prefix_list_that_a_network_names if {
	listed := object.union(exposure("tcp 22", ["203.0.113.0/24"]), {"prefix_list": "pl-0c1c"})
	gate.reached_from(["partner"]) with input as finding({}, [listed])
		with data.networks as {"partner": ["pl-0c1c"]}
	not gate.reached_from(["partner"]) with input as finding({}, [listed])
		with data.networks as {"partner": ["pl-0c1d"]}
}

test_reached_from_what_a_network_names_by_its_id if {
	partner := ["222233334444/sg-0b1b", "pl-0c1c", "sg-0a1a", "203.0.113.0/33", 7, null, ["x"]]
	every source in ["222233334444/sg-0b1b", "pl-0c1c", "sg-0a1a"] {
		_reached({}, [source], ["partner"]) with data.policy_tests.networks as {"partner": partner}
	}
	every source in ["sg-0b1b", "pl-0c1d", "222233334444/sg-0b1c", "203.0.113.0/24", 7, null, ["x"]] {
		not _reached({}, [source], ["partner"]) with data.policy_tests.networks as {"partner": partner}
	}
}

_listener := {
	"protocol": "tcp",
	"port": 32771,
	"task": "frontend:12",
	"target_group": "web",
	"load_balancer": "app/web/50dc",
}

_through(ports, sources) := object.union(exposure(ports, sources), {"load_balancer": "app/web/50dc"})

# An exposure to the groups of a load balancer, on ports to which it sends nothing.
_of_balancer(ports, groups) := object.union(_through(ports, groups), {"security_group": null, "rules": []})

_balancers := _of_balancer("tcp 32772-60999", ["sg-0b1b"])

_behind(exposures) if _reported({}, exposures)

_reported(report, exposures) if _from(32768, report, exposures)

_from(first, report, exposures) if {
	gate.behind_load_balancers_only(first) with input as object.union(
		object.union(finding({}, exposures), {"listeners": [_listener]}),
		report,
	)
}

test_behind_them_where_their_groups_alone_are_let_in if {
	_behind([_balancers])
	_behind([_through("tcp 32771", ["0.0.0.0/0"]), _balancers, _of_balancer("tcp 32768-32770", ["sg-0b1b"])])
}

test_behind_them_whatever_addresses_reach_the_ports if {
	every source in ["0.0.0.0/0", "10.0.0.0/8", "unknown", "pl-0c1c", "222233334444/sg-0e0e", 7, null] {
		_behind([_balancers, exposure("tcp 49999", [source])])
	}
}

test_behind_them_where_another_group_reaches_other_ports if {
	_behind([exposure("tcp 22", ["sg-0e0e"]), exposure("tcp 443-32767", ["sg-0e0e"]), _balancers])
	_behind([exposure("udp 32768", ["sg-0e0e"]), _balancers])
}

test_behind_them_where_another_group_reaches_a_bound_port_through_one if {
	_behind([_balancers, _through("tcp 32771", ["sg-0e0e"])])
}

test_not_behind_them_where_no_group_of_theirs_is_let_in if {
	every exposures in [
		[], [exposure("tcp 32768", ["sg-0b1b"])], [_through("tcp 32771", ["sg-0b1b"])],
		[_of_balancer("tcp 32768", ["10.0.0.0/8"])], [_of_balancer("tcp 32768", [7])],
	] {
		not _behind(exposures)
	}
}

test_not_behind_them_where_another_group_is_let_in_beside_them if {
	every ports in ["tcp 32768", "tcp 65535", "tcp 22-32768", "tcp 32771"] {
		not _behind([_balancers, exposure(ports, ["sg-0e0e"])])
		not _behind([_balancers, exposure(ports, ["0.0.0.0/0", "sg-0e0e"])])
	}
}

test_not_behind_them_from_what_is_no_port if {
	every first in [0, 32768, 65535] { _from(first, {}, [_balancers]) }
	every first in ["32768", "", -1, 0.5, 65536, 100000, null, true, [32768], {"first": 32768}] {
		not _from(first, {}, [_balancers])
		not _from(first, {}, [_balancers, exposure("tcp 40000", ["sg-0e0e"])])
	}
}

test_not_behind_them_where_who_shares_their_group_comes_around if {
	not _behind([exposure("tcp 32768", ["sg-0b1b"]), _of_balancer("tcp 32768", ["sg-0b1b"])])
}

test_not_behind_them_where_a_group_reaches_through_one_what_no_task_has_bound if {
	not _behind([_balancers, _through("tcp 40000", ["sg-0e0e"])])
	not _behind([_balancers, _through("tcp 32771-32772", ["sg-0e0e"])])
	other := object.union(_through("tcp 32771", ["sg-0e0e"]), {"load_balancer": "app/other/50dc"})
	not _behind([_balancers, other])
	every listeners in [null, [], [object.union(_listener, {"protocol": "udp"})], "tcp 32771"] {
		not _reported({"listeners": listeners}, [_balancers, _through("tcp 32771", ["sg-0e0e"])])
	}
}

test_not_behind_them_unless_the_report_is_known_to_be_about_the_internet if {
	every report in [{"reach": "peered_vpc"}, {"reach": "vpn"}, {"reach": null}, {"reach_known": false}] {
		not _reported(report, [_balancers])
	}
	not gate.behind_load_balancers_only(32768) with input as {}
}
