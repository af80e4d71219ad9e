package allow

# The list that began it all stood in a Lambda function: web servers, a VPN host, ssh from one address, ports from a
# server's own tag, high ports of container hosts. Each is a file here, or a row of servers/data.yaml.
# https://mig5.net/blog/amazon-inspector-lambda-notifications-findings-allowed-ports-exemption/
allowance contains {
	"id": "web-by-name",
	"tcp": [80, 443],
	"sources": ["anywhere"],
	"owner": "web-platform",
	"reason": "Public web servers that carry no role",
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
