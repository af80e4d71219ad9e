# METADATA
# description: A batch has one decision a finding, in the order of the input, whatever the findings are.
package policy_tests.gate.batch

import data.policy_tests.exposure
import data.policy_tests.finding

_batch(findings) := decisions if decisions := data.gate.batch.decisions with input as {"findings": findings}

_alone(value) := decision if decision := data.gate.decision with input as value

test_decides_each_finding_as_alone_in_the_order_of_the_input if {
	web := finding({"name": "www"}, [exposure("tcp 80-443", ["0.0.0.0/0"])])
	findings := [
		object.union(web, {"id": "b"}),
		object.union(web, {"id": "a", "server": {"name": "other"}}),
		object.union(web, {"id": "b"}),
		object.remove(web, ["id"]),
		object.union(web, {"exposures": []}),
		{},
		null,
		"finding",
	]
	decisions := _batch(findings)
	decisions == [_alone(value) | some value in findings]
	[decision.id | some decision in decisions] == ["b", "a", "b", null, "finding-1", null, null, null]
}

test_decides_nothing_for_an_empty_batch if _batch([]) == []
