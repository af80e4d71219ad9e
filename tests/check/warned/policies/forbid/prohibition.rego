package forbid

prohibition contains {
	"id": "without-a-condition-passes",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
}

prohibition contains {
	"id": "one-family-passes",
	"tcp": [21],
	"sources": ["0.0.0.0/0"],
	"reason": "Test",
}

prohibition contains {
	"id": "every-port-passes",
	"tcp": ["0-65535"],
	"sources": ["anywhere"],
	"reason": "Test",
}
