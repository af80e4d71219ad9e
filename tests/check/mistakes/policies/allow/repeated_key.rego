package allow

allowance contains {
	"id": "repeated-key",
	"tcp": [443],
	"tcp": [27017],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production
