package allow

allowance contains {"id": "unformatted",
  "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if input.server.account in data.accounts.production
