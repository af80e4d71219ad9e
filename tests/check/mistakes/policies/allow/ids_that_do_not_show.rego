package allow

allowance contains {"id": "hidden\n", "tcp": [0], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if input.server.account in data.accounts.production

allowance contains {"id": "hidden\u200b", "tcp": [1], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if input.server.account in data.accounts.production

allowance contains {"id": "hidden‮", "tcp": [2], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if input.server.account in data.accounts.production

allowance contains {"id": "hidden ", "tcp": [3], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if input.server.account in data.accounts.production
