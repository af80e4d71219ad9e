package allow

allowance contains {
	"id": "openvpn",
	"udp": [1194],
	"tcp": [443],
	"sources": ["anywhere"],
	"owner": "netops",
	"reason": "OpenVPN, with its portal on 443",
	"expires": "2027-06-30",
} if {
	input.server.name == "vpn.example.com"
	input.server.account in data.accounts.production
}
