package allow

allowance contains {"id": "no-text-list", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	input.server.name == data.accounts.production
	input.server.account in data.accounts.production
}

allowance contains {"id": "no-text-accounts", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	input.server.name == "web-01"
	not input.server.account in data.accounts
}
