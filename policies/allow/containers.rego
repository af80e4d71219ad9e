package allow

# Container hosts take their traffic from load balancers and from each other on ports of the ephemeral range.
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
