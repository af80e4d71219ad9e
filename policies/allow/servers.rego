# METADATA
# description: |
#   The rows of servers/data.yaml. A row names the accounts in which it holds; one that does not is passed on as it is,
#   so that the gate names what is wrong with it.
# scope: subpackages
# schemas:
#   - input: schema.finding
package allow

allowance contains _row(row) if {
	some row in data.servers.by_name[input.server.name]
	_holds_here(row)
}

allowance contains _row(row) if {
	some row in data.servers.by_id[input.server.id]
	_holds_here(row)
}

allowance contains _row(row) if {
	some key, rows_by_value in data.servers.by_tag
	some row in rows_by_value[input.server.tags[key]]
	_holds_here(row)
}

_holds_here(row) if {
	some list in row.accounts
	list == "any"
}

_holds_here(row) if {
	some list in row.accounts
	input.server.account in data.accounts[list]
}

_holds_here(row) if not _names_accounts(row)

_names_accounts(row) if {
	is_array(row.accounts)
	count(row.accounts) > 0
	every list in row.accounts { _known(list) }
}

_known("any")

_known(list) if is_array(data.accounts[list])

# A row with readable accounts is an allowance without them; with others it keeps them, and the gate refuses it.
_row(row) := object.remove(row, ["accounts"]) if _names_accounts(row)

else := row
