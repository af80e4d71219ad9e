# None asks whom it is for, whatever the values.
package allow

_is_reached(reach) if input.reach == reach

_is_linux(server) if server.platform == "LINUX"

else := false

allowance contains {"id": "whoever-region", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	input.server.region == "us-east-1"
}

allowance contains {"id": "whoever-region-of-the-stranger", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	input.server.region == "eu-west-1"
}

allowance contains {"id": "whoever-reach", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	input.reach == "vpn"
}

allowance contains {"id": "whoever-reach-helper", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	_is_reached("peered_vpc")
}

allowance contains {"id": "whoever-vpc", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	startswith(input.server.vpc, "vpc-")
}

allowance contains {"id": "whoever-platform", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	input.server.platform == "LINUX"
}

allowance contains {"id": "whoever-platform-else", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	input.server.platform
	_is_linux(input.server)
}

allowance contains {"id": "whoever-time", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	input.now > "2026-01-01T00:00:00Z"
}

allowance contains {"id": "whoever-known", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	input.server.tags_known
}

allowance contains {"id": "whoever-printed", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	print(input.server.account)
	input.reach == "vpn"
}
