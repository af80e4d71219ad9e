# Each asks for a field that no finding has, or compares with what a field never is.
package allow

_misspells(server) if server.tgas.Use == "web"

_misspells_in_capitals(server) if upper(server.tgas.Use) == "WEB"

_misreads(exposures) if exposures.protocol == "tcp"

allowance contains {"id": "word-1", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	input.reach != "Internet"
	input.server.account in data.accounts.production
}

allowance contains {"id": "word-2", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	"Internet" == input.reach
	input.server.account in data.accounts.production
}

allowance contains {"id": "word-3", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not input.reach in {"internet", "VPN"}
	input.server.account in data.accounts.production
}

allowance contains {"id": "word-4", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	reach := input.reach
	not reach == "public"
	input.server.account in data.accounts.production
}

allowance contains {"id": "word-5", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	object.get(input, "reach", "") == "public"
	input.server.account in data.accounts.production
}

allowance contains {"id": "word-6", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	input.server.kind != "ec2"
	input.server.account in data.accounts.production
}

allowance contains {"id": "word-7", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	some exposure in input.exposures
	exposure.protocol == "TCP"
	input.server.account in data.accounts.production
}

allowance contains {"id": "word-8", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	some exposure in input.exposures
	not exposure.protocol == "UDP"
	not exposure.to_port == 53
	input.server.account in data.accounts.production
}

allowance contains {"id": "word-9", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	every exposure in input.exposures {
		exposure.protocol == "TCP"
	}
	input.server.account in data.accounts.production
}

allowance contains {"id": "word-10", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not _misspells_in_capitals(input.server)
	input.server.account in data.accounts.production
}

allowance contains {"id": "word-11", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not _misspells(input.server)
	input.server.account in data.accounts.production
}

allowance contains {"id": "word-12", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	object.get(input.server, "tgas", {}) != {"Use": "prod"}
	input.server.account in data.accounts.production
}

allowance contains {"id": "word-13", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not object.get(input.server, ["tgas", "Use"], "") in {"prod"}
	input.server.account in data.accounts.production
}

allowance contains {"id": "word-14", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not _misreads(input.exposures)
	input.server.account in data.accounts.production
}

allowance contains {"id": "word-15", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	input.server.account == "11112222333"
	input.server.account in data.accounts.production
}

allowance contains {"id": "word-16", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	input.server.account != "111122223334"
	input.server.account in data.accounts.production
}

allowance contains {"id": "word-17", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not input.server.account in {"111122223333", "11112222-3333"}
	input.server.account in data.accounts.production
}

allowance contains {"id": "word-18", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	input.server.account == "999988887777"
	input.server.kind == "instances"
	input.server.account in data.accounts.production
}

allowance contains {"id": "word-19", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not object.get(input.listeners[_], "protocl", "") == "tcp"
	input.server.account in data.accounts.production
}
