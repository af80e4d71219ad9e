package allow

import data.gate

# A report of the internet is not about whom a rule beside it lets in from inside: private networks, and other security
# groups of the account. That choice is made here, but for the high ports of container hosts: see containers.rego.
allowance contains {
	"id": "inside",
	"tcp": ["0-65535"],
	"udp": ["0-65535"],
	"sources": ["private"],
	"owner": "netops",
	"reason": "Private networks and other groups are not the internet that the report is about",
	"expires": "2027-06-30",
} if {
	input.server.tags_known
	not input.server.tags.Role == "container-host"
	gate.reached_from(["private"])
	some list in ["production", "staging"]
	input.server.account in data.accounts[list]
}

allowance contains {
	"id": "inside-container-hosts",
	"tcp": ["0-32767"],
	"udp": ["0-65535"],
	"sources": ["private"],
	"owner": "netops",
	"reason": "Private networks and other groups are not the internet that the report is about",
	"expires": "2027-06-30",
} if {
	input.server.tags.Role == "container-host"
	gate.reached_from(["private"])
	some list in ["production", "staging"]
	input.server.account in data.accounts[list]
}
