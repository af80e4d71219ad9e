package allow

allowance contains {
	"id": "ports-text",
	"tcp": [80, "443", 8080],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "ports-reversed",
	"tcp": [80, "8100-8000"],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "ports-too-high",
	"tcp": [80, 65536, "60000-70000"],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "ports-negative",
	"tcp": [-1],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "ports-broken",
	"tcp": [443.5],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "ports-zeros",
	"tcp": ["0443", "080-090"],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "ports-spaced",
	"tcp": ["8000 - 8100"],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "ports-no-list",
	"tcp": 443,
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "ports-empty",
	"tcp": [],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "ports-others",
	"tcp": [true, null, [443], "https"],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
	"udp": ["53"],
} if input.server.account in data.accounts.production

allowance contains {
	"id": "ports-none",
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "ports-protocol",
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
	"tpc": [443],
} if input.server.account in data.accounts.production
