package allow

allowance contains {
	"id": "web",
	"tcp": [80, 443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if {
	input.server.tags.Role == "web"
	input.server.account in data.accounts.production
}

# It raises where a source is no CIDR.
allowance contains {
	"id": "metrics",
	"tcp": [9000],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if {
	some exposure in input.exposures
	some source in exposure.sources
	net.cidr_contains("10.0.0.0/8", source)
	input.server.account in data.accounts.production
}
