package gate

# Judges one source of one exposure. The ports are cut where any allowance or prohibition begins or ends; between two
# cuts every port fares alike, so nobody enumerates 65,536 of them.

_judge(exposure, source, terms, stops) := {
	"permitted": [span | some span in spans; span.cause != "allowed"] == [],
	"denied": [_denied(exposure, source, near, stopping, span) | some span in spans; span.cause != "allowed"],
	"allowed": [_allowed(exposure, source, near, span) | some span in spans; span.cause == "allowed"],
} if {
	near := [{"term": term, "ranges": ranges, "relation": relation} |
		some term in terms
		ranges := _opens(term, exposure, source)
		relation := _relation(term.networks, source)
	]
	stopping := [{"stop": stop, "ranges": ranges} |
		some stop in stops
		ranges := stop.ports[exposure.protocol]
		_overlap(ranges, exposure.first, exposure.last)
		_reaches(stop.networks, stop.excepted, source)
	]
	cuts := _cuts(exposure.first, exposure.last, array.concat(near, stopping))
	fates := [_fate(port, source, near, stopping) | some port in cuts]
	spans := _spans(cuts, fates, exposure.last)
}

_overlap(ranges, first, last) if {
	some [low, high] in ranges
	low <= last
	high >= first
}

# The ports at which something begins or has ended.
_cuts(first, last, holders) := sort((({first} | begins) | ends)) if {
	begins := {low | some holder in holders; some [low, _] in holder.ranges; low > first; low <= last}
	ends := {end |
		some holder in holders
		some [_, high] in holder.ranges
		end := high + 1
		end > first
		end <= last
	}
}

# What becomes of a port, and with it of all ports up to the next cut: [cause, prohibition].
_fate(port, source, near, stopping) := ["prohibited", id] if {
	id := min({one.stop.id | some one in stopping; _hold(one.ranges, port)})
}

else := ["allowed", null] if {
	_covered([one | some one in near; one.term.effective; _hold(one.ranges, port)], source)
}

else := ["expired", null] if {
	_covered([one | some one in near; _hold(one.ranges, port)], source)
}

else := ["uncovered", null] if near == []

else := ["short", null]

# The allowances together hold the whole source: one of them does, or their networks do when united.
_covered(holding, _) if {
	some one in holding
	one.relation == "whole"
}

_covered(holding, source) if {
	count(holding) > 1
	family := _family(source)
	united := net.cidr_merge({network | some one in holding; some network in one.term.networks.cidrs[family]})
	some network in united
	net.cidr_contains(network, source)
}

# The longest ranges of one fate.
_spans(cuts, fates, last) := [{
	"first": cuts[begin],
	"last": ends[index],
	"cause": fates[begin][0],
	"prohibition": fates[begin][1],
} |
	some index, begin in begins
] if {
	begins := [index | some index, fate in fates; not _same_as_before(fates, index)]
	ends := array.concat([end | some index in begins; index > 0; end := cuts[index] - 1], [last])
}

_same_as_before(fates, index) if fates[index - 1] == fates[index]

_allowed(exposure, source, near, span) := [exposure.protocol, span.first, source, span.last, {
	"protocol": exposure.protocol,
	"from_port": span.first,
	"to_port": span.last,
	"source": source,
	"by": sort({one.term.id |
		some one in near
		one.term.effective
		one.relation != "none"
		_overlap(one.ranges, span.first, span.last)
	}),
}]
