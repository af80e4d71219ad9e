# Each takes the absence of tags or of the name for consent.
package allow

default _is_test := false

_is_test if input.server.tags.Env == "test"

default _is_elsewhere := false

_is_elsewhere if {
	not input.server.tags.Env == "prod"
	input.server.region == "eu-west-1"
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

_is_prod_somewhere if walk(input.server, [["tags", "Env"], "prod"])

allowance contains {"id": "absence-1", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not input.server.tags.Env == "prod"
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-2", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not input.server.name == "db-01"
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-3", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not "prod" in input.server.tags
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-4", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not input.server.tags["aws:autoscaling:groupName"]
	input.server.account in data.accounts.staging
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-5", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	tags := input.server.tags
	not tags.Env == "prod"
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-6", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	some key in ["Env", "Stage"]
	not input.server.tags[key] == "prod"
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-7", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not _is_prod(input.server)
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-8", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	_is_not_prod
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-9", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not _is_said_to_be_prod
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-10", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not _is_test
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-11", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	_is_test == false
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-12", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	_is_elsewhere
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-13", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not _has("Env", "prod")
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-14", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	_has_no_owner
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-15", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	object.get(input.server.tags, "Env", "") != "prod"
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-16", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not object.get(input.server, ["tags", "Env"], "") in {"prod"}
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-17", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not startswith(object.get(input.server.tags, "Env", ""), "prod")
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-18", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	lower(object.get(input.server, "name", "none")) != "db-01"
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-19", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	_owner != "web"
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-20", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	input.server.tags == {}
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-21", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	count(input.server.tags) == 0
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-22", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	count({key |
		some key in ["Env"]
		input.server.tags[key]
	}) == 0
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-23", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	every key in ["Env", "Stage"] {
		not input.server.tags[key] == "prod"
	}
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-24", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not object.subset(input.server.tags, {"Env": "prod"})
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-25", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not trim(object.get(input.server.tags, "Env", ""), " ") == "prod"
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-26", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not startswith(object.get(input.server, "name", ""), "db-")
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-27", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	startswith(object.get(input.server, "name", "web-"), "web-")
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-28", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	object.get(input.server, "name", "none") in {"none", "web-01"}
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-29", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	object.get(input, ["server", "tags", "Env"], "test") == "test"
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-30", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	_is_no_twin
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-31", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not _is_tagged(input.server, "env", "prod")
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-32", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not _is_some_web
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-33", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not _is_nearly_web(input.server)
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-34", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	server := input.server
	not server.tags.Env == "prod"
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-35", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	_stage != "prod"
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-36", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	_stage == "none"
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-37", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	_tier == "private"
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-38", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not _has_no_owner_in_production
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-39", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not object.subset(input.server, {"tags": {"Env": "prod"}})
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-40", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not contains(json.marshal(input.server), "prod")
	input.server.account in data.accounts.production
}

allowance contains {"id": "absence-41", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not _is_prod_somewhere
	input.server.account in data.accounts.production
}
