# Prohibitions that hold where nobody knows what they ask for, by each idiom, or that say that they need not.
package forbid

# A helper with a second rule.
_is_database if input.server.tags.Role == "db"

_is_database if not input.server.tags_known

prohibition contains {
	"id": "tags",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	_is_database
	input.reach == "internet"
}

_is_said_to_be(role) if input.server.tags.Role == role

_is_said_to_be(_) if not input.server.tags_known

prohibition contains {
	"id": "tags-by-function",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	input.reach == "internet"
	_is_said_to_be("db")
}

_is_named if startswith(input.server.name, "db-")

_is_named if not input.server.tags_known

prohibition contains {
	"id": "name",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	_is_named
}

_is_unnamed if not input.server.name

_is_unnamed if startswith(input.server.name, "db-")

prohibition contains {
	"id": "name-absent",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	_is_unnamed
}

_is_in_vpc if input.server.vpc == "vpc-0a1"

_is_in_vpc if not input.server.vpc

prohibition contains {
	"id": "vpc",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	_is_in_vpc
}

_is_in_subnet if input.server.subnet in {"subnet-0a1", "subnet-0a2"}

_is_in_subnet if not input.server.subnet

prohibition contains {
	"id": "subnet",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	_is_in_subnet
}

_is_windows if contains(lower(input.server.platform), "windows")

_is_windows if not input.server.platform

prohibition contains {
	"id": "platform",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	_is_windows
	input.server.account in data.accounts.production
}

_is_in_group if "sg-0abc" in input.server.security_groups

_is_in_group if input.server.security_groups == []

_is_in_no_group if count(input.server.security_groups) == 0

_is_in_no_group if "sg-0abc" in input.server.security_groups

prohibition contains {
	"id": "security-groups",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	_is_in_group
}

prohibition contains {
	"id": "security-groups-counted",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	_is_in_no_group
}

# A second statement under the same id.

prohibition contains {
	"id": "twice",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	input.server.tags.Role == "db"
	input.reach == "internet"
}

prohibition contains {
	"id": "twice",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	not input.server.tags_known
	input.reach == "internet"
}

# A negation holds where it is unknown.

prohibition contains {
	"id": "negated",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	not input.server.tags.Env == "test"
}

prohibition contains {
	"id": "negated-vpc",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	not input.server.vpc == "vpc-0a1"
}

# So does a default that is asked for.

prohibition contains {
	"id": "defaulted",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	object.get(input.server.tags, "Env", "prod") == "prod"
}

prohibition contains {
	"id": "defaulted-platform",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	object.get(input.server, "platform", "windows") == "windows"
}

# A `not` over a function of what is unknown does not hold, so that this does.
_is_linux if not contains(lower(input.server.platform), "windows")

prohibition contains {
	"id": "platform-not",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	not _is_linux
}

# Two questions, each mended.

prohibition contains {
	"id": "two-questions",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	_is_database
	_is_in_vpc
}

# It says that it need not hold there.

prohibition contains {
	"id": "declared",
	"tcp": [21],
	"sources": ["anywhere"],
	"where_unknown": "allowed",
	"reason": "Test",
} if {
	input.server.tags.Role == "db"
}

prohibition contains {
	"id": "declared-vpc",
	"tcp": [21],
	"sources": ["anywhere"],
	"where_unknown": "allowed",
	"reason": "Test",
} if {
	input.server.vpc == "vpc-0a1"
}
