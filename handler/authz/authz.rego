# METADATA
# description: |
#   Who may ask the embedded OPA what: whoever holds the token of this start may have a batch judged; anybody may ask
#   whether it is healthy. Everything else, reading or writing policies and data too, is refused.
package system.authz

default allow := false

allow if {
	input.method == "POST"
	input.path == ["v1", "data", "gate", "batch", "decisions"]
	input.identity == opa.runtime().env.OPA_TOKEN
}

allow if {
	input.method == "GET"
	input.path == ["health"]
}
