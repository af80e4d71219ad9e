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

# Load balancers are let in to every such port by their groups, also to those to which they send nothing.
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
}

_is_container_host if input.server.tags.Role == "container-host"
