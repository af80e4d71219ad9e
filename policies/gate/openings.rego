package gate

# What is worked out once for all findings to which the same policies apply.

# What the policies say of a range of ports: the protocol, both ends, the ids of the effective allowances that open some
# of it and of those that open all of it, and what forbids some of it. Undefined when protocol or ports cannot be read.
# The ids are for plain policies alone, since no tag and no listener is asked here.
_opening(policy, protocol, [port, port]) := [protocol, whole, whole, near, near, stopping] if {
	stops := policy.stops[protocol]
	0 <= port
	port <= 65535
	whole := floor(port)
	whole == port
	near := {term.id |
		some term in policy.effective
		some [low, high] in term.ports[protocol]
		low <= port
		port <= high
	}
	stopping := [[low, high, stop] |
		some [low, high, stop] in stops
		low <= port
		port <= high
	]
}

_opening(policy, protocol, [from, to]) := [protocol, first, last, near, covering, stopping] if {
	from < to
	stops := policy.stops[protocol]
	0 <= from
	to <= 65535
	first := floor(from)
	first == from
	last := floor(to)
	last == to
	near := {term.id |
		some term in policy.effective
		some [low, high] in term.ports[protocol]
		low <= last
		first <= high
	}
	covering := {term.id |
		some term in policy.effective
		some [low, high] in term.ports[protocol]
		low <= first
		last <= high
	}
	stopping := [[low, high, stop] |
		some [low, high, stop] in stops
		low <= last
		first <= high
	]
}

# The ids of the allowances, expired ones too, whose networks hold the whole of a source, and of those that hold some of
# it. None hold what cannot be read.
default _holders(_, _) := [set(), set()]

_holders(policy, source) := [whole, (whole | part)] if {
	net.cidr_is_valid(source)
	regex.match(_plain_cidr, source)
	whole := {id | some [id, networks] in policy.networks; net.cidr_contains_matches(networks.v4, source) != set()}
	part := {id | some [id, networks] in policy.networks; net.cidr_contains_matches(source, networks.v4) != set()}
} else := [{id | some [id, "whole"] in relations}, {id | some [id, _] in relations}] if {
	family := _family(source)
	relations := [[id, relation] | some [id, networks] in policy.networks; relation := _lie(networks, family, source)]
}
