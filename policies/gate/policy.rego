package gate

# The policies that apply to a finding, as read at its time. Most are plain: nothing is wrong with any, none asks for
# more than ports and addresses, and no two allowances share an id.
_policy([allowances, prohibitions], now) := {
	"plain": true,
	"today": today,
	"terms": terms,
	"effective": terms,
	"networks": [[term.id, term.networks] | some term in terms],
	"special": false,
	"stops": forbidding.stops,
	"named": named,
	"prohibitions": forbidding.named,
	"problems": set(),
} if {
	today := _today(now)
	terms := [term |
		some allowance in allowances
		term := _allowance(allowance)
		term.special == false
		term.expires >= today
	]
	named := object.union_n([term.named | some term in terms])
	count(named) == count(allowances)
	forbidding := _forbidding(prohibitions)
	forbidding.problems == set()
} else := {
	"plain": [special, problems, count(named)] == [[], set(), count(terms)],
	"today": today,
	"terms": terms,
	"effective": [term | some term in terms; term.expires >= today],
	"networks": [[term.id, term.networks] | some term in terms],
	"special": special != [],
	"stops": forbidding.stops,
	"named": named,
	"prohibitions": forbidding.named,
	"problems": problems,
} if {
	today := _day(now)
	read := [_allowance(allowance) | some allowance in allowances]
	terms := [allowance | some allowance in read; allowance.problems == []]
	special := [1 | some term in terms; term.special]
	forbidding := _forbidding(prohibitions)
	problems := forbidding.problems | {problem | some allowance in read; some problem in allowance.problems}
	named := _named(terms)
}

_forbidding(prohibitions) := {
	"stops": {protocol: [[low, high, stop] | some stop in stops; some [low, high] in stop.ports[protocol]] |
		some protocol in ["tcp", "udp"]
	},
	"named": _named_stops(stops),
	"problems": {problem | some stop in stops; some problem in stop.problems},
} if {
	stops := [_prohibition(prohibition) | some prohibition in prohibitions]
}

# Whose the allowances are that apply, and until when they hold: of two with one id, the one that lasts longer.
_named(terms) := named if {
	named := object.union_n([term.named | some term in terms])
	count(named) == count(terms)
} else := {id: {"owner": owner, "expires": expires, "labels": labels} |
	some id in {term.id | some term in terms}
	[expires, owner, labels] := max([[term.expires, term.owner, term.named[id].labels] |
		some term in terms
		term.id == id
	])
}

# Why the well-formed prohibitions forbid that apply; of two with one id, either.
_named_stops(stops) := named if {
	named := object.union_n([stop.named | some stop in stops])
	count(named) == count(stops)
} else := {id: max([stop.named[id] | some stop in stops]) | some stop in stops; some id, _ in stop.named}

# The policies with the ports that the tags of the finding's server declare.
_fitted(policy, finding) := policy if not policy.special

else := object.union(policy, {
	"terms": [_declared(term, tags) | some term in policy.terms],
	"problems": (policy.problems | {problem | some term in policy.terms; some problem in _tag_problems(term, tags)}),
}) if {
	tags := object.get(_object(finding), ["server", "tags"], {})
}
