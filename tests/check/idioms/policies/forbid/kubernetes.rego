# A helper may have several definitions in one file, and the name of one of `allow`.
package forbid

default _is_test := false

_is_test if _is_kubernetes(input.server.region)

_is_test if input.reach == "internet"

_is_kubernetes("eu-west-1")

_is_kubernetes(region) if startswith(region, "us-")

prohibition contains {
	"id": "kubernetes",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	_is_test
}
