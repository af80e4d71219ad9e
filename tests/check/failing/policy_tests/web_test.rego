package policy_tests.web

import data.policy_tests.now
import data.policy_tests.verdict

_web := {"tags": {"Role": "web"}}

test_passes if {
	verdict(_web, "tcp 443", ["203.0.113.0/24"]) == {"allow tcp 443 from 203.0.113.0/24: web"}
}

test_expects_another_line if {
	verdict(_web, "tcp 80-443", ["203.0.113.0/24"]) == {
		"allow tcp 80 from 203.0.113.0/24: web",
		"deny tcp 81-442 from 203.0.113.0/24: uncovered",
		"allow tcp 443 from 203.0.113.0/24: web",
	}
}

test_expects_nothing if verdict(_web, "tcp 22", ["203.0.113.0/24"]) == set()

test_of_another_account if {
	verdict(object.union(_web, {"account": "444455556666", "id": "i-0bbb"}), "tcp 443", ["203.0.113.0/24"]) == {
		"allow tcp 443 from 203.0.113.0/24: web",
	}
}

test_of_another_day if {
	verdict(_web, "tcp 443", ["203.0.113.0/24"]) == {"allow tcp 443 from 203.0.113.0/24: web"}
		with now as "2027-07-01T00:00:00Z"
}

test_in_a_loop if {
	every source in ["203.0.113.0/24", "0.0.0.0/0"] {
		verdict(_web, "tcp 443", [source]) == {sprintf("allow tcp 443 from %s: web", [source])}
	}
}

test_in_a_loop_of_lines if {
	every source in ["203.0.113.0/24", "0.0.0.0/0"] {
		verdict(_web, "tcp 443", [source]) == {"allow tcp 443 from 203.0.113.0/24: web"}
	}
}

test_negated if not verdict(_web, "tcp 443", ["203.0.113.0/24"]) == {"allow tcp 443 from 203.0.113.0/24: web"}

test_counts if count(verdict(_web, "tcp 443", ["203.0.113.0/24"])) == 2

test_by_a_helper if _allows_web

_allows_web if verdict(_web, "tcp 22", ["203.0.113.0/24"]) == {"allow tcp 22 from 203.0.113.0/24: web"}

test_the_other_way_round if {
	{"allow tcp 444 from 203.0.113.0/24: web"} == verdict(_web, "tcp 444", ["203.0.113.0/24"])
}

test_by_a_variable if {
	lines := verdict(_web, "tcp 444", ["203.0.113.0/24"])
	lines == {"allow tcp 444 from 203.0.113.0/24: web"}
}

test_member if "allow tcp 444 from 203.0.113.0/24: web" in verdict(_web, "tcp 444", ["203.0.113.0/24"])

test_a_mistake_in_the_ports if {
	verdict(_web, "tcp443", ["203.0.113.0/24"]) == {"allow tcp 443 from 203.0.113.0/24: web"}
}

test_a_network_alone if data.networks.office == []

todo_test_later := true

test_of_two_bodies if verdict(_web, "tcp 443", ["203.0.113.0/24"]) == {"allow tcp 443 from 203.0.113.0/24: web"}

test_of_two_bodies if verdict(_web, "tcp 444", ["203.0.113.0/24"]) == {"allow tcp 444 from 203.0.113.0/24: web"}
