package allow

allowance contains {
	"id": "ssh",
	"tcp": [22],
	"sources": ["anywhere"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "a-range",
	"tcp": ["20-8500"],
	"sources": ["anywhere"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "all-tcp",
	"tcp": ["0-65535"],
	"sources": ["anywhere"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "all-but-0",
	"tcp": [443],
	"sources": ["anywhere"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
	"udp": ["1-65535"],
} if input.server.account in data.accounts.production

allowance contains {
	"id": "in-halves",
	"tcp": ["0-32767", "32768-65535"],
	"sources": ["anywhere"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "only-ipv4",
	"tcp": [443],
	"sources": ["0.0.0.0/0"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "only-ipv6",
	"tcp": [443],
	"sources": ["::/0"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "both-literally-passes",
	"tcp": [443],
	"sources": ["0.0.0.0/0", "::/0"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "half-of-ipv4-passes",
	"tcp": [443],
	"sources": ["0.0.0.0/1"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "both-halves-of-ipv4",
	"tcp": [443],
	"sources": ["0.0.0.0/1", "128.0.0.0/1"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "ssh-from-the-office-passes",
	"tcp": [22],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "udp-162",
	"sources": ["anywhere"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
	"udp": [161, 162],
} if input.server.account in data.accounts.production

allowance contains {
	"id": "declared-ceiling",
	"tcp": ["0-65535"],
	"sources": ["anywhere"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
	"declared_in": "portcullis:allow",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "bound-ceiling-passes",
	"tcp": ["32768-65535"],
	"sources": ["anywhere"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
	"bound": "behind a load balancer",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "everywhere",
	"tcp": [22],
	"sources": ["anywhere"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
	"everywhere": true,
}
