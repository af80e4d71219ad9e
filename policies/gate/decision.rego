# METADATA
# title: The gate
# description: |
#   Judges one finding. A port is allowed for an address iff some effective allowance covers both and no prohibition
#   forbids it; everything else is denied, exactly and with its cause. A finding that cannot be read in full is denied
#   and undecidable. The security team never needs to open this package: it writes packages allow and forbid.
# scope: subpackages
# schemas:
#   - input: schema.finding
package gate

# METADATA
# description: The decision on the finding that is the input.
# entrypoint: true
decision := decide(
	input,
	[allowance | some allowance in data.allow.allowance],
	[prohibition | some prohibition in data.forbid.prohibition],
)

# METADATA
# description: |
#   The decision on a finding, of which any JSON value is accepted, given the allowances and the prohibitions that
#   apply to it. The action is computed before the entries that describe it and apart from them: a finding is allowed
#   only when every source of it was judged and found permitted.
#
#   Most findings are allowed at a glance: they can be read, the one allowance that applies covers all of their ports
#   for all of their sources, no prohibition touches them, and nothing is wrong with any policy. All else is judged port
#   by port. Nothing may raise: ports are compared before they are taken for numbers.
decide(finding, allowances, prohibitions) := {
	"id": finding.id,
	"action": "allow",
	"severity": "none",
	"undecidable": false,
	"denied": [],
	"allowed": [entry | some [_, _, _, _, entry] in seen],
	"allowances": term.named,
	"problems": [],
} if {
	[allowance] := allowances
	term := _plain(allowance)
	term.expires >= _today(finding.now)
	barred := _barred(prohibitions)
	is_string(finding.id)
	is_array(finding.exposures)
	seen := {[protocol, first, source, last, {
		"protocol": protocol,
		"from_port": whole_first,
		"to_port": whole_last,
		"source": source,
		"by": term.by,
	}] |
		some exposure in finding.exposures
		protocol := exposure.protocol
		first := exposure.from_port
		last := exposure.to_port
		some [low, high] in term.ports[protocol]
		low <= first
		last <= high
		first <= last
		[whole_first, whole_last] := [floor(first), floor(last)]
		[whole_first, whole_last] == [first, last]
		not _overlap(barred[protocol], first, last)
		some source in exposure.sources
		_family(source)
		_whole(term.networks, source)
	}
	seen != set()
	count(seen) == count([1 | some exposure in finding.exposures; some _ in exposure.sources])
	[1 | some exposure in finding.exposures; not exposure.sources[0]] == []
} else := _judgement(finding, allowances, prohibitions)

_judgement(finding, allowances, prohibitions) := {
	"id": id,
	"action": action,
	"severity": _severity(action, undecidable, denied),
	"undecidable": undecidable,
	"denied": [entry | some [_, _, _, _, _, _, entry] in denied],
	"allowed": [entry | some [_, _, _, _, entry] in allowed],
	"allowances": _named(terms, allowed, denied),
	"problems": sort(problems),
} if {
	id := _text_or_null(finding, "id")
	unreadable := _unreadable(finding)
	undecidable := unreadable != set()
	tags := object.get(_object(finding), ["server", "tags"], {})
	read := [_allowance(allowance) | some allowance in allowances]
	terms := [_effective(_declared(allowance, tags), _day(finding)) | some allowance in read; allowance.problems == set()]
	stops := [_prohibition(prohibition) | some prohibition in prohibitions]

	exposures := _exposures(finding)
	judged := [_judge(exposure, source, terms, stops) | some exposure in exposures; some source in exposure.sources]
	action := _action(undecidable, judged, exposures)

	denied := {entry | some verdict in judged; some entry in verdict.denied}
	allowed := {entry | some verdict in judged; some entry in verdict.allowed}
	problems := union({
		{{"kind": "finding", "id": id, "field": field, "problem": problem} | some [field, problem] in unreadable},
		{problem | some allowance in read; some problem in allowance.problems},
		{problem | some term in terms; some problem in _tag_problems(term, tags)},
		{problem | some stop in stops; some problem in stop.problems},
	})
}

_effective(allowance, today) := object.union(allowance, {"effective": allowance.expires >= today})

default _action(_, _, _) := "deny"

_action(false, judged, exposures) := "allow" if {
	count(judged) > 0
	count(judged) == sum([count(exposure.sources) | some exposure in exposures])
	every verdict in judged { verdict.permitted == true }
}

# Whose the allowances are that an entry names, and until when they hold: of two with one id, the one that lasts longer.
_named(terms, allowed, denied) := {id: {"owner": owner, "expires": expires} |
	some id in ({id | some [_, _, _, _, entry] in allowed; some id in entry.by} | {entry.nearest |
		some [_, _, _, _, _, _, entry] in denied
	})
	[expires, owner] := max([[term.expires, term.owner] | some term in terms; term.id == id])
}
