package forbid

prohibition contains {
	"id": "no-rdp",
	"tcp": [3389],
	"sources": ["anywhere"],
	"except": ["office"],
	"reason": "Through the bastion",
	"where_unknown": "allowed",
} if {
	input.server.tags.Role != "jump"
}

prohibition contains {
	"id": "no-telnet",
	"tcp": [23],
	"sources": ["anywhere"],
	"reason": "Passwords in the clear",
}
