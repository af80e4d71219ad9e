package allow

_tier := "public" if input.server.tags.Role == "web"

_tier := "private" if input.server.tags.Stage == "test"

allowance contains {
	"id": "conflict",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if {
	_tier == "public"
	input.server.account in data.accounts.production
}
