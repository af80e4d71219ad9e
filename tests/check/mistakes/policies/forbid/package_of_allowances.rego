package allow

allowance contains {
	"id": "in-allow",
	"tcp": [23],
	"sources": ["anywhere"],
	"reason": "Test",
}
