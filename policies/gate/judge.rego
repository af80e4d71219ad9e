package gate

# Judges one source of one exposure. The ports are cut where any allowance or prohibition begins or ends; between two
# cuts every port fares alike, so nobody enumerates 65,536 of them.

# Most exposures are covered by one allowance and touched by no prohibition: nothing has to be cut then.
_judge(exposure, source, terms, stops, today) := {
	"permitted": true,
	"denied": set(),
	"allowed": {_allowed(exposure, source, terms, today, exposure.from_port, exposure.to_port)},
} if {
	_covered_by_one(exposure, source, terms, today)
	count([stop | some stop in stops; _touches(stop, exposure, source)]) == 0
}

else := _cut(exposure, source, terms, [stop | some stop in stops; _touches(stop, exposure, source)], today)

_covered_by_one(exposure, source, terms, today) if {
	some term in terms
	term.expires >= today
	some range in term.ports[exposure.protocol]
	range[0] <= exposure.from_port
	range[1] >= exposure.to_port
	_relation(term.sources, source) == "whole"
}

_touches(stop, _, _) if stop.malformed

_touches(stop, exposure, source) if {
	not stop.malformed
	some range in stop.ports[exposure.protocol]
	range[0] <= exposure.to_port
	range[1] >= exposure.from_port
	_reaches(stop.sources, stop.except, source)
}

_cut(exposure, source, terms, stops, today) := {
	"permitted": count(denied) == 0,
	"denied": denied,
	"allowed": allowed,
} if {
	protocol := exposure.protocol
	near := [term | some term in terms; _relation(term.sources, source) != "none"]
	cuts := _cuts(
		exposure.from_port, exposure.to_port,
		{range | some range in near[_].ports[protocol]} | {range | some range in stops[_].ports[protocol]},
	)
	fates := [_fate(low, protocol, source, near, stops, today) | some low in cuts]
	starts := [low |
		some index, low in cuts
		not _same_as_before(fates, index)
	]
	kinds := [fate |
		some index, fate in fates
		not _same_as_before(fates, index)
	]
	ends := array.concat([last | some index, low in starts; index > 0; last := low - 1], [exposure.to_port])
	denied := {_denied(exposure, source, terms, today, low, ends[index], kinds[index]) |
		some index, low in starts
		kinds[index].cause != "allowed"
	}
	allowed := {_allowed(exposure, source, terms, today, low, ends[index]) |
		some index, low in starts
		kinds[index].cause == "allowed"
	}
}

_cuts(from, to, ranges) := sort((({from} | {range[0] | some range in ranges; range[0] > from; range[0] <= to}) | {low |
	some range in ranges
	range[1] >= from
	range[1] < to
	low := range[1] + 1
}))

_same_as_before(fates, index) if {
	index > 0
	fates[index - 1] == fates[index]
}

# What becomes of a port, and with it of all ports up to the next cut.
_fate(port, protocol, source, near, stops, today) := {"cause": "prohibited", "prohibition": first[0], "reason": first[1]} if {
	first := min({[stop.id, stop.reason] | some stop in stops; _stops_port(stop, protocol, port)})
}

else := {"cause": "allowed", "prohibition": null} if {
	_covered([term | some term in near; term.expires >= today; _holds(term.ports[protocol], port)], source)
}

else := {"cause": "expired", "prohibition": null} if {
	_covered([term | some term in near; _holds(term.ports[protocol], port)], source)
}

else := {"cause": "short", "prohibition": null}

_stops_port(stop, _, _) if stop.malformed

_stops_port(stop, protocol, port) if _holds(stop.ports[protocol], port)

# The terms together hold the whole source: one of them does, or their networks do when united.
_covered(terms, source) if {
	some term in terms
	_relation(term.sources, source) == "whole"
}

_covered(terms, source) if {
	_is_cidr(source)
	count(terms) > 1
	networks := union({_united(term.sources)[_family(source)] | some term in terms})
	_inside(net.cidr_merge(networks), source)
}

_allowed(exposure, source, terms, today, low, high) := [exposure.protocol, low, source, high, {
	"protocol": exposure.protocol,
	"from_port": low,
	"to_port": high,
	"source": source,
	"by": sort({term.id |
		some term in terms
		term.expires >= today
		some range in term.ports[exposure.protocol]
		range[0] <= high
		range[1] >= low
		_relation(term.sources, source) != "none"
	}),
}]
