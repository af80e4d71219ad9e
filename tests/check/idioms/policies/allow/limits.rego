package allow

# METADATA
# description: The folder says how soon and how late a statement may expire.
allowance contains {
	"id": "soon",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2026-11-30",
} if input.server.account in data.accounts.sandbox

allowance contains {
	"id": "late",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2028-12-31",
} if input.server.account in data.accounts.sandbox
