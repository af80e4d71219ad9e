package allow

_is_twin(_) if input.server.tags.Role == "kubernetes"

allowance contains {
	"id": "twin",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if {
	_is_twin(input)
	input.server.account in data.accounts.production
}
