package gate

# Ports and port ranges, as policies and tags write them. A range is [low, high], both ends included.

# The disjoint, ascending ranges of a list of ports and "low-high" texts; null when any of it is malformed.
_ranges(ports) := _merged({range | some port in ports; range := _range(port)}) if {
	_list(ports)
	every port in ports { _range(port) }
} else := null

_range(port) := [port, port] if _port(port)

_range(text) := [low, high] if {
	is_string(text)
	regex.match(`^(0|[1-9][0-9]{0,4})-(0|[1-9][0-9]{0,4})$`, text)
	[low, high] := [to_number(end) | some end in split(text, "-")]
	low <= high
	high <= 65535
}

_merged(ranges) := [[low, highs[index]] | some index, low in lows] if {
	lows := sort({range[0] | some range in ranges; not _holds(ranges, range[0] - 1)})
	highs := sort({range[1] | some range in ranges; not _holds(ranges, range[1] + 1)})
}

_holds(ranges, port) if {
	some range in ranges
	range[0] <= port
	port <= range[1]
}

_list(value) if {
	is_array(value)
	count(value) > 0
}

_list(value) if {
	is_set(value)
	count(value) > 0
}

# What the words of a tag declare (`tcp/443 udp/1194 tcp/8000-8100`), and the words that declare nothing.
_tag(text) := {
	"ports": {protocol: _merged({entry[2] | some entry in entries; entry[1] == protocol}) | some protocol in {"tcp", "udp"}},
	"unreadable": words - {entry[0] | some entry in entries},
} if {
	words := {word | some word in regex.split(`\s+`, text); word != ""}
	entries := {[word, protocol, range] |
		some word in words
		some protocol in {"tcp", "udp"}
		startswith(word, concat("", [protocol, "/"]))
		range := _spelled_range(substring(word, 4, -1))
	}
}

_spelled_range(text) := _range(text)

_spelled_range(text) := _range(to_number(text)) if regex.match(`^(0|[1-9][0-9]{0,4})$`, text)

# The parts that two lists of ranges share.
_common(ranges, others) := _merged({[low, high] |
	some range in ranges
	some other in others
	low := max([range[0], other[0]])
	high := min([range[1], other[1]])
	low <= high
})

_spell_range(low, high) := sprintf("%d", [low]) if low == high

else := sprintf("%d-%d", [low, high])

_spell_ranges(ranges) := concat(", ", [_spell_range(range[0], range[1]) | some range in ranges])
