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
	_is_reached_from_inside
	input.server.tags_known
	not _is_container_host
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
	_is_reached_from_inside
	_is_container_host
}

# Nothing is said of findings without such a source: there these allowances would only be in the way of the nearest one.
_is_reached_from_inside if {
	input.reach == "internet"
	input.reach_known
	some list in ["production", "staging"]
	input.server.account in data.accounts[list]
	some exposure in input.exposures
	some source in exposure.sources
	_is_inside(source)
}

_is_inside(source) if startswith(source, "sg-")

_is_inside(source) if {
	net.cidr_is_valid(source)
	some network in data.networks.private
	net.cidr_is_valid(network)
	net.cidr_contains(network, source)
}
