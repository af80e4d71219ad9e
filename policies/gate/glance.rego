package gate

# What a finding is allowed by at a glance.

# What allows a source on a range of ports: its entry, or null when it takes a closer look.
default _glance(_, _) := null

_glance([protocol, first, last, _, [], by], source) := [protocol, first, source, last, {
	"protocol": protocol,
	"from_port": first,
	"to_port": last,
	"source": source,
	"by": by,
}] if {
	by != []
	_family(source)
}

_glance([protocol, first, last, near, [], []], source) := [protocol, first, source, last, {
	"protocol": protocol,
	"from_port": first,
	"to_port": last,
	"source": source,
	"by": [id | some [id, _] in related],
}] if {
	family := _family(source)
	related := [[id, relation] |
		some [id, networks] in near
		relation := _lie(networks, family, source)
	]
	some [_, "whole"] in related
}

# What the policies say of a range of ports: the protocol, both ends, what opens all of it (null if something opens a
# part), what forbids some of it, and by what it is open to anyone, if it is. Undefined when protocol or ports cannot be
# read.
_reach(policy, protocol, [from, to]) := [protocol, first, last, near, stopping, _anyone(near)] if {
	stops := policy.stops[protocol]
	0 <= from
	from <= to
	to <= 65535
	first := floor(from)
	first == from
	last := floor(to)
	last == to
	near := _near(policy.effective, [protocol, first, last])
	stopping := [[low, high, stop] |
		some [low, high, stop] in stops
		low <= last
		first <= high
	]
}

_near(terms, [protocol, port, port]) := {[term.id, term.networks] |
	some term in terms
	some [low, high] in term.ports[protocol]
	low <= port
	port <= high
}

_near(terms, [protocol, first, last]) := {[term.id, term.networks] | some [_, _, term] in overlapping} if {
	first < last
	overlapping := [[low, high, term] |
		some term in terms
		some [low, high] in term.ports[protocol]
		low <= last
		first <= high
	]
	[1 | some [low, _, _] in overlapping; low > first] == []
	[1 | some [_, high, _] in overlapping; high < last] == []
} else := set() if first < last

_anyone(near) := [id | some [id, _] in near] if [1 | some [_, networks] in near; not networks.everything] == []

else := []
