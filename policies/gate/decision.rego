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
	{allowance | some allowance in data.allow.allowance},
	{prohibition | some prohibition in data.forbid.prohibition},
)

# METADATA
# description: |
#   The decision on a finding, of which any JSON value is accepted, given the allowances and the prohibitions that
#   apply to it. The action is computed before the entries that describe it and apart from them: a source counts as
#   permitted only when it was judged and nothing of it is denied.
decide(value, allowances, prohibitions) := {
	"id": id,
	"action": action,
	"severity": _severity(action, undecidable, denied),
	"undecidable": undecidable,
	"denied": [entry[4] | some entry in denied],
	"allowed": [entry[4] | some entry in allowed],
	"allowances": _named(terms, allowed, denied),
	"problems": _problems(id, unreadable, allowances, stops, tags),
} if {
	finding := _object(value)
	id := _text_or_null(object.get(finding, "id", null))
	tags := object.get(finding, ["server", "tags"], {})
	today := _today(object.get(finding, "now", null))
	terms := [term |
		some allowance in allowances
		read := _allowance(allowance)
		read.problems == set()
		term := _declared(read, tags)
	]
	stops := [_prohibition(prohibition) | some prohibition in prohibitions]
	exposures := _exposures(finding)
	unreadable := _unreadable(finding)

	judged := [_judge(exposure, source, terms, stops, today) |
		some exposure in exposures
		some source in _sources(exposure)
	]
	undecidable := unreadable != set()
	action := _action(undecidable, judged, exposures)
	denied := {entry | some entry in judged[_].denied}
	allowed := {entry | some entry in judged[_].allowed}
}

default _action(_, _, _) := "deny"

_action(undecidable, judged, exposures) := "allow" if {
	not undecidable
	count(judged) > 0
	count(judged) == sum([count(_sources(exposure)) | some exposure in exposures])
	every verdict in judged { verdict.permitted == true }
}

# Whose the allowances are that an entry names, and until when they hold.
_named(terms, allowed, denied) := {id: whose |
	some id in ({name | some name in allowed[_][4].by} | {entry[4].nearest | some entry in denied})
	whose := [{"owner": term.owner, "expires": term.expires} | some term in terms; term.id == id][0]
}

_problems(id, unreadable, allowances, stops, tags) := sort(union({
	{{"kind": "finding", "id": id, "field": found[0], "problem": found[1]} | some found in unreadable},
	{problem | some allowance in allowances; some problem in _allowance_problems(allowance, tags)},
	{problem | some stop in stops; some problem in stop.problems},
}))

_text_or_null(value) := value if is_string(value)

else := null

_object(value) := value if is_object(value)

else := {}
