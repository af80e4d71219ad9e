package allow

_tier := "a" if not input.server.tags.B

_tier := "b" if not input.server.tags.A

allowance contains {
	"id": "x",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if {
	_tier == input.server.region
	input.server.account == "111122223333"
}
