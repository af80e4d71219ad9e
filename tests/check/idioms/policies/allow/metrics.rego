package allow

allowance contains {
	"id": "metrics",
	"tcp": [9000],
	"sources": ["private"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if {
	some exposure in input.exposures
	some source in exposure.sources
	net.cidr_is_valid(source)
	net.cidr_contains("10.0.0.0/8", source)
	input.server.account in data.accounts.production
}

allowance contains {
	"id": "status-page",
	"tcp": [443],
	"sources": ["anywhere"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if {
	input.server.name == "status-01"
	some account in data.accounts.production
	input.server.account == account
}

allowance contains {
	"id": "by-pattern",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if {
	regex.match(`^web-[0-9]+$`, input.server.name)
	glob.match("*-prod-*", [], input.server.name)
	some _ in data.accounts.production
	input.server.account in {"111122223333", "444455556666"}
}
