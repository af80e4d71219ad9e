package gate

# Says why a port range is denied, which allowance came nearest, and how bad it is.

_denied(exposure, source, terms, today, low, high, fate) := [exposure.protocol, low, source, group, {
	"protocol": exposure.protocol,
	"from_port": low,
	"to_port": high,
	"source": source,
	"security_group": group,
	"rules": _array(object.get(exposure, "rules", [])),
	"cause": cause,
	"prohibition": fate.prohibition,
	"nearest": nearest,
	"reason": _reason(cause, fate, ranked, exposure.protocol, _spell_range(low, high), source, today),
}] if {
	group := _text_or_null(object.get(exposure, "security_group", null))
	ranked := sort({_rank(term, exposure.protocol, low, high, source) |
		some term in terms
		term.ports[exposure.protocol]
		_candidate(fate.cause, term, today)
	})
	cause := _cause(fate.cause, ranked)
	nearest := _nearest(ranked)
}

_candidate(cause, _, _) if cause != "expired"

_candidate("expired", term, today) if term.expires < today

_cause("short", []) := "uncovered"

_cause(cause, ranked) := cause if [cause, ranked] != ["short", []]

_nearest(ranked) := ranked[0][2] if count(ranked) > 0

else := null

# [rank, distance in ports, id, term]: what covers the ports comes before what covers the source.
_rank(term, protocol, low, high, source) := [0, 0, term.id, term] if {
	_holds_range(term.ports[protocol], low, high)
	_relation(term.sources, source) == "whole"
}

else := [1, 0, term.id, term] if _holds_range(term.ports[protocol], low, high)

else := [2, distance, term.id, term] if {
	_relation(term.sources, source) == "whole"
	distance := min([max([0, range[0] - high, low - range[1]]) | some range in term.ports[protocol]])
}

else := [3, 0, term.id, term]

_holds_range(ranges, low, high) if {
	some range in ranges
	range[0] <= low
	range[1] >= high
}

_reason("prohibited", fate, _, protocol, ports, source, _) := sprintf(
	"%s forbids %s %s from %s: %s",
	[fate.prohibition, protocol, ports, source, fate.reason],
)

_reason("expired", _, ranked, _, _, _, _) := sprintf("%s expired on %s (%s)", [term.id, term.expires, term.owner]) if {
	term := ranked[0][3]
}

_reason("uncovered", _, _, protocol, ports, _, _) := sprintf("nothing allows %s %s on this server", [protocol, ports])

_reason("short", _, ranked, protocol, ports, source, today) := sprintf("%s%s allows %s %s from %s; %s", [
	term.id,
	_lapsed(term, today),
	protocol,
	_spell_ports(term.ports[protocol]),
	_spell_words(term.sources),
	_shortfall(ranked[0][0], ports, _relation(term.sources, source), source),
]) if {
	term := ranked[0][3]
}

_lapsed(term, today) := sprintf(" (expired on %s)", [term.expires]) if term.expires < today

else := ""

_spell_ports([]) := "nothing that its tag declares"

_spell_ports(ranges) := _spell_ranges(ranges) if count(ranges) > 0

_shortfall(rank, ports, _, _) := sprintf("%s is not among them", [ports]) if rank in {0, 2}

_shortfall(1, _, "part", source) := sprintf("%s is wider", [source])

_shortfall(1, _, "none", "unknown") := "the address is unknown, so it may be any"

_shortfall(1, _, "none", source) := sprintf("%s is not among them", [source]) if source != "unknown"

_shortfall(3, ports, _, source) := sprintf("neither %s nor %s is among them", [ports, source])

# The worst of what is denied; a finding that cannot be judged is as bad as an open port.
_severity("allow", _, _) := "none"

_severity("deny", undecidable, denied) := [severity |
	some severity in ["critical", "high", "medium"]
	severity in grades
][0] if {
	grades := ({_grade(entry[4]) | some entry in denied} | {"high" | undecidable}) | {"medium"}
}

_grade(entry) := "medium" if not entry.source in {"0.0.0.0/0", "::/0", "unknown"}

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
