package forbid

prohibition contains {
	"id": "no-telnet",
	"tcp": [23],
	"sources": ["anywhere"],
	"reason": "Telnet sends passwords in the clear",
} if {
	input.reach == "internet"
}
