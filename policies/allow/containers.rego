package allow

# Load balancers reach the tasks of a container host on ports of its ephemeral range; nobody else does.
allowance contains {
	"id": "container-hosts",
	"tcp": ["32768-60999"],
	"sources": ["private"],
	"owner": "web-platform",
	"reason": "Container tasks behind load balancers, on dynamic host ports",
	"expires": "2027-06-30",
} if {
	input.server.tags.Role == "container-host"
	input.server.account in data.accounts.production
}
