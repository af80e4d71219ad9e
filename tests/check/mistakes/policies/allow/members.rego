package allow

allowance contains {
	"id": "member-unused",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if {
	input.server.name == "status-01"
	some account in data.accounts.production
	input.reach == "internet"
}

allowance contains {
	"id": "member-unused-of-two",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if {
	some key, value in input.server.tags
	input.server.account in data.accounts.production
}
