package gate

# Judges one source of one exposure. The ports are cut where any allowance or prohibition begins or ends; between two
# cuts every port fares alike, so nobody enumerates 65,536 of them.

# The verdicts on the sources of an exposure; null for what cannot be read.
_judge(policy, exposure, listening) := [_verdict(policy, opening, listening, source) |
	some source in exposure.sources
] if {
	_array(exposure, "sources") != []
	opening := _opening(policy, exposure.protocol, [exposure.from_port, exposure.to_port])
} else := [null]

# Whether the source is permitted, the source, what of the ports is denied to it, and what is allowed. A span is [first,
# last, cause, prohibition]; what is near is an allowance, its ranges, and how it lies to the source.
default _verdict(_, _, _, _) := null

_verdict(policy, [protocol, first, last, _, _, stops], listening, source) := [
	refused == [],
	source,
	[[explained, still] |
		some span in refused
		explained := _explained(policy.today, protocol, source, near, stopping, span)
		still := _still_allowed(policy.today, near, stopping, source, [first, last], span)
	],
	[_allowed(policy.today, protocol, source, near, span) | some span in spans; span[2] == "allowed"],
] if {
	family := _family(source)
	near := [[term, ranges, relation] |
		some term in policy.terms
		ranges := _opens(term, protocol, source, listening)
		relation := _relation(term.networks, family, source)
	]
	stopping := [[low, high, stop] |
		some [low, high, stop] in stops
		_reaches(stop.networks, stop.excepted, source)
	]
	spans := _spans(policy.today, first, last, near, stopping, _divided(near, source))
	refused := [span | some span in spans; span[2] != "allowed"]
}

# The source where an allowance holds a part of it, so that it matters what others hold of it; else none in particular,
# so that what is worked out for one source serves all.
_divided(near, source) := source if {
	some [_, _, "part"] in near
} else := "unknown"

# The longest ranges of one fate.
_spans(today, port, port, near, stopping, source) := [[port, port, cause, prohibition]] if {
	[cause, prohibition] := _fate(today, port, near, stopping, source)
}

_spans(today, first, last, near, stopping, source) := [array.concat([cuts[begin], ends[index]], fates[begin]) |
	some index, begin in begins
] if {
	first < last
	cuts := _cuts(first, last, array.concat(
		[[low, high] | some [_, ranges, _] in near; some [low, high] in ranges],
		[[low, high] | some [low, high, _] in stopping],
	))
	fates := [_fate(today, port, near, stopping, source) | some port in cuts]
	begins := [index | some index, fate in fates; not fates[index - 1] == fate]
	ends := array.concat([end | some index in begins; index > 0; end := cuts[index] - 1], [last])
}

# The ports at which something begins or has ended.
_cuts(first, last, ranges) := sort((({first} | begins) | ends)) if {
	begins := {low | some [low, _] in ranges; low > first; low <= last}
	ends := {end |
		some [_, high] in ranges
		end := high + 1
		end > first
		end <= last
	}
}

# What becomes of a port, and with it of all ports up to the next cut: [cause, prohibition].
_fate(today, port, near, stopping, source) := ["prohibited", id] if {
	stopping != []
	id := min({stop.id | some [low, high, stop] in stopping; low <= port; port <= high})
}

else := _fate_among(
	today, [[term, relation] |
		some [term, ranges, relation] in near
		some [low, high] in ranges
		low <= port
		port <= high
	],
	source,
) if {
	near != []
}

else := ["uncovered", null]

_fate_among(_, [], _) := ["short", null]

_fate_among(today, holding, source) := ["allowed", null] if {
	holding != []
	_covered([one | some one in holding; one[0].expires >= today], source)
} else := ["expired", null] if {
	holding != []
	_covered(holding, source)
} else := ["short", null] if {
	holding != []
}

# The allowances together hold the whole source: one of them does, or their networks do when united.
_covered(holding, _) if some [_, "whole"] in holding

_covered(holding, source) if {
	count(holding) > 1
	family := _family(source)
	united := _merge({network | some [term, _] in holding; some network in term.networks[family]})
	some network in united
	net.cidr_contains(network, source)
}

# A group, a prefix list and an unknown address are held by allowances that together hold all of IPv4 and of IPv6.
_covered(holding, source) if {
	count(holding) > 1
	_family(source) in {"name", "any"}
	_hold_everybody(holding)
}

_hold_everybody(holding) if {
	every family, everybody in {"v4": "0.0.0.0/0", "v6": "::/0"} {
		everybody in _merge({network | some [term, _] in holding; some network in term.networks[family]})
	}
}

_allowed(today, protocol, source, near, [first, last, _, _]) := [protocol, first, source, last, {
	"protocol": protocol,
	"from_port": first,
	"to_port": last,
	"source": source,
	"by": sort(alone | _together(effective, first, last, source)),
}] if {
	effective := [[term, ranges, relation] |
		some [term, ranges, relation] in near
		term.expires >= today
		_overlap(ranges, first, last)
	]
	alone := {term.id | some [term, _, relation] in effective; relation != "none"}
}

# The ids of the allowances that hold a group or a prefix list only together, at a port where none holds it alone.
_together(effective, first, last, source) := {id |
	some port in _cuts(first, last, [range | some [_, ranges, _] in effective; some range in ranges])
	holding := [[term, relation] | some [term, ranges, relation] in effective; _overlap(ranges, port, port)]
	[1 | some [_, "whole"] in holding] == []
	some [term, _] in holding
	array.concat(term.networks.v4, term.networks.v6) != []
	id := term.id
} if {
	_family(source) == "name"
	count(effective) > 1
} else := set()

_overlap(ranges, first, last) if {
	some [low, high] in ranges
	low <= last
	high >= first
}
