# METADATA
# title: The gate for a batch
# description: One decision a finding, in the order of the input, each exactly what data.gate.decision says of it.
# scope: package
# schemas:
#   - input: schema.batch
package gate.batch

import data.gate

# METADATA
# description: The decisions on the findings of the input.
# entrypoint: true
decisions := [decision |
	some finding in input.findings
	applying := [
		[allowance | some allowance in gate.allowance],
		[prohibition | some prohibition in data.forbid.prohibition],
	] with input as finding
	decision := gate.decide(finding, applying)
]
