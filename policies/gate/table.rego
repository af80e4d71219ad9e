package gate

# METADATA
# description: |
#   Every allowance that applies to the input: those of the team's rules, and the rows of servers/data.yaml, by the
#   server's name, its id, or one of its tags. A row names the accounts in which it holds; one that does not is passed on
#   all the same, so that it is refused and what is wrong with it is named. Partial evaluation prints them all.
allowance contains rule if some rule in data.allow.allowance

allowance contains _row(row) if {
	some row in data.servers.by_name[input.server.name]
	_holds_here(row)
}

allowance contains _row(row) if {
	some row in data.servers.by_id[input.server.id]
	_holds_here(row)
}

allowance contains _row(row) if {
	some key, value in input.server.tags
	some row in data.servers.by_tag[key][value]
	_holds_here(row)
}

_holds_here(row) if "any" in row.accounts

_holds_here(row) if {
	some list in row.accounts
	input.server.account in data.accounts[list]
}

_holds_here(row) if not _names_accounts(row)

_names_accounts(row) if {
	is_array(row.accounts)
	count(row.accounts) > 0
	every list in row.accounts { _is_list_of_accounts(list) }
}

_is_list_of_accounts("any")

_is_list_of_accounts(list) if is_array(data.accounts[list])

# A row whose accounts can be read is an allowance without them; any other keeps them, be it as null, and is refused.
_row(row) := object.remove(row, ["accounts"]) if _names_accounts(row)

else := object.union({"accounts": null}, row) if is_object(row)

else := row
