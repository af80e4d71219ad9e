package gate

# What a finding is allowed by at a glance.

# An allowance with which nothing is wrong, and whose ports are its own.
_plain(allowance) := {
	"by": [read.id],
	"named": {read.id: {"owner": read.owner, "expires": read.expires}},
	"expires": read.expires,
	"ports": read.ports,
	"networks": read.networks,
} if {
	read := _allowance(allowance)
	read.problems == set()
	read.declared_in == null
	read.bound == null
}

# The ports that any of the prohibitions is about; undefined if something is wrong with one.
_barred(prohibitions) := {protocol: [range | some stop in stops; some range in stop.ports[protocol]] |
	some protocol in ["tcp", "udp"]
} if {
	stops := [_prohibition(prohibition) | some prohibition in prohibitions]
	[stop | some stop in stops; stop.problems != set()] == []
}
