# METADATA
# description: |
#   A prohibition that asks for a tag says nothing where nobody knows the tags: it fails open. With a second rule for that
#   case it denies.
package policy_tests.gate.unknown

import data.policy_tests.decide
import data.policy_tests.everything
import data.policy_tests.exposure
import data.policy_tests.finding
import data.policy_tests.forbidding
import data.policy_tests.told

_stop := forbidding("no-ssh-in-test", {"tcp": [22], "sources": ["anywhere"]})

_asks_for_the_tag contains _stop if input.server.tags.Stage == "test"

_asks_for_the_tag_if_known contains _stop if _may_be_in_test

_may_be_in_test if input.server.tags.Stage == "test"

_may_be_in_test if not input.server.tags_known

_denied := {"deny tcp 22 from 0.0.0.0/0: prohibited by no-ssh-in-test, nearest everything"}

_allowed := {"allow tcp 22 from 0.0.0.0/0: everything"}

# What the gate says of a server by a prohibition that asks for the tag, and by one that has a rule for unknown tags too.
_told(server) := [told(decide(value, {everything}, stops)) | some stops in [asking, guarded]] if {
	value := finding(server, [exposure("tcp 22", ["0.0.0.0/0"])])
	asking := _asks_for_the_tag with input as value
	guarded := _asks_for_the_tag_if_known with input as value
}

test_both_deny_where_the_tag_is_known if _told({"tags": {"Stage": "test"}}) == [_denied, _denied]

test_both_allow_where_another_is_known if {
	every tags in [{"Stage": "production"}, {}] { _told({"tags": tags}) == [_allowed, _allowed] }
}

test_only_the_second_denies_where_tags_are_unknown if _told({"tags_known": false}) == [_allowed, _denied]
