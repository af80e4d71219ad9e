package gate

# Networks, as policies name them and as findings carry them. A word is a name in data.networks or a literal; its
# members are literals: CIDRs, security groups (sg-*: any of the server's own account), prefix lists.

# The words of a list united, one address family at a time, and those that cannot be read. They hold everything when
# they hold both families whole.
_united(words) := {
	"v4": v4,
	"v6": v6,
	"names": [name | some ["name", name] in members],
	"everything": ["0.0.0.0/0" in v4, "::/0" in v6] == [true, true],
	"unreadable": [word | some word in words; not _members(word)],
} if {
	members := [member | some word in words; some member in _members(word)]
	v4 := sort(net.cidr_merge({cidr | some ["v4", cidr] in members}))
	v6 := sort(_merge({cidr | some ["v6", cidr] in members}))
}

# Networks of one family united. OPA 1.22.2 panics on some IPv6 networks whose first byte is 0 and others are not, such
# as the halves of 64:ff9b::/96, and would take the whole batch with it: these stay as they are written.
_merge(networks) := net.cidr_merge(networks - low) | low if {
	low := {network |
		some network in networks
		regex.match(
			`^(0{0,3}[1-9A-Fa-f]:|0{0,2}[1-9A-Fa-f][0-9A-Fa-f]:|[0:]*:[0:.]*[1-9A-Fa-f])`,
			network,
		)
	}
}

# The members of a word, each with its family; undefined when the word, or any member of the network that it names,
# cannot be read.
_members(word) := members if {
	listed := data.networks[word]
	is_array(listed)
	listed != []
	members := [[_literal(member), member] | some member in listed]
	count(members) == count(listed)
} else := [[_literal(word), word]] if not _is_network(word)

_is_network(word) if [data.networks[word]] != []

# The family of a policy's literal.
_literal("sg-*") := "name"

_literal(text) := family if {
	family := _family(text)
	family != "any"
}

# What the address of a finding is, or the literal of a policy; undefined when it cannot be read.
_family("unknown") := "any"

# Most networks are written as they are printed, which tells that they are without host bits.
_family(text) := "v4" if {
	net.cidr_is_valid(text)
	regex.match(_plain_cidr, text)
} else := {false: "v4", true: "v6"}[contains(text, ":")] if {
	net.cidr_is_valid(text)
	net.cidr_merge([text]) == {text}
} else := "name" if {
	is_string(text)
	regex.match(`^(([0-9]{12}/)?sg|pl)-[0-9A-Za-z]+$`, text)
} else := "v6" if {
	_is_other_spelling(text)
}

_plain_cidr := `^([0-9.]+/32|[0-9.]+\.0/24|[0-9]+\.[0-9]+\.0\.0/16|0\.0\.0\.0/0)$`

# IPv6 is also written with capitals and zeros. IPv4 addresses written as IPv6 (::ffff:0:0/96) would be neither family.
_is_other_spelling(text) if {
	net.cidr_is_valid(text)
	regex.match(`:.*/(0|[1-9][0-9]*)$`, text)
	[address, _] := split(text, "/")
	not net.cidr_contains("0.0.0.0/0", address)
	some printed in net.cidr_merge([text])
	[base, _] := split(printed, "/")
	net.cidr_contains(concat("", [base, "/128"]), address)
}

# How the networks lie to a source of a family: they hold the whole of it, a part, or none.
_relation(networks, family, source) := relation if relation := _lie(networks, family, source)

else := "none"

# The same, undefined for none. Security groups and prefix lists are indivisible and in no CIDR, and an unknown address
# may be any.
_lie(networks, "v4", source) := "whole" if net.cidr_contains_matches(networks.v4, source) != set()

else := "part" if net.cidr_contains_matches(source, networks.v4) != set()

_lie(networks, "v6", source) := "whole" if net.cidr_contains_matches(networks.v6, source) != set()

else := "part" if net.cidr_contains_matches(source, networks.v6) != set()

_lie(networks, "name", source) := "whole" if source in networks.names

else := "whole" if networks.everything

else := "whole" if {
	"sg-*" in networks.names
	startswith(source, "sg-")
}

_lie(networks, "any", _) := "whole" if networks.everything

else := "part"

# The policies as they are for an exposure by a customer's prefix list: a network that names the list holds all its
# addresses, beside those that its own CIDRs hold.
_naming(policy, exposure) := object.union(policy, {
	"terms": [_holding(term, ["networks"], list) | some term in policy.terms],
	"stops": {protocol: [[low, high, _holding(stop, ["networks", "excepted"], list)] |
		some [low, high, stop] in stops
	] |
		some protocol, stops in policy.stops
	},
}) if {
	list := exposure.prefix_list
	is_string(list)
} else := policy

_holding(value, keys, list) := object.union(value, {key: all |
	some key in keys
	list in value[key].names
	all := object.union(value[key], {"everything": true, "v4": ["0.0.0.0/0"], "v6": ["::/0"]})
})

_whole(networks, source) if _relation(networks, _family(source), source) == "whole"

_whole(networks, "sg-*") if _relation(networks, "name", "sg-*") == "whole"

# Some address of the source lies in the networks and not in the excepted ones.
_reaches(networks, excepted, source) if {
	some shared in _shared(networks, source)
	not _whole(excepted, shared)
}

# What the networks and the source have in common.
_shared(networks, "unknown") := {member | some list in ["v4", "v6", "names"]; some member in networks[list]}

_shared(networks, source) := {source} if {
	source != "unknown"
	_whole(networks, source)
} else := {network |
	some network in networks[_family(source)]
	net.cidr_contains(source, network)
} if {
	source != "unknown"
}

_spell_words(words) := concat(", ", [_spell_word(word) | some word in words])

# A network's own short list is spelled beside its name.
_spell_word(word) := sprintf("%s (%s)", [word, concat(", ", listed)]) if {
	listed := data.networks[word]
	count(listed) <= 2
	not _united([word]).everything
} else := word
