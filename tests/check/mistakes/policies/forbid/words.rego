package forbid

prohibition contains {
	"id": "word",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	input.reach == "Internet"
}

prohibition contains {
	"id": "word-not",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	not input.reach == "Internet"
}

prohibition contains {
	"id": "field",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	not object.get(input.server, "tgas", {}) == {}
}

prohibition contains {
	"id": "account",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	input.server.account == "11112222333"
}

prohibition contains {
	"id": "account-near",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	input.server.account in {"111122223334"}
}
