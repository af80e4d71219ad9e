package allow

# A task on a dynamic host port is for its load balancer: whoever that lets in reaches the ports that a known task has
# bound and registered behind it, and no others. A port that is open around the load balancer is denied, bound or not.
allowance contains {
	"id": "container-tasks",
	"tcp": ["32768-65535"],
	"bound": "behind a load balancer",
	"sources": ["anywhere"],
	"owner": "web-platform",
	"reason": "Container tasks behind load balancers, on dynamic host ports",
	"expires": "2027-06-30",
} if {
	_is_container_host
	input.server.account in data.accounts.production
}

# Load balancers are let in to every such port by their groups, also to those to which they send nothing. That is what
# an exposure says that names a load balancer and no rule. Where a group is let in to such a port otherwise, around the
# load balancer or through it to what no task has bound, nothing is allowed here, since this allows any group.
allowance contains {
	"id": "container-hosts",
	"tcp": ["32768-65535"],
	"sources": ["sg-*"],
	"owner": "web-platform",
	"reason": "Load balancers reach the ports on which tasks may start, by their groups",
	"expires": "2027-06-30",
} if {
	_is_container_host
	input.server.account in data.accounts.production
	input.reach == "internet"
	input.reach_known
	count(_balancers_groups) > 0
	_other_groups == set()
}

_balancers_groups contains source if {
	some exposure in input.exposures
	_is_the_balancers(exposure)
	some source in exposure.sources
	is_string(source)
	startswith(source, "sg-")
}

_other_groups contains source if {
	some exposure in input.exposures
	not _is_the_balancers(exposure)
	not _is_bound(exposure)
	exposure.protocol == "tcp"
	exposure.to_port > 32767
	some source in exposure.sources
	is_string(source)
	startswith(source, "sg-")
}

_is_the_balancers(exposure) if {
	is_string(exposure.load_balancer)
	exposure.security_group == null
}

# Tasks have bound every port of it behind the load balancer through which it leads.
_is_bound(exposure) if {
	is_string(exposure.load_balancer)
	ports := {listener.port |
		some listener in input.listeners
		listener.protocol == exposure.protocol
		listener.load_balancer == exposure.load_balancer
		listener.port >= exposure.from_port
		listener.port <= exposure.to_port
	}
	count(ports) == (exposure.to_port - exposure.from_port) + 1
}

_is_container_host if input.server.tags.Role == "container-host"
