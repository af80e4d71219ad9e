package policy_tests.allow.vpn

import data.policy_tests.now
import data.policy_tests.verdict

_vpn := {"name": "vpn.example.com"}

test_allows_openvpn_from_anywhere if {
	verdict(_vpn, "udp 1194", ["0.0.0.0/0"]) == {"allow udp 1194 from 0.0.0.0/0: openvpn"}
}

test_allows_the_portal_from_anywhere if {
	verdict(_vpn, "tcp 443", ["::/0"]) == {"allow tcp 443 from ::/0: openvpn"}
}

test_denies_openvpn_over_tcp if {
	verdict(_vpn, "tcp 1194", ["0.0.0.0/0"]) == {"deny tcp 1194 from 0.0.0.0/0: short, nearest openvpn"}
}

test_denies_the_portal_over_udp if {
	verdict(_vpn, "udp 443", ["0.0.0.0/0"]) == {"deny udp 443 from 0.0.0.0/0: short, nearest openvpn"}
}

test_denies_another_server if {
	verdict({"name": "vpn2.example.com"}, "udp 1194", ["0.0.0.0/0"]) == {"deny udp 1194 from 0.0.0.0/0: uncovered"}
}

test_denies_another_account if {
	verdict(object.union(_vpn, {"account": "222233334444"}), "udp 1194", ["0.0.0.0/0"]) == {
		"deny udp 1194 from 0.0.0.0/0: uncovered",
	}
}

test_denies_after_the_last_day if {
	verdict(_vpn, "udp 1194", ["0.0.0.0/0"]) == {"deny udp 1194 from 0.0.0.0/0: expired, nearest openvpn"}
		with now as "2027-07-01T00:00:00Z"
}
