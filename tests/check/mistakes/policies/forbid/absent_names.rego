package forbid

import data.accounts as known

prohibition contains {
	"id": "absent-in-a-value",
	"tcp": data.ports.administrativ.tcp,
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	input.reach == "internet"
}

prohibition contains {
	"id": "absent-list",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	input.server.account in data.accounts.prodction
}

prohibition contains {
	"id": "absent-document",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	not data.server.by_name[input.server.name]
}

prohibition contains {
	"id": "absent-rule",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	not data.allow._is_we
}

prohibition contains {
	"id": "absent-import",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	input.server.account in known.stagng
}

prohibition contains {
	"id": "absent-member",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	some list in ["prodution", "staging"]
	input.server.account in data.accounts[list]
}

prohibition contains {
	"id": "absent-member-2",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	some _, list in {"prodution", "staging"}
	input.server.account in data.accounts[list]
}

prohibition contains {
	"id": "absent-variable",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	list := "prodution"
	not input.server.account in data.accounts[list]
}

prohibition contains {
	"id": "absent-every",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	every list in ["staging", "prodution"] {
		not input.server.account in data.accounts[list]
	}
}

_is_in(known) if input.server.region == known.region

_is_staged if input.server.account in known.stagin

prohibition contains {
	"id": "uses",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	_is_in({"region": "eu-west-1"})
	_is_staged
}
