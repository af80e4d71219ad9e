# Helpers by any name, of this file, of another one, of packages beside this one.
package allow

import data.lib.deep.names as blue
import data.lib.roles

is_proxy if {
	input.server.tags.Role == "proxy"
	is_in_production
}

is_in_production if input.server.account in data.accounts.production

has_role(role) if input.server.tags.Role == role

proxy_ports := [3128, "8080-8081"]

allowance contains {
	"id": "proxy",
	"tcp": proxy_ports,
	"sources": {"office", "10.0.0.0/8"},
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if is_proxy

allowance contains {
	"id": "web",
	"tcp": data.ports.web,
	"udp": {443},
	"sources": ["anywhere"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
	"labels": {"ticket": "OPS-7", "link": "https://example.com/OPS-7"},
} if {
	roles.is_web(input.server)
	is_in_production
	print("a web server:", input.server.id)
}

allowance contains {
	"id": "blue-bastion",
	"tcp": [22],
	"sources": ["203.0.113.9/32", "2001:db8::7/128", "sg-0aaa", "222233334444/sg-0bbb", "pl-0ccc"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if {
	roles.is_bastion
	blue.is_blue(input.server.name)
	data.allow.is_in_production
}

allowance contains {
	"id": "ntp",
	"udp": [123],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if {
	has_role("ntp")
	data.allow.shared.is_known
	is_in_production
}
