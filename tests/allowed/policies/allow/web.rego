package allow

allowance contains {
	"id": "web",
	"tcp": [80, 443, "8000-8100"],
	"sources": ["anywhere"],
	"owner": "web-platform",
	"reason": "Public web servers",
	"expires": "2027-06-30",
	"labels": {"ticket": "OPS-7"},
} if {
	input.server.tags.Role == "web"
	input.server.name in {"www", "shop.example.com", "status"}
	input.server.account in data.accounts.production
	input.reach == "internet"
}

allowance contains {
	"id": "old",
	"udp": [1194],
	"sources": ["office"],
	"owner": "netops",
	"reason": "OpenVPN",
	"expires": "2026-11-01",
} if {
	input.server.id == "i-0123456789abcdef0"
	not startswith(input.server.name, "db")
}

allowance contains {
	"id": "ping",
	"tcp": [7],
	"everywhere": true,
	"sources": ["office"],
	"owner": "netops",
	"reason": "Echo",
	"expires": "2026-12-01",
}

allowance contains {
	"id": "broken",
	"tcp": ["443-80"],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Echo",
	"expires": "2027-12-01",
} if {
	input.server.account in ["111122223333"]
}

allowance contains object.union(entry, {"owner": "netops", "expires": "2027-01-01", "sources": ["office"]}) if {
	some entry in data.constants.metrics
	input.server.name == entry.reason
}
