package policy_tests.allow.web

import data.policy_tests.verdict

_web := {"tags": {"Role": "web"}}

test_allows_https_of_a_web_server_from_anywhere if {
	verdict(_web, "tcp 443", ["0.0.0.0/0", "::/0"]) == {
		"allow tcp 443 from 0.0.0.0/0: web-https",
		"allow tcp 443 from ::/0: web-https",
	}
}

test_denies_another_port if {
	verdict(_web, "tcp 8443", ["0.0.0.0/0"]) == {"deny tcp 8443 from 0.0.0.0/0: short, nearest web-https"}
}

test_denies_a_server_without_the_tag if {
	verdict({}, "tcp 443", ["0.0.0.0/0"]) == {"deny tcp 443 from 0.0.0.0/0: uncovered"}
}

test_denies_the_tag_in_another_account if {
	verdict(object.union(_web, {"account": "another"}), "tcp 443", ["0.0.0.0/0"]) == {
		"deny tcp 443 from 0.0.0.0/0: uncovered",
	}
}
