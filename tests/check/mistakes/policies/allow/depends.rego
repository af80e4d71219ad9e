package allow

allowance contains {
	"id": input.server.name,
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "depends-ports",
	"tcp": [to_number(input.server.tags.port)],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "depends-helper",
	"tcp": _port,
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production

_port := [80] if input.server.tags.Role == "web"

_port := [8080] if input.server.tags.Role == "proxy"

allowance contains {
	"id": "depends-sources",
	"tcp": [443],
	"sources": [source | some exposure in input.exposures; some source in exposure.sources],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production
