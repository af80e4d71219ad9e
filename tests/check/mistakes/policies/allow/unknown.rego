# Each takes for consent that nobody knows VPC, subnet, platform or security groups.
package allow

_is_in_vpc if input.server.vpc == "vpc-0a1"

_is_in_vpc if not input.server.vpc

_is_in_other_vpc(server) if not server.vpc == "vpc-0a1"

allowance contains {"id": "unknown-vpc", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not input.server.vpc == "vpc-0a1"
	input.server.account in data.accounts.production
}

allowance contains {"id": "unknown-vpc-default", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	object.get(input.server, "vpc", "") != "vpc-0a1"
	input.server.account in data.accounts.production
}

allowance contains {"id": "unknown-vpc-helper", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	_is_in_vpc
	input.server.account in data.accounts.production
}

allowance contains {"id": "unknown-vpc-server", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	_is_in_other_vpc(input.server)
	input.server.account in data.accounts.production
}

allowance contains {"id": "unknown-subnet", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not input.server.subnet == "subnet-0a1"
	input.server.account in data.accounts.production
}

allowance contains {"id": "unknown-platform", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not input.server.platform == "WINDOWS"
	input.server.account in data.accounts.production
}

allowance contains {"id": "unknown-platform-default", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	object.get(input.server, "platform", "") != "WINDOWS"
	input.server.account in data.accounts.production
}

allowance contains {"id": "unknown-platform-tagged", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	input.server.tags.Role == "web"
	not input.server.platform == "WINDOWS"
	input.server.account in data.accounts.production
}

allowance contains {"id": "unknown-groups", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not "sg-0a1" in input.server.security_groups
	input.server.account in data.accounts.production
}

allowance contains {"id": "unknown-groups-every", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	every group in input.server.security_groups {
		group in {"sg-0a1"}
	}
	input.server.account in data.accounts.production
}

allowance contains {"id": "unknown-groups-server", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	server := input.server
	every group in server.security_groups {
		group in {"sg-0a1"}
	}
	input.server.account in data.accounts.production
}

allowance contains {"id": "unknown-groups-count", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	count(input.server.security_groups) < 2
	input.server.account in data.accounts.production
}
