package gate

# Says why a port range is denied, which allowance came nearest, and how bad it is.

_denied(exposure, source, near, stopping, span) := [exposure.protocol, span.first, source, group, span.last, rules, {
	"protocol": exposure.protocol,
	"from_port": span.first,
	"to_port": span.last,
	"source": source,
	"security_group": group,
	"rules": rules,
	"cause": span.cause,
	"prohibition": span.prohibition,
	"nearest": _nearest(ranked),
	"reason": _reason(exposure.protocol, source, object.union(span, {"stopping": stopping}), ranked),
}] if {
	group := exposure.security_group
	rules := exposure.rules
	ranked := sort([_rank(one, span) | some one in near; _is_candidate(one, span)])
}

# Of an expired range only those that expired on it are of interest.
_is_candidate(_, span) if span.cause != "expired"

_is_candidate(one, span) if {
	span.cause == "expired"
	not one.term.effective
	one.relation != "none"
	_overlap(one.ranges, span.first, span.last)
}

_nearest([]) := null

_nearest(ranked) := ranked[0][2] if ranked != []

# [rank, distance in ports, id, allowance]: what covers the ports comes before what covers the source.
_rank(one, span) := [rank, 0, one.term.id, one] if {
	some [low, high] in _merged(one.ranges)
	low <= span.first
	high >= span.last
	rank := {"whole": 0, "part": 1, "none": 1}[one.relation]
}

else := [2, distance, one.term.id, one] if {
	one.relation == "whole"
	distance := min({65536} | {max([0, low - span.last, span.first - high]) | some [low, high] in one.ranges})
}

else := [3, 0, one.term.id, one]

_reason(protocol, source, span, _) := sprintf("%s forbids %s from %s: %s", [
	span.prohibition,
	_spell_exposed(protocol, span),
	source,
	reason,
]) if {
	span.cause == "prohibited"
	reason := min({one.stop.reason | some one in span.stopping; one.stop.id == span.prohibition; _hold(one.ranges, span.first)})
}

_reason(protocol, _, span, _) := sprintf("nothing allows %s on this server", [_spell_exposed(protocol, span)]) if {
	span.cause == "uncovered"
}

_reason(_, _, span, ranked) := sprintf("%s expired on %s (%s)", [term.id, term.expires, term.owner]) if {
	span.cause == "expired"
	term := ranked[0][3].term
}

_reason(protocol, source, span, ranked) := sprintf("%s%s allows %s %s from %s; %s", [
	one.term.id,
	_spell_lapsed(one.term),
	protocol,
	_spell_opened(one, protocol),
	_spell_words(one.term.words),
	_spell_shortfall(ranked[0][0], _spell_range(span.first, span.last), source, one.relation),
]) if {
	span.cause == "short"
	one := ranked[0][3]
}

_spell_opened(one, protocol) := sprintf("%s bound %s", [_spell_ranges(one.term.ports[protocol]), one.term.bound]) if {
	one.term.bound != null
} else := _spell_ranges(one.ranges)

_spell_exposed(protocol, span) := sprintf("%s %s", [protocol, _spell_range(span.first, span.last)])

_spell_lapsed(term) := "" if term.effective

else := sprintf(" (expired on %s)", [term.expires])

_spell_shortfall(rank, ports, _, _) := sprintf("%s is not among them", [ports]) if rank in {0, 2}

_spell_shortfall(1, _, "unknown", _) := "the address is unknown, so it may be any"

_spell_shortfall(1, _, source, relation) := sprintf("%s is %s", [source, words]) if {
	source != "unknown"
	words := {"part": "wider", "none": "not among them"}[relation]
}

_spell_shortfall(3, ports, source, _) := sprintf("neither %s nor %s is among them", [ports, source])

# The worst of what is denied; a finding that cannot be judged is as bad as an open port.
_severity("allow", _, _) := "none"

_severity("deny", undecidable, denied) := [severity |
	some severity in ["critical", "high", "medium"]
	severity in grades
][0] if {
	grades := ({_grade(entry) | some [_, _, _, _, _, _, entry] in denied} | {"high" | undecidable}) | {"medium"}
}

_grade(entry) := "medium" if not _is_anywhere(entry.source)

else := "critical" if {
	entry.from_port == 0
	entry.to_port == 65535
}

else := "critical" if {
	some port in data.ports.administrative[entry.protocol]
	port >= entry.from_port
	port <= entry.to_port
}

else := "high"

_is_anywhere("unknown")

_is_anywhere(source) if endswith(source, "/0")
