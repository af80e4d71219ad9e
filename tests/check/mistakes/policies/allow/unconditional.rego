package allow

allowance contains {
	"id": "forgotten-if",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
}

allowance contains {
	"id": "if-true",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
}

allowance contains {
	"id": "if-data",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if count(data.accounts.production) > 0

allowance contains {
	"id": "one-way-of-two",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if _is_any_web

_is_any_web if input.server.tags.Role == "web"

_is_any_web if count(data.accounts.staging) > 0
