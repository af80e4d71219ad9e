package forbids

prohibition contains {
	"id": "in-forbids",
	"tcp": [23],
	"sources": ["anywhere"],
	"reason": "Test",
}
