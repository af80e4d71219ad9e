package allow

allowance contains {
	"id": "i-0abc-tcp-8443",
	"tcp": [8443],
	"sources": ["198.51.100.7/32"],
	"owner": "netops",
	"reason": "Pasted at night",
	"expires": "2027-01-31",
} if {
	input.server.id == "i-0abc"
}

allowance contains {
	"id": "tested",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-01-31",
} if {
	input.server.account == "111122223333"
}
