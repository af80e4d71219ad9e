package gate

# Networks, as policies name them and as findings carry them. A word is a name in data.networks or a literal; its
# members are literals: CIDRs, security groups (sg-*: any of the server's own account), prefix lists.

# The members of a word; null when the word, or any member of the network that it names, cannot be read.
_members(word) := {member | some member in data.networks[word]} if {
	is_array(data.networks[word])
	count(data.networks[word]) > 0
	every member in data.networks[word] { _literal(member) }
} else := {word} if {
	not _named_network(word)
	_literal(word)
} else := null

_named_network(word) if count({member | member := data.networks[word]}) == 1

_literal(text) if _cidr(text)

_literal(text) if {
	is_string(text)
	regex.match(`^(([0-9]{12}/)?sg-[0-9A-Za-z]+|pl-[0-9A-Za-z]+|sg-\*)$`, text)
}

# A CIDR without host bits. IPv4 addresses written as IPv6 (::ffff:0:0/96) are refused: they would be neither.
_cidr(text) if {
	is_string(text)
	regex.match(`^[0-9A-Fa-f:.]+/(0|[1-9][0-9]{0,2})$`, text)
	net.cidr_is_valid(text)
	[address, _] := split(text, "/")
	not _mapped(address)
	some merged in net.cidr_merge([text])
	[base, _] := split(merged, "/")
	net.cidr_contains(concat("/", [base, _host_length(base)]), address)
}

_mapped(address) if {
	contains(address, ":")
	net.cidr_contains("0.0.0.0/0", address)
}

_host_length(address) := "128" if contains(address, ":")

else := "32"

_family(source) := "v6" if contains(source, ":")

else := "v4"

_is_cidr(source) if {
	contains(source, "/")
	not contains(source, "-")
}

# The readable words united, one address family at a time.
_united(words) := {"v4": v4, "v6": v6, "others": members - cidrs, "everything": everything} if {
	members := union({named | some word in words; named := _members(word); named != null})
	cidrs := {member | some member in members; _is_cidr(member)}
	v4 := net.cidr_merge({cidr | some cidr in cidrs; _family(cidr) == "v4"})
	v6 := net.cidr_merge({cidr | some cidr in cidrs; _family(cidr) == "v6"})
	everything := ({"0.0.0.0/0", "::/0"} & (v4 | v6)) == {"0.0.0.0/0", "::/0"}
}

# How the united words lie to a source of a finding: they hold the whole of it, a part of it, or none.
# Security groups, prefix lists and `unknown` (any address) are indivisible.
_relation(words, source) := "whole" if _united(words).everything

else := "whole" if _holds_group(_united(words).others, source)

else := _relation_of_networks(_united(words)[_family(source)], source) if _is_cidr(source)

else := "none"

_holds_group(others, source) if source in others

_holds_group(others, source) if {
	"sg-*" in others
	startswith(source, "sg-")
}

_relation_of_networks(networks, source) := "whole" if _inside(networks, source)

else := "part" if {
	some network in networks
	net.cidr_contains(source, network)
}

else := "none"

_inside(networks, source) if source in networks

_inside(networks, source) if {
	some network in networks
	net.cidr_contains(network, source)
}

# Some address of the source lies in the words and in none of the excepted ones.
_reaches(words, excepted, source) if {
	source == "unknown"
	united := _united(words)
	some member in ((united.v4 | united.v6) | united.others)
	not _excepted(excepted, member)
}

_reaches(words, excepted, source) if {
	source != "unknown"
	not _is_cidr(source)
	_relation(words, source) == "whole"
	not _excepted(excepted, source)
}

_reaches(words, excepted, source) if {
	_is_cidr(source)
	_relation(words, source) == "whole"
	not _excepted(excepted, source)
}

_reaches(words, excepted, source) if {
	_is_cidr(source)
	some network in _united(words)[_family(source)]
	net.cidr_contains(source, network)
	not _excepted(excepted, network)
}

_excepted(words, source) if _relation(words, source) == "whole"

_spell_words(words) := concat(", ", [_spell_word(word) | some word in words])

# A network's own short list is spelled beside its name.
_spell_word(word) := sprintf("%s (%s)", [word, concat(", ", listed)]) if {
	_named_network(word)
	listed := data.networks[word]
	count(listed) <= 2
	not _united([word]).everything
} else := word
