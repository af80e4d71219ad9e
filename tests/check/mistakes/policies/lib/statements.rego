package lib.statements

prohibition contains {
	"id": "in-lib",
	"tcp": [23],
	"sources": ["anywhere"],
	"reason": "Test",
}
