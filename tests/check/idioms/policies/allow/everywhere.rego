package allow

allowance contains {
	"id": "ping-port",
	"tcp": [7],
	"sources": ["anywhere"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
	"everywhere": true,
}

# What only asks for the account is meant for all of its servers.
allowance contains {
	"id": "sandbox",
	"tcp": ["1024-1100"],
	"sources": ["anywhere"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.sandbox

allowance contains {
	"id": "one-server",
	"tcp": [8443],
	"sources": ["198.51.100.7/32"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if {
	input.server.id == "i-0abc"
}

allowance contains {
	"id": "declared",
	"tcp": [80, 443, "8000-8999"],
	"declared_in": "portcullis:allow",
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.staging

allowance contains {
	"id": "tasks",
	"tcp": ["32768-65535"],
	"bound": "behind a load balancer",
	"sources": ["anywhere"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if {
	input.server.tags.Role == "container-host"
	input.server.account in data.accounts.production
}
