package allow

allowance contains {
	"id": "tag-in-any-account",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.tags.Role == "web"

allowance contains {
	"id": "name-in-any-account",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if startswith(input.server.name, "web-")

allowance contains {
	"id": "tag-by-helper",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if _is_web

_is_web if input.server.tags.Role == "web"

allowance contains {
	"id": "one-way-of-two",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if _is_web_in_production

_is_web_in_production if {
	_is_web
	input.server.account in data.accounts.production
}

_is_web_in_production if input.server.name == "www"

allowance contains {
	"id": "id-passes",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if {
	input.server.id == "i-0abc"
	input.server.name == "www"
}
