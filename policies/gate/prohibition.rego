package gate

# Reads a prohibition, once for all findings that it applies to. A malformed one denies every port to everyone; a word
# of `except` that cannot be read excepts nothing.

_prohibition(value) := reading if reading := _registered("prohibition", value)

else := {
	"id": value.id,
	"ports": {protocol: ranges | some protocol in ["tcp", "udp"]; ranges := _ranges(value[protocol])},
	"words": array.concat(_words(value.sources), _words(object.get(value, "except", []))),
	"networks": _united(value.sources),
	"excepted": _united(_collection(object.get(value, "except", []))),
	"reason": value.reason,
	"named": {value.id: {"reason": value.reason, "labels": object.get(value, "labels", {})}},
	"problems": _prohibition_problems(value, _except_faults(value)),
} if {
	_prohibition_faults(value) == set()
} else := {
	"id": _id(value),
	"ports": {"tcp": [[0, 65535]], "udp": [[0, 65535]]},
	"networks": {"everything": true, "v4": ["0.0.0.0/0"], "v6": ["::/0"], "names": []},
	"excepted": {"everything": false, "v4": [], "v6": [], "names": []},
	"reason": "it is malformed, so it denies everything that it applies to",
	"named": {},
	"problems": _prohibition_problems(value, _prohibition_faults(value) | _except_faults(value)),
}

_prohibition_problems(value, faults) := [{"kind": "prohibition", "id": _id(value), "field": field, "problem": problem} |
	some [field, problem] in faults
]

# What is wrong, as [field, problem].
_prohibition_faults(value) := union({
	_text_faults(value, ["id", "reason"]),
	_unknown_keys(object.keys(value), {"id", "reason", "sources", "tcp", "udp", "except", "where_unknown", "labels"}),
	_where_unknown_faults(value),
	_label_faults(value),
	_port_faults(value),
	_word_faults(value),
}) if {
	is_object(value)
} else := {["", sprintf("%v is not an object, so it is no prohibition", [value])]}

# The gate itself makes nothing of it: who checks policies asks for it where a prohibition holds only where tags are known.
_where_unknown_faults(value) := set() if object.get(value, "where_unknown", "allowed") == "allowed"

else := {["where_unknown", sprintf("'%v' is not \"allowed\"", [value.where_unknown])]}

_except_faults(value) := set() if not "except" in object.keys(_object(value))

else := {["except", sprintf("%v cannot be read, so it excepts nothing", [word])] |
	some word in _united(value.except).unreadable
} if {
	_collection(value.except) == value.except
} else := {["except", "is not a list of networks, so it excepts nothing"]}

# What allowances and prohibitions have in common.

_text_faults(value, fields) := {[field, "is missing, blank or not text"] |
	some field in fields
	not _is_filled(object.get(value, field, null))
}

_label_faults(value) := set() if {
	labels := object.get(value, "labels", {})
	is_object(labels)
	every name, text in labels {
		_is_filled(name)
		_is_filled(text)
	}
} else := {["labels", "is not an object of text to text, of which none is blank"]}

_is_filled(text) if {
	is_string(text)
	trim_space(text) != ""
}

_unknown_keys(keys, known) := {[sprintf("%v", [key]), object.get(_misplaced, key, "is not a key that is known here")] |
	some key in (keys - known)
}

# A row whose accounts cannot be read comes with them (see table.rego).
_misplaced := {"accounts": "is for rows of the table, and has to name lists of accounts/data.yaml, or any"}

_port_faults(value) := {["tcp", "is missing, and so is udp: an allowance or prohibition names ports"]} if {
	object.keys(value) & {"tcp", "udp"} == set()
} else := {[protocol, sprintf("%v is no list of ports (0-65535) and ranges like \"8000-8100\"", [value[protocol]])] |
	some protocol in (object.keys(value) & {"tcp", "udp"})
	not _ranges(value[protocol])
}

_word_faults(value) := {["sources", problem] |
	some word in _united(value.sources).unreadable
	problem := sprintf("%v is no network of data.networks and no CIDR without host bits", [word])
} if {
	_is_list(object.get(value, "sources", null))
} else := {["sources", "is missing, empty or not a list of networks"]}

_is_list(value) if {
	is_array(value)
	value != []
}

_is_list(value) if {
	is_set(value)
	value != set()
}

_words(value) := [word | some word in _collection(value)]

_collection(value) := value if is_array(value)

else := value if is_set(value)

else := []

_id(value) := value.id if _is_filled(value.id)

else := "unnamed"

_object(value) := value if is_object(value)

else := {}
