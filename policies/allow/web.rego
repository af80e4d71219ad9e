package allow

# Web servers, known by name in production and by their role everywhere that we run them.
allowance contains {
	"id": "web-by-name",
	"tcp": [80, 443],
	"sources": ["anywhere"],
	"owner": "web-platform",
	"reason": "Public web servers of the founding list",
	"expires": "2027-06-30",
} if {
	input.server.name in {"www", "web-prod-01", "web-prod-02", "shop.example.com"}
	input.server.account in data.accounts.production
}

allowance contains {
	"id": "web-https",
	"tcp": [80, 443],
	"sources": ["anywhere"],
	"owner": "web-platform",
	"reason": "Public web servers",
	"expires": "2027-06-30",
} if {
	input.server.tags.Role == "web"
	input.server.account in data.accounts.production
}
