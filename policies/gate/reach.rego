package gate

# What an allowance may ask of all exposures of a finding together.

# METADATA
# description: |
#   `gate.reached_from(["private"])`: the report is about the internet, and beside it a port of the server is reached from
#   these networks of data.networks. It is undefined when the report does not say how the port is reached, since the
#   inside may be what it is about, and where only everybody and unknown addresses are let in: an allowance for those
#   networks would merely be in the way of the nearest one there.
reached_from(names) if {
	input.reach == "internet"
	input.reach_known
	some exposure in input.exposures
	some source in exposure.sources
	not source in {"0.0.0.0/0", "::/0", "unknown"}
	is_string(source)
	some name in names
	_comes_from(exposure, source, data.networks[name])
}

# The addresses of a customer's prefix list lie in a network that names it.
_comes_from(exposure, _, members) if exposure.prefix_list in members

_comes_from(_, source, members) if _lies_in(source, members)

_lies_in(source, members) if source in members

_lies_in(source, members) if {
	startswith(source, "sg-")
	"sg-*" in members
}

_lies_in(source, members) if {
	net.cidr_is_valid(source)
	some member in members
	is_string(member)
	net.cidr_is_valid(member)
	net.cidr_contains(member, source)
}

# METADATA
# description: |
#   `gate.behind_load_balancers_only(32768)`: the report is about the internet, load balancers reach tcp ports of the
#   server by their groups, and from this port up they alone. Load balancers are let in to every port on which a container
#   may start, also to those to which they send nothing: that is what an exposure says that names a load balancer and no
#   rule. It is undefined where a group is let in to such a port otherwise, around the load balancer or through it to what
#   no task has bound, since an allowance for `sg-*` would allow that group too, and for
#   anything but a whole number of 0-65535.
behind_load_balancers_only(first) if {
	_is_port(first)
	input.reach == "internet"
	input.reach_known
	_lets_in_load_balancers
	not _lets_in_other_groups(first)
}

_lets_in_load_balancers if {
	some exposure in input.exposures
	_is_of_load_balancer(exposure)
	_lets_in_group(exposure)
}

_lets_in_other_groups(first) if {
	some exposure in input.exposures
	not _is_of_load_balancer(exposure)
	not _is_bound(exposure)
	exposure.protocol == "tcp"
	exposure.to_port >= first
	_lets_in_group(exposure)
}

_lets_in_group(exposure) if {
	some source in exposure.sources
	is_string(source)
	startswith(source, "sg-")
}

_is_of_load_balancer(exposure) if {
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
