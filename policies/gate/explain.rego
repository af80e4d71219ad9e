package gate

# Says why a port range is denied, which allowance came nearest, and how bad it is.

# What is denied of an exposure, behind what it is sorted by.
_denied(exposure, source, [[first, last, cause, prohibition, nearest, reason], still]) := [
	exposure.protocol,
	first,
	source,
	group,
	last,
	rules,
	{
		"protocol": exposure.protocol,
		"from_port": first,
		"to_port": last,
		"source": source,
		"security_group": group,
		"rules": rules,
		"cause": cause,
		"prohibition": prohibition,
		"nearest": nearest,
		"reason": reason,
		"still_allowed": still,
		"severity": _grade(exposure.protocol, first, last, source),
	},
] if {
	group := _text_or_null(exposure, "security_group")
	rules := [rule | some rule in exposure.rules; is_string(rule)]
}

# Why a span is denied: the span, the id of the allowance that came nearest, and the sentence.
_explained(_, protocol, source, near, stopping, [first, last, "prohibited", id]) := [
	first,
	last,
	"prohibited",
	id,
	_nearest(near, first, last),
	reason,
] if {
	[told, stop] := min({[stop.reason, stop] |
		some [low, high, stop] in stopping
		stop.id == id
		low <= first
		first <= high
	})
	whom := _spell_forbidden(stop, source)
	reason := sprintf("%s forbids %s %s from %s: %s", [id, protocol, _spell_range(first, last), whom, told])
}

_explained(_, protocol, _, _, _, [first, last, "uncovered", _]) := [first, last, "uncovered", null, null, reason] if {
	reason := sprintf("nothing allows %s %s on this server", [protocol, _spell_range(first, last)])
}

# Of an expired range only those that expired on it are of interest: those that hold some of the source, or if it was
# held together only, any.
_explained(today, _, _, near, _, [first, last, "expired", _]) := [first, last, "expired", null, term.id, reason] if {
	expired := [one |
		some one in near
		one[0].expires < today
		_overlap(one[1], first, last)
	]
	holding := [one | some one in expired; one[2] != "none"]
	[_, _, _, [term, _, _]] := min([_rank(one, first, last) | some one in {true: expired, false: holding}[holding == []]])
	reason := sprintf("%s expired on %s (%s)", [term.id, term.expires, term.owner])
}

_explained(today, protocol, source, near, _, [first, last, "short", _]) := [
	first,
	last,
	"short",
	null,
	term.id,
	reason,
] if {
	[rank, _, _, [term, ranges, relation]] := min([_rank(one, first, last) | some one in near])
	reason := sprintf("%s; %s", [
		_spell_allowance(term, today, protocol, ranges),
		_spell_shortfall(rank, first, last, source, relation),
	])
}

_nearest(near, first, last) := nearest if nearest := min([_rank(one, first, last) | some one in near])[2]

else := null

# [rank, distance in ports, id, allowance]: what covers the ports comes before what covers the source.
_rank([term, ranges, relation], first, last) := [rank, 0, term.id, [term, ranges, relation]] if {
	some [low, high] in _joined(ranges, first, last)
	low <= first
	high >= last
	rank := {"whole": 0, "part": 1, "none": 1}[relation]
} else := [2, distance, term.id, [term, ranges, relation]] if {
	relation == "whole"
	distance := min({65536} | {max([0, low - last, first - high]) | some [low, high] in ranges})
} else := [3, 0, term.id, [term, ranges, relation]]

# Only several ports can lie in several ranges that touch.
_joined(ranges, port, port) := ranges

_joined(ranges, first, last) := _merged(ranges) if first < last

# Whom a prohibition keeps out of a source that it reaches.
_spell_forbidden(stop, source) := source if {
	_whole(stop.networks, source)
	_shared(stop.excepted, source) == set()
} else := "some addresses, and this one is unknown" if {
	source == "unknown"
} else := sprintf("a part of %s", [source])

_spell_allowance(term, today, protocol, ranges) := sprintf("%s%s allows %s %s from %s", [
	term.id,
	_spell_lapsed(term, today),
	protocol,
	_spell_opened(term, protocol, ranges),
	_spell_words(term.words),
])

_spell_opened(term, protocol, ranges) := _spell_ranges(ranges) if term.bound == null

else := sprintf("%s bound %s", [_spell_ranges(term.ports[protocol]), term.bound])

_spell_lapsed(term, today) := "" if term.expires >= today

else := sprintf(" (expired on %s)", [term.expires])

_spell_shortfall(2, first, last, _, _) := sprintf("%s is not among them", [_spell_range(first, last)])

_spell_shortfall(1, _, _, "unknown", _) := "the address is unknown, so it may be any"

_spell_shortfall(1, _, _, source, relation) := sprintf("%s is %s", [source, words]) if {
	source != "unknown"
	words := {"part": "wider", "none": "not among them"}[relation]
}

_spell_shortfall(3, first, last, source, _) := sprintf("neither %s nor %s is among them", [
	_spell_range(first, last),
	source,
])
