package forbid

prohibition contains {
	"id": "no-remote-desktop-from-outside",
	"tcp": [3389],
	"udp": [3389],
	"sources": ["anywhere"],
	"except": ["office", "private"],
	"reason": "Remote desktop is reached through the bastion",
} if {
	input.reach == "internet"
}
