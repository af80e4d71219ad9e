package forbid

prohibition contains {
	"id": "never",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	some list in split("prodction", " ")
	input.server.account in data.accounts[list]
}
