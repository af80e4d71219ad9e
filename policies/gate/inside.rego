package gate

# Says what of a denied source is allowed all the same, so that whoever closes a rule can keep it open.

# What networks inside a denied source may reach of a span; null where that cannot be listed: the source is unknown, they
# are too many, or a prohibition keeps out a part of the source only.
_still_allowed(today, near, stopping, source, ends, span) := [] if {
	not _holds_some(today, near, span[0], span[1])
} else := still if {
	not _leaves_some(stopping, source, span[0], span[1])
	inside := _inside(today, near, stopping, source, ends)
	still := [{"from_port": from, "to_port": to, "source": network} |
		some [network, low, high] in inside
		from := max([low, span[0]])
		to := min([high, span[1]])
		from <= to
	]
	count(still) <= _most_inside
} else := null

# As many rules as a security group takes: nobody can authorize more.
_most_inside := 60

_holds_some(today, near, first, last) if {
	some [term, ranges, relation] in near
	relation != "none"
	term.expires >= today
	_overlap(ranges, first, last)
}

_leaves_some(stopping, source, first, last) if {
	some [low, high, stop] in stopping
	low <= last
	first <= high
	networks := stop.networks
	not _whole(networks, source)
}

# What the networks inside a source may reach that policies name, each as if it were the source: [network, first, last].
# Undefined when they are too many, or the source is unknown.
_inside(today, near, stopping, source, [first, last]) := [[network, from, to] |
	some network in networks
	holding := [[term, ranges, "whole"] | some [term, ranges, held] in holders; network in held]
	holding != []
	reaching := [stop | some stop in stopping; _reaches(stop[2].networks, stop[2].excepted, network)]
	some [from, to, "allowed", _] in _spans(today, first, last, holding, reaching, "unknown")
] if {
	effective := [one | some one in near; one[0].expires >= today; _overlap(one[1], first, last)]
	networks := _networks_inside(effective, stopping, source)
	holders := [[term, ranges, held] |
		networks != set()
		some [term, ranges, _] in effective
		held := {network | some [_, network] in net.cidr_contains_matches(term.networks[_family(source)], networks)}
	]
}

_networks_inside(near, stopping, source) := networks if {
	source != "unknown"
	family := _family(source)
	lists := array.concat(
		[term.networks[family] | some [term, _, "part"] in near],
		[stop.excepted[family] | some [_, _, stop] in stopping],
	)
	found := [inside |
		some list in lists
		inside := {list[index] | some [_, index] in net.cidr_contains_matches(source, list)}
	]
	[1 | some inside in found; count(inside) > _most_inside] == []
	networks := union({inside | some inside in found})
	count(networks) <= _most_inside
}
