package forbid

prohibition contains {
	"id": "ports-text",
	"tcp": ["21"],
	"sources": ["anywhere"],
	"reason": "Test",
}

prohibition contains {
	"id": "sources-misspelt",
	"tcp": [21],
	"sources": ["anywere"],
	"reason": "Test",
}

prohibition contains {
	"id": "excepts-misspelt",
	"tcp": [21],
	"sources": ["anywhere"],
	"except": ["offcie"],
	"reason": "Test",
}

prohibition contains {
	"id": "excepts-an-address",
	"tcp": [21],
	"sources": ["anywhere"],
	"except": ["203.0.113.9"],
	"reason": "Test",
}

prohibition contains {
	"id": "excepts-text",
	"tcp": [21],
	"sources": ["anywhere"],
	"except": "office",
	"reason": "Test",
}

prohibition contains {
	"id": "key-near",
	"tcp": [21],
	"sources": ["anywhere"],
	"excpet": ["office"],
	"reason": "Test",
}

prohibition contains {
	"id": "where-unknown-otherwise",
	"tcp": [21],
	"sources": ["anywhere"],
	"where_unknown": "denied",
	"reason": "Test",
}

prohibition contains {
	"id": "labels-number",
	"tcp": [21],
	"sources": ["anywhere"],
	"labels": {"ticket": 7},
	"reason": "Test",
}

prohibition contains {"id": "no-reason", "tcp": [21], "sources": ["anywhere"]}
