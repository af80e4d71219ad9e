package allow

import data.gate

allowance contains {
	"id": "inside",
	"tcp": [9100],
	"sources": ["private"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if {
	gate.reached_from(["private"])
	input.server.account in data.accounts.production
}

allowance contains {
	"id": "balancers",
	"tcp": ["32768-65535"],
	"sources": ["sg-*"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if {
	gate.behind_load_balancers_only(32768)
	input.server.account in data.accounts.production
}
