package policy_tests.allow.declared

import data.policy_tests.now
import data.policy_tests.verdict

_declares(tag) := {"account": "444455556666", "tags": {"portcullis:allow": tag}}

test_allows_a_port_that_the_server_declares if {
	verdict(_declares("tcp/8443"), "tcp 8443", ["0.0.0.0/0"]) == {"allow tcp 8443 from 0.0.0.0/0: declared-ports"}
}

test_allows_a_part_of_a_declared_range if {
	verdict(_declares("tcp/443 tcp/8000-8100"), "tcp 8010-8020", ["0.0.0.0/0"]) == {
		"allow tcp 8010-8020 from 0.0.0.0/0: declared-ports",
	}
}

test_denies_a_declared_port_above_the_ceiling if {
	verdict(_declares("tcp/22"), "tcp 22", ["0.0.0.0/0"]) == {
		"deny tcp 22 from 0.0.0.0/0: short, nearest declared-ports",
	}
}

test_denies_what_a_declared_range_has_beyond_the_ceiling if {
	verdict(_declares("tcp/0-65535"), "tcp 8998-9001", ["0.0.0.0/0"]) == {
		"allow tcp 8998-8999 from 0.0.0.0/0: declared-ports",
		"deny tcp 9000-9001 from 0.0.0.0/0: short, nearest declared-ports",
	}
}

test_denies_a_port_within_the_ceiling_that_is_not_declared if {
	verdict(_declares("tcp/8443"), "tcp 8444", ["0.0.0.0/0"]) == {
		"deny tcp 8444 from 0.0.0.0/0: short, nearest declared-ports",
	}
}

test_denies_udp_that_is_declared_but_has_no_ceiling if {
	verdict(_declares("udp/8443"), "udp 8443", ["0.0.0.0/0"]) == {"deny udp 8443 from 0.0.0.0/0: uncovered"}
}

test_denies_a_server_that_declares_nothing if {
	verdict({"account": "444455556666"}, "tcp 443", ["0.0.0.0/0"]) == {
		"deny tcp 443 from 0.0.0.0/0: short, nearest declared-ports",
	}
}

test_names_an_unreadable_word_and_allows_the_others if {
	verdict(_declares("tcp/8443 8444"), "tcp 8443-8444", ["0.0.0.0/0"]) == {
		"allow tcp 8443 from 0.0.0.0/0: declared-ports",
		"deny tcp 8444 from 0.0.0.0/0: short, nearest declared-ports",
		"problem with tag portcullis:allow: 8444",
	}
}

test_denies_the_tag_in_production if {
	verdict({"tags": {"portcullis:allow": "tcp/8443"}}, "tcp 8443", ["0.0.0.0/0"]) == {
		"deny tcp 8443 from 0.0.0.0/0: uncovered",
	}
}

test_denies_after_the_last_day if {
	verdict(_declares("tcp/8443"), "tcp 8443", ["0.0.0.0/0"]) == {
		"deny tcp 8443 from 0.0.0.0/0: expired, nearest declared-ports",
	}
		with now as "2027-07-01T00:00:00Z"
}
