package allow

allowance contains {
	"id": "bastion-ssh",
	"tcp": [22],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Administrators log in from the office",
	"expires": "2027-01-31",
} if {
	input.server.tags.Role == "bastion"
	input.server.account in data.accounts.production
}
