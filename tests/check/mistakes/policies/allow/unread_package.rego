package allow.web.shop

allowance contains {"id": "unread"} if input.server.account in data.accounts.production
