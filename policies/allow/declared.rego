package allow

# In staging a server's own tag declares its ports (portcullis:allow = "tcp/8443 tcp/8000-8100"), within this ceiling.
allowance contains {
	"id": "declared-ports",
	"tcp": [80, 443, "8000-8999"],
	"declared_in": "portcullis:allow",
	"sources": ["anywhere"],
	"owner": "platform",
	"reason": "Teams declare the ports of their staging servers themselves",
	"expires": "2027-06-30",
} if {
	input.server.account in data.accounts.staging
}
