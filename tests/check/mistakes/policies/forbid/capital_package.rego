package Forbid.web

prohibition contains {
	"id": "in-capitals",
	"tcp": [23],
	"sources": ["anywhere"],
	"reason": "Test",
}
