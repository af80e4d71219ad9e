# Each forbids nothing where nobody knows what it asks for.
package forbid

_is_db if input.server.tags.Role == "db"

_has(key, value) if input.server.tags[key] == value

_is_db_server(server) if server.tags.Role == "db"

_is_no_db if not input.server.tags.Role == "db"

_lacks_tags if input.server.tags == {}

_tier := "db" if input.server.tags.Role == "db"

else := "none"

_is_in_vpc if input.server.vpc == "vpc-0a1"

_is_in_group if "sg-0abc" in input.server.security_groups

_is_in_group if not input.server.security_groups

_is_db_or_unknown if _is_db

_is_db_or_unknown if not input.server.tags_known

_is_db_here if _is_db

_is_db_here if {
	not input.server.tags_known
	input.server.account in data.accounts.production
}

prohibition contains {
	"id": "tags",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	input.server.tags.Role == "db"
}

prohibition contains {
	"id": "tags-some",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	some key, value in input.server.tags
	lower(key) == "role"
	value == "db"
}

prohibition contains {
	"id": "tags-in",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	"db" in input.server.tags
}

prohibition contains {
	"id": "tags-set",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	input.server.tags.Role in {"db", "cache"}
}

prohibition contains {
	"id": "tags-not-equal",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	input.server.tags.Env != "test"
}

prohibition contains {
	"id": "tags-default",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	object.get(input.server.tags, "Role", "") == "db"
}

prohibition contains {
	"id": "tags-default-deep",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	object.get(input, ["server", "tags", "Role"], "none") == "db"
}

prohibition contains {
	"id": "tags-variable",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	tags := input.server.tags
	tags.Role == "db"
}

prohibition contains {
	"id": "tags-helper",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	_is_db
}

prohibition contains {
	"id": "tags-function",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	_has("Role", "db")
}

prohibition contains {
	"id": "tags-of-server",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	_is_db_server(input.server)
}

prohibition contains {
	"id": "tags-not-helper",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	not _is_no_db
}

prohibition contains {
	"id": "tags-not-known",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	not _lacks_tags
}

prohibition contains {
	"id": "tags-else",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	_tier == "db"
}

prohibition contains {
	"id": "tags-count",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	count([value |
		some value in input.server.tags
		value == "db"
	]) > 0
}

prohibition contains {
	"id": "tags-every",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	every role in ["db"] {
		input.server.tags.Role == role
	}
}

prohibition contains {
	"id": "name",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	input.server.name == "db-01"
}

prohibition contains {
	"id": "name-part",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	startswith(input.server.name, "db-")
}

prohibition contains {
	"id": "name-pattern",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	regex.match(`^db-[0-9]+$`, input.server.name)
}

prohibition contains {
	"id": "name-default",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	object.get(input.server, "name", "") != ""
}

prohibition contains {
	"id": "vpc",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	input.server.vpc == "vpc-0a1"
}

prohibition contains {
	"id": "vpc-set",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	input.server.vpc in {"vpc-0a1", "vpc-0a2"}
}

prohibition contains {
	"id": "vpc-not-equal",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	input.server.vpc != "vpc-0a1"
}

prohibition contains {
	"id": "vpc-helper",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	_is_in_vpc
}

prohibition contains {
	"id": "subnet",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	input.server.subnet == "subnet-0a1"
}

prohibition contains {
	"id": "subnet-default",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	object.get(input.server, "subnet", "") == "subnet-0a1"
}

prohibition contains {
	"id": "platform",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	contains(lower(input.server.platform), "windows")
}

prohibition contains {
	"id": "security-groups",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	"sg-0abc" in input.server.security_groups
}

prohibition contains {
	"id": "security-groups-some",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	some group in input.server.security_groups
	startswith(group, "sg-0abc")
}

prohibition contains {
	"id": "security-groups-indexed",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	input.server.security_groups[_] == "sg-0abc"
}

prohibition contains {
	"id": "security-groups-absent",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	_is_in_group
}

prohibition contains {
	"id": "tags-subset",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	object.subset(input.server, {"tags": {"Role": "db"}})
}

prohibition contains {
	"id": "tags-marshalled",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	contains(json.marshal(input.server), "db")
}

prohibition contains {
	"id": "two-questions",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	input.server.tags.Role == "db"
	input.server.vpc == "vpc-0a1"
}

prohibition contains {
	"id": "half-mended",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	_is_db_or_unknown
	input.server.vpc == "vpc-0a1"
}

prohibition contains {
	"id": "asks-more",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	_is_db_here
}

prohibition contains {
	"id": "asks-more-in-another",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	input.server.tags.Role == "db"
}

prohibition contains {
	"id": "asks-more-in-another",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	not input.server.tags_known
	input.server.region == "eu-west-1"
}
