package gate

# Reads the finding without trusting it; what cannot be read is named, and its siblings are still judged.

# The UTC date of the finding's own `now`. An unreadable one sorts after every date, so that every allowance is expired.
_today(now) := substring(now, 0, 10) if _readable_now(now)

else := "~"

_readable_now(now) if {
	is_string(now)
	regex.match(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?Z$`, now)
	_date(substring(now, 0, 10))
}

# The exposures that can be judged: a known protocol, and two ports of which the first is not above the second.
_exposures(finding) := [exposure |
	some exposure in object.get(finding, "exposures", [])
	_judgeable(exposure)
]

_judgeable(exposure) if {
	exposure.protocol in {"tcp", "udp"}
	_port(exposure.from_port)
	_port(exposure.to_port)
	exposure.from_port <= exposure.to_port
}

_port(value) if {
	is_number(value)
	value >= 0
	value <= 65535
	floor(value) == value
}

_sources(exposure) := {source | some source in _array(object.get(exposure, "sources", [])); _source(source)}

_source("unknown")

_source(source) if {
	source != "sg-*"
	_literal(source)
}

_array(value) := value if is_array(value)

else := []

# What cannot be read, as [field, problem].
_unreadable(finding) := set() if {
	_readable_now(finding.now)
	count(finding.exposures) > 0
	every exposure in finding.exposures {
		_judgeable(exposure)
		count(exposure.sources) > 0
		every source in exposure.sources { _source(source) }
	}
	is_array(finding.exposures)
} else := union({_unreadable_now(finding), _unreadable_exposures(finding), _unreadable_sources(finding)})

_unreadable_now(finding) := set() if _readable_now(finding.now)

else := {["now", "is not a time like 2026-11-24T06:12:00Z, so every allowance counts as expired"]}

_unreadable_exposures(finding) := {[sprintf("exposures[%d]", [index]), problem] |
	some index, exposure in finding.exposures
	not _judgeable(exposure)
	problem := "needs protocol tcp or udp and whole from_port and to_port within 0-65535, the first not above the second"
} if {
	is_array(finding.exposures)
	count(finding.exposures) > 0
} else := {["exposures", "is not a list with at least one exposure"]}

_unreadable_sources(finding) := union({problems |
	some index, exposure in _array(object.get(finding, "exposures", []))
	problems := _unreadable_sources_of(sprintf("exposures[%d].sources", [index]), exposure)
})

_unreadable_sources_of(field, exposure) := {[field, problem] |
	some source in exposure.sources
	not _source(source)
	problem := sprintf("%v is no CIDR without host bits, security group, prefix list or unknown", [source])
} if {
	is_array(exposure.sources)
	count(exposure.sources) > 0
} else := {[field, "is not a list with at least one source"]}
