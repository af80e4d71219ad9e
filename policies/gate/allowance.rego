package gate

# Reads allowances and prohibitions once each, whatever findings they apply to. A malformed allowance covers nothing;
# a malformed prohibition denies everything that it applies to.

_allowance(value) := {
	"id": value.id,
	"owner": value.owner,
	"expires": value.expires,
	"ports": {protocol: ranges | some protocol in {"tcp", "udp"}; ranges := _ranges(value[protocol])},
	"sources": value.sources,
	"declared_in": object.get(value, "declared_in", null),
	"problems": set(),
} if {
	_allowance_faults(value) == set()
} else := {"problems": {{"kind": "allowance", "id": _id(value), "field": field, "problem": problem} |
	some [field, problem] in _allowance_faults(value)
}}

_prohibition(value) := {
	"id": _id(value),
	"malformed": faults != set(),
	"ports": {protocol: ranges | some protocol in {"tcp", "udp"}; ranges := _ranges(_object(value)[protocol])},
	"sources": object.get(_object(value), "sources", []),
	"except": [word | some word in excepted; _members(word) != null],
	"reason": _prohibition_reason(value, faults),
	"problems": {{"kind": "prohibition", "id": _id(value), "field": field, "problem": problem} |
		some [field, problem] in (faults | _except_faults(value))
	},
} if {
	faults := _prohibition_faults(value)
	excepted := _collection(object.get(_object(value), "except", []))
}

_prohibition_reason(value, faults) := value.reason if faults == set()

else := "it is malformed, so it denies everything that it applies to"

# What is wrong, as [field, problem].
_allowance_faults(value) := union({
	_text_faults(value, ["id", "owner", "reason"]),
	_unknown_keys(value, {"id", "owner", "reason", "expires", "sources", "tcp", "udp", "declared_in"}),
	_expiry_faults(value),
	_declared_in_faults(value),
	_port_faults(value),
	_word_faults(value, "sources"),
}) if {
	is_object(value)
} else := {["", sprintf("%v is not an object, so it is no allowance", [value])]}

_prohibition_faults(value) := union({
	_text_faults(value, ["id", "reason"]),
	_unknown_keys(value, {"id", "reason", "sources", "tcp", "udp", "except"}),
	_port_faults(value),
	_word_faults(value, "sources"),
}) if {
	is_object(value)
} else := {["", sprintf("%v is not an object, so it is no prohibition", [value])]}

_text_faults(value, fields) := {[field, "is missing, blank or not text"] |
	some field in fields
	not _filled(object.get(value, field, null))
}

_filled(text) if {
	is_string(text)
	trim_space(text) != ""
}

_unknown_keys(value, known) := {[key, "is not a key that is known here"] |
	some key in (object.keys(value) - known)
}

_expiry_faults(value) := set() if _date(object.get(value, "expires", null))

else := {["expires", sprintf("'%v' is not a date like 2027-06-30", [object.get(value, "expires", "")])]}

_declared_in_faults(value) := set() if _filled(object.get(value, "declared_in", "absent"))

else := {["declared_in", "is not the key of a tag"]}

_port_faults(value) := {["tcp", "is missing, and so is udp: an allowance or prohibition names ports"]} if {
	object.keys(value) & {"tcp", "udp"} == set()
} else := {[protocol, sprintf("%v is no list of ports (0-65535) and ranges like \"8000-8100\"", [value[protocol]])] |
	some protocol in (object.keys(value) & {"tcp", "udp"})
	_ranges(value[protocol]) == null
}

_word_faults(value, field) := {[field, sprintf("%v is no network of data.networks and no CIDR without host bits", [word])] |
	some word in value[field]
	_members(word) == null
} if {
	_list(object.get(value, field, null))
} else := {[field, "is missing, empty or not a list of networks"]}

_except_faults(value) := set() if not "except" in object.keys(_object(value))

else := {["except", sprintf("%v cannot be read, so it excepts nothing", [word])] |
	some word in value.except
	_members(word) == null
} if {
	_collection(value.except) == value.except
} else := {["except", "is not a list of networks, so it excepts nothing"]}

_collection(value) := value if is_array(value)

else := value if is_set(value)

else := []

_id(value) := value.id if {
	is_object(value)
	_filled(value.id)
} else := "unnamed"

_date(text) if {
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

_declared(allowance, tags) := object.union(allowance, {"ports": {protocol: ranges |
	some protocol, ceiling in allowance.ports
	ranges := _common(ceiling, _tag(_tag_text(tags, allowance.declared_in)).ports[protocol])
}}) if {
	allowance.declared_in != null
}

_tag_text(tags, key) := tags[key] if {
	is_object(tags)
	is_string(tags[key])
} else := ""

_allowance_problems(value, tags) := read.problems | {{"kind": "tag", "id": key, "field": word, "problem": problem} |
	key := read.declared_in
	key != null
	some word in _tag(_tag_text(tags, key)).unreadable
	problem := sprintf("'%s' is not like tcp/443 or udp/8000-8100, so it declares nothing", [word])
} if {
	read := _allowance(value)
}
