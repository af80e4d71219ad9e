package gate

# Reads an allowance, once for all findings that it applies to. A malformed one covers nothing: it has only problems.

_allowance(value) := {
	"id": value.id,
	"owner": value.owner,
	"expires": value.expires,
	"ports": ports,
	"words": value.sources,
	"networks": networks,
	"declared_in": object.get(value, "declared_in", null),
	"bound": object.get(value, "bound", null),
	"problems": set(),
} if {
	is_object(value)
	ports := {protocol: ranges | some protocol in ["tcp", "udp"]; ranges := _ranges(value[protocol])}
	networks := _united(value.sources)
	_is_allowance(value, ports, networks)
} else := {"problems": {{"kind": "allowance", "id": _id(value), "field": field, "problem": problem} |
	some [field, problem] in _allowance_faults(value)
}}

# Most are well-formed at a glance. Text sorts after numbers and before collections, and blanks before letters.
_is_allowance(value, ports, networks) if {
	ports != {}
	networks.unreadable == set()
	object.keys(value) == {"id", "owner", "reason", "expires", "sources"} | object.keys(ports)
	texts := [value.id, value.owner, value.reason]
	min(texts) > " "
	is_string(max(texts))
	_is_date(value.expires)
	_is_list(value.sources)
} else if {
	_allowance_faults(value) == set()
}

# What is wrong, as [field, problem].
_allowance_faults(value) := union({
	_text_faults(value, ["id", "owner", "reason"]),
	_unknown_keys(value, {"id", "owner", "reason", "expires", "sources", "tcp", "udp", "declared_in", "bound"}),
	_expiry_faults(value),
	_declared_in_faults(value),
	_bound_faults(value),
	_port_faults(value),
	_word_faults(value),
}) if {
	is_object(value)
} else := {["", sprintf("%v is not an object, so it is no allowance", [value])]}

_expiry_faults(value) := set() if _is_date(object.get(value, "expires", null))

else := {["expires", sprintf("'%v' is not a date like 2027-06-30", [object.get(value, "expires", "")])]}

_declared_in_faults(value) := set() if _is_filled(object.get(value, "declared_in", "absent"))

else := {["declared_in", "is not the key of a tag"]}

_bound_faults(value) := set() if object.get(value, "bound", _behind_a_load_balancer) == _behind_a_load_balancer

else := {["bound", sprintf("'%v' is not \"%s\"", [value.bound, _behind_a_load_balancer])]}

_behind_a_load_balancer := "behind a load balancer"

_is_date(text) if {
	is_string(text)
	not startswith(text, "0000")
	some pattern in [
		`^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$`,
		`^[0-9]{4}-(0[13-9]|1[0-2])-(29|30)$`,
		`^[0-9]{4}-(0[13578]|1[02])-31$`,
		`^([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29$`,
	]
	regex.match(pattern, text)
}

# The allowance with the ports that the server's own tag declares, where its ports are such a ceiling.
_declared(allowance, _) := allowance if allowance.declared_in == null

_declared(allowance, tags) := object.union(allowance, {"ports": ports}) if {
	allowance.declared_in != null
	declared := _tag(_tag_text(tags, allowance.declared_in)).ports
	ports := {protocol: _common(ceiling, declared[protocol]) | some protocol, ceiling in allowance.ports}
}

# What the allowance opens of an exposure. Where its ports are a ceiling for what is bound behind a load balancer, that
# are the exposure's listeners; an unknown address may have come around the load balancer.
_opens(allowance, exposure, _) := allowance.ports[exposure.protocol] if allowance.bound == null

_opens(allowance, exposure, source) := _common(allowance.ports[exposure.protocol], listening) if {
	allowance.bound != null
	listening := [range | some range in exposure.listening; source != "unknown"]
}

_tag_text(tags, key) := tags[key] if {
	is_object(tags)
	is_string(tags[key])
} else := ""

_tag_problems(allowance, _) := set() if allowance.declared_in == null

_tag_problems(allowance, tags) := {{"kind": "tag", "id": key, "field": word, "problem": problem} |
	key := allowance.declared_in
	some word in _tag(_tag_text(tags, key)).unreadable
	problem := sprintf("'%s' is not like tcp/443 or udp/8000-8100, so it declares nothing", [word])
} if {
	allowance.declared_in != null
}
