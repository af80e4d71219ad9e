# Text is never a list or a number, nor among lists.
package forbid

_is_ours(list) if input.server.account in list

_is_known if input.server.account == data.accounts.staging

_is_known if input.server.account in data.accounts.production

prohibition contains {
	"id": "no-text-list",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	input.server.account == data.accounts.production
}

prohibition contains {
	"id": "no-text-unequal",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	input.server.account != data.accounts.production
}

prohibition contains {
	"id": "no-text-accounts",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	input.server.account in data.accounts
}

prohibition contains {
	"id": "no-text-member",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	some account in data.accounts
	input.server.account == account
}

prohibition contains {
	"id": "no-text-object",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	input.server.account in {"production": data.accounts.production}
}

prohibition contains {
	"id": "no-text-set",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	_is_ours({data.accounts.production})
}

prohibition contains {
	"id": "no-text-one-way",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	_is_known
}

prohibition contains {
	"id": "no-text-reach",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	object.get(input, "reach", "") == data.accounts.staging
}

prohibition contains {
	"id": "no-text-number",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	input.server.region == data.constants.number
}
