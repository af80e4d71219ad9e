package allow

allowance contains {
	"id": "accounts-in-a-rule",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
	"accounts": ["production"],
} if input.server.account in data.accounts.production
