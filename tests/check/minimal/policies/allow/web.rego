package allow

# Nobody has written down yet whose the accounts are.
_has_a_team if {
	some accounts in data.accounts.teams
	input.server.account in accounts
}

allowance contains {
	"id": "web",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if {
	input.server.account in data.accounts.production
	not _has_a_team
}
