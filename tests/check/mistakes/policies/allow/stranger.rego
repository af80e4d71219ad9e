# It holds in accounts on no list, since nobody is asked who it is for.
package allow

allowance contains {
	"id": "stranger",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if {
	not input.server.account in data.accounts.production
	not input.server.region == "us-east-1"
}

allowance contains {
	"id": "stranger-every",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if {
	every account in [a | a := input.server.account; a != "000000000000"] {
		account in data.accounts.production
	}
}
