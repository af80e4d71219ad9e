package allow

allowance contains {
	"id": "expires-short",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-6-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "expires-no-day",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-02-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "expires-slashes",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027/06/30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "expires-day-first",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "30.06.2027",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "expires-number",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": 20270630,
} if input.server.account in data.accounts.production

allowance contains {
	"id": "expires-none",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "owner-blank",
	"tcp": [443],
	"sources": ["office"],
	"owner": " ",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "owner-none",
	"tcp": [443],
	"sources": ["office"],
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "reason-no-text",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": 7,
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "key-unknown",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
	"ticket": "OPS-7",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "key-near",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expire": "2027-06-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "key-capital",
	"tcp": [443],
	"sources": ["office"],
	"reason": "Test",
	"expires": "2027-06-30",
	"Owner": "netops",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "declared-blank",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
	"declared_in": "",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "bound-otherwise",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
	"bound": "behind a balancer",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "everywhere-text",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
	"everywhere": "true",
}

allowance contains {
	"id": "everywhere-false",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
	"everywhere": false,
} if input.server.account in data.accounts.production

allowance contains {
	"id": "labels-number",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
	"labels": {"ticket": 7},
} if input.server.account in data.accounts.production

allowance contains {
	"id": "labels-list",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
	"labels": ["OPS-7"],
} if input.server.account in data.accounts.production

allowance contains "web"

allowance contains {"tcp": [443]} if input.server.account in data.accounts.production

allowance contains {"id": ""} if input.server.account in data.accounts.production

# The blanks of what an alert offers.

allowance contains {
	"id": "blanks",
	"tcp": [443],
	"sources": ["office"],
	"owner": "",
	"reason": "",
	"expires": "",
} if input.server.id == "i-0abc"
