package policy_tests.allow.web

import data.policy_tests.now
import data.policy_tests.verdict

_listed := {"name": "shop.example.com"}

_tagged := {"tags": {"Role": "web"}}

test_allows_https_of_a_listed_server_from_anywhere if {
	verdict(_listed, "tcp 443", ["0.0.0.0/0", "::/0"]) == {
		"allow tcp 443 from 0.0.0.0/0: web-by-name",
		"allow tcp 443 from ::/0: web-by-name",
	}
}

test_allows_http_of_a_tagged_server_from_an_unknown_address if {
	verdict(_tagged, "tcp 80", ["unknown"]) == {"allow tcp 80 from unknown: web-https"}
}

test_allows_a_listed_and_tagged_server_twice if {
	verdict(object.union(_listed, _tagged), "tcp 443", ["203.0.113.9/32"]) == {
		"allow tcp 443 from 203.0.113.9/32: web-by-name, web-https",
	}
}

test_denies_the_ports_between_80_and_443 if {
	verdict(_tagged, "tcp 80-443", ["0.0.0.0/0"]) == {
		"allow tcp 80 from 0.0.0.0/0: web-https",
		"deny tcp 81-442 from 0.0.0.0/0: short, nearest web-https",
		"allow tcp 443 from 0.0.0.0/0: web-https",
	}
}

test_denies_another_port if {
	verdict(_listed, "tcp 8443", ["0.0.0.0/0"]) == {"deny tcp 8443 from 0.0.0.0/0: short, nearest web-by-name"}
}

test_denies_udp if {
	verdict(_tagged, "udp 443", ["0.0.0.0/0"]) == {"deny udp 443 from 0.0.0.0/0: uncovered"}
}

test_denies_a_listed_name_in_another_account if {
	verdict(object.union(_listed, {"account": "222233334444"}), "tcp 443", ["0.0.0.0/0"]) == {
		"deny tcp 443 from 0.0.0.0/0: uncovered",
	}
}

test_denies_the_tag_in_another_account if {
	verdict(object.union(_tagged, {"account": "222233334444"}), "tcp 443", ["0.0.0.0/0"]) == {
		"deny tcp 443 from 0.0.0.0/0: uncovered",
	}
}

test_denies_a_name_that_only_begins_alike if {
	verdict({"name": "shop.example.com.evil.example"}, "tcp 443", ["0.0.0.0/0"]) == {
		"deny tcp 443 from 0.0.0.0/0: uncovered",
	}
}

test_denies_another_role if {
	verdict({"tags": {"Role": "Web"}}, "tcp 443", ["0.0.0.0/0"]) == {"deny tcp 443 from 0.0.0.0/0: uncovered"}
}

test_allows_on_the_last_day if {
	verdict(_listed, "tcp 443", ["0.0.0.0/0"]) == {"allow tcp 443 from 0.0.0.0/0: web-by-name"}
		with now as "2027-06-30T23:59:59Z"
}

test_denies_after_the_last_day if {
	verdict(_tagged, "tcp 443", ["0.0.0.0/0"]) == {"deny tcp 443 from 0.0.0.0/0: expired, nearest web-https"}
		with now as "2027-07-01T00:00:00Z"
}
