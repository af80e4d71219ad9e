package allow

allowance contains {
	"id": "web-https",
	"tcp": [80, 443],
	"sources": ["anywhere"],
	"owner": "web-platform",
	"reason": "Public web servers",
	"expires": "2027-06-30",
} if {
	input.server.tags.Role == "web"
	input.server.account == "111122223333"
}

allowance contains {
	"id": "office-admin",
	"tcp": [22, "8000-8100"],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Administration from the office",
	"expires": "2027-01-31",
} if {
	input.server.account == "111122223333"
}
