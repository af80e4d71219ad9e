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
decision := decide(input, [
	[value | some value in allowance],
	[prohibition | some prohibition in data.forbid.prohibition],
])

# METADATA
# description: |
#   The decision on a finding, of which any JSON value is accepted, given the allowances and the prohibitions that
#   apply to it. The action is computed before the entries that describe it and apart from them: a finding is allowed
#   only when every source of it was judged and found permitted.
#
#   Most findings are allowed at a glance: everything can be read, and each source is let in by a single allowance. All
#   else is judged port by port. What is worked out about policies, ports and addresses is worked out once for a batch.
#   Nothing may raise: ports are compared before they are taken for numbers.
decide(finding, applying) := {
	"id": id,
	"action": "allow",
	"severity": "none",
	"undecidable": false,
	"denied": [],
	"allowed": [entry | some [_, _, _, _, _, entry] in seen],
	"allowances": policy.named,
	"prohibitions": policy.prohibitions,
	"problems": [],
} if {
	policy := _policy(applying, finding.now)
	policy.plain
	id := finding.id
	is_string(id)
	exposures := finding.exposures
	exposures[0]
	[1 | some exposure in exposures; exposure.prefix_list] == []
	openings := [[protocol, first, last, near, covering, exposure.sources] |
		some exposure in exposures
		exposure.sources[0]
		[protocol, first, last, near, covering, []] = _opening(policy, exposure.protocol, [
			exposure.from_port,
			exposure.to_port,
		])
	]
	count(openings) == count(exposures)
	seen := {[(covering & whole) != set(), protocol, first, source, last, {
		"protocol": protocol,
		"from_port": first,
		"to_port": last,
		"source": source,
		"by": sort(near & touching),
	}] |
		some [protocol, first, last, near, covering, sources] in openings
		some source in sources
		[whole, touching] := _holders(policy, source)
	}
	min(seen)[0]
} else := _judgement(finding, applying)

_judgement(finding, applying) := {
	"id": id,
	"action": action,
	"severity": _severity(action, undecidable, denied),
	"undecidable": undecidable,
	"denied": [entry | some [_, _, _, _, _, _, entry] in denied],
	"allowed": [entry | some [_, _, _, _, entry] in allowed],
	"allowances": policy.named,
	"prohibitions": policy.prohibitions,
	"problems": sort(problems | policy.problems),
} if {
	id := _text_or_null(finding, "id")
	policy := _fitted(_policy(applying, _now(finding)), finding)
	listeners := _listeners(policy, finding)
	judged := [[exposure, verdict] |
		some exposure in _array(finding, "exposures")
		some verdict in _judge(_naming(policy, exposure), exposure, _listening(listeners, exposure))
	]
	problems := _problems(finding, judged)
	undecidable := problems != set()
	action := _action(undecidable, judged)
	denied := {entry |
		some [exposure, [false, source, spans, _]] in judged
		some span in spans
		entry := _denied(exposure, source, span)
	}
	allowed := {entry | some [_, [_, _, _, entries]] in judged; some entry in entries}
}

default _action(_, _) := "deny"

_action(false, judged) := "allow" if {
	judged != []
	[1 | some [_, verdict] in judged; not verdict[0]] == []
}
