package allow

# A report of the internet is not about whom a rule beside it lets in from inside: private networks, and other security
# groups of the account. That choice is made here. It covers nothing when the report does not say how the port is
# reached, since the inside may be what it is about; nor the high ports of container hosts, which are for load balancers.
allowance contains {
	"id": "inside",
	"tcp": ["0-65535"],
	"udp": ["0-65535"],
	"sources": ["private"],
	"owner": "netops",
	"reason": "Private networks and other groups are not the internet that the report is about",
	"expires": "2027-06-30",
} if {
	input.server.tags_known
	not _is_container_host
	_is_reached_from_inside
}

allowance contains {
	"id": "inside-container-hosts",
	"tcp": ["0-32767"],
	"udp": ["0-65535"],
	"sources": ["private"],
	"owner": "netops",
	"reason": "Private networks and other groups are not the internet that the report is about",
	"expires": "2027-06-30",
} if {
	_is_container_host
	_is_reached_from_inside
}

# Nothing is said of findings without such a source: there these allowances would only be in the way of the nearest one.
_is_reached_from_inside if {
	input.reach == "internet"
	input.reach_known
	some exposure in input.exposures
	some source in exposure.sources
	not source in {"0.0.0.0/0", "::/0", "unknown"}
	_is_inside(source)
	some list in ["production", "staging"]
	input.server.account in data.accounts[list]
}

_is_inside(source) if {
	is_string(source)
	startswith(source, "sg-")
}

_is_inside(source) if {
	is_string(source)
	net.cidr_is_valid(source)
	some network in data.networks.private
	is_string(network)
	net.cidr_is_valid(network)
	net.cidr_contains(network, source)
}
