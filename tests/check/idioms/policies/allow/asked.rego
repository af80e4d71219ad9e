# Allowances that ask for what they need, with `not`, defaults and helpers beside it: none takes absence for consent.
package allow

default _is_test := false

_is_test if input.server.tags.Env == "test"

default _is_elsewhere := false

_is_elsewhere if {
	not input.server.tags.Env == "prod"
	input.server.region == "eu-west-1"
}

_class(server) := "internal" if server.tags.Zone == "internal"

else := "open"

_class_by(tags) := "internal" if tags.Zone == "internal"

else := "open"

_is_printed if {
	print(input.server.tags.Team, input.server)
	not input.reach == "vpn"
}

_has(key, value) if input.server.tags[key] == value

_is_prod(server) if lower(server.tags.Env) in {"prod", "production"}

_is_said_to_be_prod if {
	some key, value in input.server.tags
	lower(key) == "env"
	value == "prod"
}

_is_not_prod if not _is_prod(input.server)

_has_no_owner if not input.server.tags.Owner

_has_no_owner_in_production if {
	_has_no_owner
	input.server.account in data.accounts.production
}

_owner := object.get(input.server.tags, "Owner", "nobody")

_is_for(tags, wanted) if tags.Use == wanted

default _is_frozen := false

_is_frozen if {
	input.server.name == "web-01"
	"frozen" in data.accounts.staging
}

_is_no_twin if not _is_test

_is_no_twin if input.reach == "vpn"

_is_web_or_near if input.server.tags.Role == "web"

_is_web_or_near if input.reach == "vpn"

default _stage := "none"

_stage := input.server.tags.Stage

_tier := "public" if input.server.tags.Tier == "public"

else := "private"

_grade(server) := "high" if server.kind == "instance"

else := "low"

_is_tagged(server, key, value) if {
	some found, tagged in server.tags
	lower(found) == key
	lower(tagged) == value
}

_is_web(server) if server.tags.Role == "web"

_is_said_to_be_web(server) if "web" in server.tags

_is_nearly_web(server) if lower(object.get(server.tags, "Role", "")) in {"web", "www"}

default _is_some_web := false

_is_some_web if _is_web(input.server)

allowance contains {"id": "asked-1", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	input.server.tags_known
	not input.server.tags.Env == "prod"
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-2", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	input.server.tags_known == true
	not input.server.name == "db-01"
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-3", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	input.server.tags_known
	_is_not_prod
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-4", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	object.get(input.server, "tags_known", false)
	not input.server.tags.Env == "prod"
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-5", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not _is_frozen
	input.server.tags.Role == "web"
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-6", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	input.server.tags_known
	not _is_said_to_be_prod
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-7", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not input.server.tags_known
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-8", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	input.server.tags.Role == "web"
	not input.server.tags.Env == "prod"
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-9", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	input.server.tags.Env != "prod"
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-10", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	input.server.name == "web-01"
	not input.server.tags.Env == "prod"
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-11", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	startswith(input.server.name, "web-")
	not input.server.name in {"web-03"}
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-12", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	_has("Role", "web")
	not _has("Env", "prod")
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-13", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	_is_test
	not input.server.tags.Role == "db"
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-14", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	_is_for(input.server.tags, "web")
	_is_not_prod
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-15", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not _has_no_owner
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-16", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not _has_no_owner
	_is_not_prod
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-17", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not startswith(input.server.name, "db-")
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-18", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not input.server.name in {"db-01", "db-02"}
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-19", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not lower(input.server.tags.Env) == "prod"
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-20", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	count(input.server.tags) > 0
	not input.server.tags.Env == "prod"
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-21", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	"Role" in object.keys(input.server.tags)
	not input.server.tags.Env == "prod"
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-22", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	object.get(input, ["server", "tags", "Role"], "") == "web"
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-23", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	object.get(object.get(input.server, "tags", {}), "Role", "") == "web"
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-24", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	object.get(input.server, "name", "") in {"web-01", "web-02"}
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-25", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	startswith(object.get(input.server, "name", ""), "web-")
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-26", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	_is_web_or_near
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-27", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	_is_tagged(input.server, "role", "web")
	not _is_prod(input.server)
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-28", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	_is_web(input.server)
	not _is_prod(input.server)
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-29", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	_is_nearly_web(input.server)
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-30", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	_is_some_web
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-31", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	server := input.server
	server.name == "web-01"
	not server.tags.Env == "prod"
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-32", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	_is_said_to_be_web(input.server)
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-33", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	_stage == "prod"
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-34", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	_tier == "public"
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-35", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	_grade(input.server) == "low"
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-36", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	object.get(input.server.tags, "Role", "") == "web"
	object.get(input.server.tags, "Env", "") != "prod"
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-37", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	startswith(object.get(input.server.tags, "Role", ""), "web")
	object.get(input.server.tags, "Env", "") != "prod"
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-38", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	lower(object.get(input.server.tags, "Role", "none")) == "web"
	not input.server.tags.Env == "prod"
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-39", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	_owner == "web"
	not input.server.tags.Env == "prod"
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-40", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	lower(input.server.tags.Role) == "web"
	_is_not_prod
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-41", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	input.server.platform
	not input.server.platform == "windows"
	input.server.kind != "security_group"
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-42", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	count([value | some value in input.server.tags]) > 1
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-43", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	every exposure in input.exposures {
		exposure.protocol == "tcp"
	}
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-44", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	some exposure in input.exposures
	not exposure.load_balancer
	exposure.protocol in {"tcp", "udp"}
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-45", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	some reporter in input.reporters
	reporter.name == "inspector2"
	reporter.severity != "HIGH"
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-46", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	input.server.platform != "windows"
	not input.reach in ["vpn", "peered_vpc"]
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-47", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	input.exposures[0].rule_opens.protocol == "all"
	input.listeners[_].protocol == input.exposures[_].protocol
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-48", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	count(input.server.security_groups) > 0
	every group in input.server.security_groups {
		group in {"sg-0a1"}
	}
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-49", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	"sg-0a1" in input.server.security_groups
	not "sg-0a2" in input.server.security_groups
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-50", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	input.server.vpc
	not input.server.vpc in {"vpc-0a1"}
	input.server.subnet != "subnet-0a1"
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-51", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	print("a server of", input.server.tags.Team, input.server.platform)
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-52", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	_is_printed
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-53", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	input.server.tags_known
	_class(input.server) == "open"
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-54", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	_class_by(input.server.tags) == "internal"
	input.server.account in data.accounts.production
}

allowance contains {"id": "asked-55", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	some list in ["production", "staging"]
	input.server.account in data.accounts[list]
}

allowance contains {"id": "asked-56", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	some list
	input.server.account in data.accounts[list]
}

allowance contains {"id": "asked-57", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	some account in data.accounts.production
	input.server.account == account
}

allowance contains {"id": "asked-58", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	input.server.id in {"i-0a1", "i-0a2"}
	input.server.region in ["eu-west-1"]
}
