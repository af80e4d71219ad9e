# Functions with `else` decide by what nobody knows, and OPA leaves them as they are.
package allow

_class(server) := "internal" if server.tags.Zone == "internal"

else := "open"

_system(server) := "windows" if startswith(server.platform, "WIN")

else := "linux"

_is_internal(server) if _class(server) == "internal"

allowance contains {"id": "else-tags", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	_class(input.server) == "open"
	input.server.account in data.accounts.production
}

allowance contains {"id": "else-tags-not", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	not _is_internal(input.server)
	input.server.account in data.accounts.production
}

allowance contains {"id": "else-platform", "tcp": [443], "sources": ["office"], "owner": "netops", "reason": "Test", "expires": "2027-06-30"} if {
	_system(input.server) == "linux"
	input.server.account in data.accounts.production
}
