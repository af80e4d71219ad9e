package allow

allowance contains {
	"id": "expired-yesterday",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2026-11-23",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "expires-today",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2026-11-24",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "expires-tomorrow",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2026-11-25",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "expires-in-29-days",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2026-12-23",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "expires-in-30-days-passes",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2026-12-24",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "runs-400-days-passes",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-12-29",
} if input.server.account in data.accounts.production

allowance contains {
	"id": "runs-401-days",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-12-30",
} if input.server.account in data.accounts.production
