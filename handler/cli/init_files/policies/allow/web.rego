package allow

# An allowance: what is open, to whom, why, whose it is, until when, and, after `if`, on which servers. Tags can be
# written by many, so the account is asked for too.
allowance contains {
	"id": "web-https",
	"tcp": [80, 443],
	"sources": ["anywhere"],
	"owner": "web-platform",
	"reason": "Public web servers",
	"expires": "@EXPIRES@",
} if {
	input.server.tags.Role == "web"
	input.server.account in data.accounts.production
}
