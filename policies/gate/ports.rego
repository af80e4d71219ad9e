package gate

# Ports and port ranges, as policies and tags write them. A range is [first, last], both ends included.

# The ranges of a list of ports and "first-last" texts, in any order; undefined when it is no list, is empty, or any of
# it is malformed.
_ranges(ports) := ranges if {
	_is_list(ports)
	ranges := array.concat(
		[[whole, whole] | some port in ports; port >= 0; port <= 65535; whole := floor(port); whole == port],
		[range | some port in ports; is_string(port); range := _range(port)],
	)
	count(ranges) == count(ports)
}

# Numbers sort after null and booleans, and before text and collections.
_is_port(value) if {
	value >= 0
	value <= 65535
	floor(value) == value
}

# A text like "8000-8100".
_range(text) := [first, last] if {
	regex.match(`^(0|[1-9][0-9]{0,4})-(0|[1-9][0-9]{0,4})$`, text)
	[from, to] := split(text, "-")
	first := to_number(from)
	last := to_number(to)
	first <= last
	last <= 65535
}

# The same ports as disjoint ranges that do not touch, ascending.
_merged(ranges) := [[first, lasts[index]] | some index, first in firsts] if {
	firsts := sort({first | some [first, _] in ranges; not _hold(ranges, first - 1)})
	lasts := sort({last | some [_, last] in ranges; not _hold(ranges, last + 1)})
}

_hold(ranges, port) if {
	some [first, last] in ranges
	first <= port
	port <= last
}

# What the words of a tag declare (`tcp/443 udp/1194 tcp/8000-8100`), and the words that declare nothing.
_tag(text) := {
	"ports": {protocol: [range | some [_, named, range] in entries; named == protocol] | some protocol in ["tcp", "udp"]},
	"unreadable": words - {word | some [word, _, _] in entries},
} if {
	words := {word | some word in regex.split(`\s+`, text); word != ""}
	entries := {[word, protocol, range] |
		some word in words
		some protocol in ["tcp", "udp"]
		startswith(word, concat("", [protocol, "/"]))
		range := _declaration(substring(word, 4, -1))
	}
}

_declaration(text) := _range(text)

_declaration(text) := [port, port] if {
	regex.match(`^(0|[1-9][0-9]{0,4})$`, text)
	port := to_number(text)
	port <= 65535
}

# The parts that two lists of ranges share.
_common(ranges, others) := [[first, last] |
	some range in ranges
	some other in others
	first := max([range[0], other[0]])
	last := min([range[1], other[1]])
	first <= last
]

_spell_range(first, last) := sprintf("%d", [first]) if first == last

else := sprintf("%d-%d", [first, last])

# Of a tag that is empty, unreadable or unknown.
_spell_ranges([]) := "ports that its tag declares (none is known)"

_spell_ranges(ranges) := concat(", ", [_spell_range(first, last) | some [first, last] in _merged(ranges)]) if {
	ranges != []
}
