package forbid

prohibition contains {
	"id": "spares-networks",
	"tcp": [21],
	"sources": ["anywhere"],
	"except": ["office", "private"],
	"reason": "Test",
}

prohibition contains {
	"id": "spares-a-family",
	"tcp": [21],
	"sources": ["anywhere"],
	"except": ["0.0.0.0/0"],
	"reason": "Test",
}

prohibition contains {
	"id": "spares-no-group",
	"tcp": [21],
	"sources": ["sg-0aaa", "office"],
	"except": ["203.0.113.0/24"],
	"reason": "Test",
}

prohibition contains {
	"id": "spares-nothing",
	"tcp": [21],
	"sources": ["anywhere"],
	"except": [],
	"reason": "Test",
}

prohibition contains {
	"id": "labelled",
	"tcp": [21],
	"sources": ["anywhere"],
	"labels": {"ticket": "OPS-9"},
	"reason": "Test",
}
