package gate

# Reads an allowance, once for all findings that it applies to. A malformed one covers nothing: it has only problems.

_allowance(value) := reading if reading := _registered("allowance", value)

else := {
	"id": value.id,
	"owner": value.owner,
	"expires": value.expires,
	"ports": {protocol: _ranges(value[protocol]) | some protocol in ["tcp", "udp"]},
	"words": value.sources,
	"networks": _united(value.sources),
	"declared_in": object.get(value, "declared_in", null),
	"bound": object.get(value, "bound", null),
	"special": (object.keys(value) & {"declared_in", "bound"}) != set(),
	"named": {value.id: {"owner": value.owner, "expires": value.expires, "labels": object.get(value, "labels", {})}},
	"problems": [],
} if {
	_allowance_faults(value) == set()
}

else := {"problems": [{"kind": "allowance", "id": _id(value), "field": field, "problem": problem} |
	some [field, problem] in _allowance_faults(value)
]}

# What is wrong, as [field, problem].
_allowance_faults(value) := union({
	_text_faults(value, ["id", "owner", "reason"]),
	_expiry_faults(value),
	_port_faults(value),
	_word_faults(value),
	_other_faults(value, object.keys(value) - {"id", "owner", "reason", "expires", "sources", "tcp", "udp"}),
}) if {
	is_object(value)
} else := {["", sprintf("%v is not an object, so it is no allowance", [value])]}

_other_faults(_, set()) := set()

_other_faults(value, keys) := union({
	_unknown_keys(keys, {"declared_in", "bound", "everywhere", "labels"}),
	_declared_in_faults(value),
	_bound_faults(value),
	_everywhere_faults(value),
	_label_faults(value),
}) if {
	keys != set()
}

_expiry_faults(value) := set() if _is_date(object.get(value, "expires", null))

else := {["expires", sprintf("'%v' is not a date like 2027-06-30", [object.get(value, "expires", "")])]}

_declared_in_faults(value) := set() if _is_filled(object.get(value, "declared_in", "absent"))

else := {["declared_in", "is not the key of a tag"]}

_bound_faults(value) := set() if object.get(value, "bound", _behind_a_load_balancer) == _behind_a_load_balancer

else := {["bound", sprintf("'%v' is not \"%s\"", [value.bound, _behind_a_load_balancer])]}

_behind_a_load_balancer := "behind a load balancer"

_everywhere_faults(value) := set() if object.get(value, "everywhere", true) == true

else := {["everywhere", sprintf("'%v' is not true; an allowance for some servers leaves it out", [value.everywhere])]}

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

# What the allowance opens of a protocol. Where its ports are a ceiling for what is bound behind a load balancer, that
# are the exposure's listeners; an unknown address may have come around the load balancer.
_opens(allowance, protocol, _, _) := allowance.ports[protocol] if allowance.bound == null

_opens(allowance, protocol, source, listening) := _common(allowance.ports[protocol], heard) if {
	allowance.bound != null
	heard := [range | some range in listening; source != "unknown"]
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
