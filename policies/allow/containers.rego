package allow

import data.gate

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
	input.server.tags.Role == "container-host"
	input.server.account in data.accounts.production
}

# The load balancers' own groups are let in to every port on which a task may start.
allowance contains {
	"id": "container-hosts",
	"tcp": ["32768-65535"],
	"sources": ["sg-*"],
	"owner": "web-platform",
	"reason": "Load balancers reach the ports on which tasks may start, by their groups",
	"expires": "2027-06-30",
} if {
	input.server.tags.Role == "container-host"
	input.server.account in data.accounts.production
	gate.behind_load_balancers_only(32768)
}
