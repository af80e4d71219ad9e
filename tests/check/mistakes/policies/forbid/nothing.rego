package forbid

prohibition contains {
	"id": "spares-a-network",
	"tcp": [21],
	"sources": ["anywhere"],
	"except": ["office", "anywhere"],
	"reason": "Test",
}

prohibition contains {
	"id": "spares-what-holds-it",
	"tcp": [21],
	"sources": ["203.0.113.0/24", "sg-*"],
	"except": ["office", "private"],
	"reason": "Test",
}

prohibition contains {
	"id": "spares-halves",
	"tcp": [21],
	"sources": ["anywhere"],
	"except": ["0.0.0.0/1", "128.0.0.0/1", "::/0"],
	"reason": "Test",
}
