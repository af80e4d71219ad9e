package allow

allowance contains row if {
	some row in data.constants.more.rows
	input.server.account in data.accounts.production
}
