package allow

allowance contains {
	"id": "sources-misspelt",
	"tcp": [443],
	"sources": ["ofice"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "sources-nothing-near",
	"tcp": [443],
	"sources": ["headquarters"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "sources-an-address",
	"tcp": [443],
	"sources": ["office", "192.0.2.7"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "sources-an-ipv6-address",
	"tcp": [443],
	"sources": ["2001:db8::7"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "sources-host-bits",
	"tcp": [443],
	"sources": ["203.0.113.9/24"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "sources-broken",
	"tcp": [443],
	"sources": ["203.0.113.0/33", "sg_0abc"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "sources-empty",
	"tcp": [443],
	"sources": [],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "sources-text",
	"tcp": [443],
	"sources": "office",
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "sources-number",
	"tcp": [443],
	"sources": [7],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "sources-none",
	"tcp": [443],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "sources-everything",
	"tcp": [443],
	"sources": ["0.0.0.0"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "sources-a-broken-network",
	"tcp": [443],
	"sources": ["home"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if input.server.account in data.accounts.production
