package gate

# Reads the finding without trusting it; what cannot be read is named, and its siblings are still judged.

_now(finding) := now if now := finding.now

else := null

# The UTC date of a finding's own `now`. An unreadable one comes after every date, so that every allowance has expired.
_day(now) := today if today := _today(now)

else := "~"

_today(now) := substring(now, 0, 10) if {
	is_string(now)
	regex.match(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?Z$`, now)
	_is_date(substring(now, 0, 10))
}

# The listeners of a finding, where a policy asks for them.
_listeners(policy, finding) := _array(finding, "listeners") if policy.special

else := []

# The ports that are known to listen behind the load balancer through which an exposure leads.
_listening([], _) := []

_listening(listeners, exposure) := [range | some listener in listeners; range := _listens(listener, exposure)] if {
	listeners != []
}

# The port of a listener that is registered behind the load balancer through which an exposure leads.
_listens(listener, exposure) := [port, port] if {
	_is_filled(exposure.load_balancer)
	listener.load_balancer == exposure.load_balancer
	listener.protocol == exposure.protocol
	_is_port(listener.port)
	port := floor(listener.port)
}

_is_exposure(exposure) if {
	exposure.protocol in {"tcp", "udp"}
	_is_port(exposure.from_port)
	_is_port(exposure.to_port)
	exposure.from_port <= exposure.to_port
}

_array(value, key) := value[key] if is_array(value[key])

else := []

_text_or_null(value, key) := value[key] if is_string(value[key])

else := null

# The problems of the finding itself. What every verdict could be given on can be read.
_problems(finding, judged) := set() if {
	_today(finding.now)
	judged != []
	[1 | some [_, null] in judged] == []
}

else := {{"kind": "finding", "id": _text_or_null(finding, "id"), "field": field, "problem": problem} |
	some [field, problem] in _unreadable(finding)
}

# What cannot be read, as [field, problem].
_unreadable(finding) := union({
	_unreadable_now(_now(finding)),
	{["exposures", "is not a list with at least one exposure"] | _array(finding, "exposures") == []},
	_unreadable_exposures(finding),
	_unreadable_sources(finding),
})

_unreadable_now(now) := set() if _today(now)

else := {["now", "is not a time like 2026-11-24T06:12:00Z, so every allowance counts as expired"]}

_unreadable_exposures(finding) := {[sprintf("exposures[%d]", [index]), problem] |
	some index, exposure in _array(finding, "exposures")
	not _is_exposure(exposure)
	problem := "needs protocol tcp or udp and whole from_port and to_port within 0-65535, the first not above the second"
}

_unreadable_sources(finding) := {[sprintf("exposures[%d].sources", [index]), problem] |
	some index, exposure in _array(finding, "exposures")
	some problem in _source_problems(_array(exposure, "sources"))
}

_source_problems([]) := {"is not a list with at least one source"}

_source_problems(sources) := {problem |
	some source in sources
	not _family(source)
	problem := sprintf("%v is no CIDR without host bits, security group, prefix list or unknown", [source])
} if {
	sources != []
}
