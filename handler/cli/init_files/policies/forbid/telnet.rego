package forbid

# A prohibition wins over every allowance. After `if` it could name the servers; this one holds on all of them.
prohibition contains {
	"id": "no-telnet",
	"tcp": [23],
	"sources": ["anywhere"],
	"reason": "Telnet sends passwords in the clear",
}
