"""What stays open of a rule through which something is denied: the commands run as they stand against moto's EC2."""

from typing import Any
from uuid import uuid4

import msgspec
import pytest

from handler import alert
from handler.decision import Allowed
from handler.finding import Exposure, Finding, Listener
from handler.opa import Opa
from tests.alerts import ANYWHERE, ENGINE, OFFICE, SETTINGS, exposure, finding, outcomes, server
from tests.alerts.shell import Group, execute, flat, mails, part, run

PEER = "444455556666/sg-0peer"
PREFIXES = "pl-0123456789abcdef0"


def test_what_remains_allowed_of_a_rule_is_authorized_first(gate: Opa, ec2: Any, group: Group) -> None:
    """Of 80-443 the ports 80 and 443 stay open, from the same addresses."""
    web = server("i-0ccc", "web-prod-02", tags={"Role": "web"})
    run(ec2, gate, finding(web, group.open(80, 443, "0.0.0.0/0"), group.open(80, 443, "::/0")))
    assert group.opened() == {("tcp", port, port, source) for port in (80, 443) for source in ANYWHERE}


def test_what_another_finding_allows_of_a_rule_stays_open(gate: Opa, ec2: Any, group: Group) -> None:
    """Inspector tells one rule in several findings: closing the denied one keeps what the allowed one needs."""
    web = server("i-0ccc", "web-prod-02", tags={"Role": "web"})
    whole = group.open(22, 443, "0.0.0.0/0")
    ssh, https = part(whole, 22), part(whole, 443)
    rest = part(whole, 23, 442)
    run(ec2, gate, finding(web, ssh), finding(web, https), finding(web, rest))
    assert group.opened() == {("tcp", port, port, "0.0.0.0/0") for port in (80, 443)}


def test_what_another_server_may_use_of_a_rule_stays_open(gate: Opa, ec2: Any, group: Group) -> None:
    """The group's other servers keep what is allowed to them."""
    whole = group.open(22, 443, "0.0.0.0/0")
    ssh, https = part(whole, 22), part(whole, 443)
    web = server("i-0ccc", "web-prod-02", tags={"Role": "web"})
    host = server("i-0bad", "nobody-01")
    run(ec2, gate, finding(host, ssh), finding(host, part(whole, 23, 442)), finding(web, https))
    assert group.opened() == {("tcp", 443, 443, "0.0.0.0/0")}


def test_what_another_rule_opens_is_not_authorized_twice(gate: Opa, ec2: Any, group: Group) -> None:
    """AWS refuses a permission that is there already, and with it the whole command."""
    web = server("i-0ccc", "web-prod-02", tags={"Role": "web"})
    run(ec2, gate, finding(web, group.open(80, 443, "0.0.0.0/0"), group.open(443, 443, "0.0.0.0/0")))
    assert group.opened() == {("tcp", port, port, "0.0.0.0/0") for port in (80, 443)}


def test_what_other_rules_open_needs_no_command(gate: Opa, ec2: Any, group: Group) -> None:
    """All that is allowed of a rule is open without it: the rule goes, and the mail says why it may."""
    web = server("i-0ccc", "web-prod-02", tags={"Role": "web"})
    body = run(ec2, gate, finding(web, group.open(79, 80, "0.0.0.0/0"), group.open(80, 80, "0.0.0.0/0")))
    assert group.opened() == {("tcp", 80, 80, "0.0.0.0/0")}
    assert "; what is allowed of it is open by other rules too:" in flat(body)


@pytest.mark.parametrize("source", ["2001:db8:ff1::/48", "sg-0other", PEER, PREFIXES])
def test_every_kind_of_source_is_authorized_as_what_it_is(gate: Opa, ec2: Any, group: Group, source: str) -> None:
    """IPv6 networks, groups, a peer account's groups and prefix lists keep what they may reach."""
    other = ec2.create_security_group(GroupName=f"other-{uuid4()}", Description="other")["GroupId"]
    source = source.replace("sg-0other", other).replace("sg-0peer", other)
    web = server("i-0ccc", "web-prod-02", tags={"Role": "web"})
    run(ec2, gate, msgspec.structs.replace(finding(web, group.open(80, 81, source)), reach="peered_vpc"))
    assert group.opened() == {("tcp", 80, 80, source.rpartition("/")[2] if "sg-" in source else source)}


def test_rule_that_others_may_use_alike_is_not_revoked(gate: Opa, ec2: Any, group: Group) -> None:
    """What is denied here and allowed there cannot be told apart by a rule of the group that both are in."""
    https = group.open(443, 443, "0.0.0.0/0")
    web = server("i-0ccc", "web-prod-02", tags={"Role": "web"})
    body = run(ec2, gate, finding(server("i-0bad", "nobody-01"), https), finding(web, https))
    assert group.opened() == {("tcp", 443, 443, "0.0.0.0/0")}
    assert "Some of it is allowed through this rule on i-0ccc: give this server a group of its own." in flat(body)


def test_group_is_denied_what_is_allowed_on_its_servers(gate: Opa, ec2: Any, group: Group) -> None:
    """A report of a group as the server: the mail says on which of its servers the rule is allowed."""
    https = group.open(443, 443, "0.0.0.0/0")
    webs = [finding(server(f"i-0{name}", f"web-prod-{name}", tags={"Role": "web"}), https) for name in "ab"]
    body = run(ec2, gate, finding(server(group.id, kind="security_group"), https), *webs)
    assert group.opened() == {("tcp", 443, 443, "0.0.0.0/0")}
    said = "Some of it is allowed through this rule on i-0a, i-0b: allow it on this group too, or split the group."
    assert said in flat(body)


def test_unclear_which_of_two_rules_is_allowed(gate: Opa, ec2: Any, group: Group) -> None:
    """Where one exposure has several rules and part of it is allowed, none is revoked."""
    office, world = group.open(22, 22, OFFICE[0]), group.open(22, 22, "0.0.0.0/0")
    both = exposure(
        22, 22, (*office.sources, *world.sources), security_group=group.id, rules=(*office.rules, *world.rules)
    )
    body = run(ec2, gate, finding(server("i-0ddd", "bastion-01", tags={"Role": "bastion"}), both))
    assert group.opened() == {("tcp", 22, 22, OFFICE[0]), ("tcp", 22, 22, "0.0.0.0/0")}
    assert "revoke-security-group-ingress" not in body


def test_what_is_denied_one_way_is_not_kept_for_another(gate: Opa, ec2: Any, group: Group) -> None:
    """A rule cannot tell the internet from a VPN: what is denied on one of the ways is not opened again."""
    told = group.open(22, 22, OFFICE[0])
    host = server("i-0bad", "nobody-01")
    denied, other = outcomes(gate, [finding(host, told), finding(host, told, reach="vpn")])
    assert other.decision
    by = Allowed(protocol="tcp", from_port=22, to_port=22, source=OFFICE[0], by=("vpn-ssh",))
    allowed = msgspec.structs.replace(other.decision, action="allow", severity="none", denied=(), allowed=(by,))
    both = [denied, msgspec.structs.replace(other, decision=allowed)]
    assert execute(ec2, alert.messages(both, SETTINGS, ENGINE)[0].body) == []
    assert group.opened() == set()


def test_what_was_not_judged_of_a_rule_stays_open(gate: Opa, ec2: Any, group: Group) -> None:
    """The report is of two ports of a rule that opens every one."""
    whole = group.open(0, 65535, "0.0.0.0/0")
    body = run(ec2, gate, finding(server("i-0ccc", "web-prod-02", tags={"Role": "web"}), part(whole, 79, 80)))
    assert group.opened() == {("tcp", 0, 78, "0.0.0.0/0"), ("tcp", 80, 65535, "0.0.0.0/0")}
    kept = "tcp 0-78 from 0.0.0.0/0; tcp 81-65535 from 0.0.0.0/0"
    assert (
        f"Then keep what is allowed (tcp 80 from 0.0.0.0/0) and what was not judged ({kept}), "
        f"and revoke the rest of {whole.rules[0]} (on Duplicate," in flat(body)
    )


def test_what_was_not_judged_may_be_open_by_a_rule_that_nobody_reported(gate: Opa, ec2: Any, group: Group) -> None:
    """AWS refuses to open it twice, which keeps the rule; the mail says what to do."""
    group.open(80, 80, OFFICE[0])
    [body] = mails(gate, finding(server("i-0bad", "nobody-01"), part(group.open(80, 81, OFFICE[0]), 81)))
    assert execute(ec2, body) == ["InvalidPermission.Duplicate"]
    assert "(on Duplicate, leave out what is there already):" in flat(body)
    assert "another server" not in body


def test_what_could_not_be_judged_stays_open(gate: Opa, ec2: Any, group: Group) -> None:
    """A finding without a decision of its ports has judged none of them."""
    whole = group.open(22, 23, "0.0.0.0/0")
    host = server("i-0bad", "nobody-01")
    denied, other = outcomes(gate, [finding(host, part(whole, 22)), finding(host, part(whole, 23))])
    assert other.decision
    silent = msgspec.structs.replace(other, decision=msgspec.structs.replace(other.decision, denied=()))
    assert execute(ec2, alert.messages([denied, silent], SETTINGS, ENGINE)[0].body) == []
    assert group.opened() == {("tcp", 23, 23, "0.0.0.0/0")}


def test_what_was_not_judged_of_a_prefix_list_stays_open(gate: Opa, ec2: Any, group: Group) -> None:
    """A customer's prefix list is judged by its entries, and kept as a list."""
    whole = group.open(80, 90, PREFIXES)
    web = server("i-0ccc", "web-prod-02", tags={"Role": "web"})
    run(ec2, gate, finding(web, part(whole, 80, 81, sources=("198.51.100.0/24", "203.0.113.0/24"))))
    assert group.opened() == {
        ("tcp", 80, 80, "198.51.100.0/24"),
        ("tcp", 80, 80, "203.0.113.0/24"),
        ("tcp", 82, 90, PREFIXES),
    }


def test_rule_of_all_traffic_is_not_revoked(gate: Opa, ec2: Any, group: Group) -> None:
    """It opens more than ports, which nobody judged and nothing else opens exactly."""
    body = run(ec2, gate, finding(server("i-0bad", "nobody-01"), group.open(-1, -1, OFFICE[0], "-1")))
    assert group.opened() == {("-1", -1, -1, OFFICE[0])}
    assert (
        "More is open through this rule than was judged: all traffic from 203.0.113.0/24. "
        "Revoke nothing before you know who needs the rest." in flat(body)
    )


def test_rule_that_a_network_acl_narrows_is_not_revoked(gate: Opa, ec2: Any, group: Group) -> None:
    """What the ACL keeps out of this subnet was not judged, and others of the group may need it."""
    whole = group.open(22, 80, "0.0.0.0/0")
    body = run(ec2, gate, finding(server("i-0bad", "nobody-01"), part(whole, 22, sources=OFFICE)))
    assert group.opened() == {("tcp", 22, 80, "0.0.0.0/0")}
    assert "than was judged: tcp 22-80 from 0.0.0.0/0. Revoke nothing" in flat(body)


def test_part_of_what_is_denied_may_be_allowed_elsewhere(gate: Opa, ec2: Any, group: Group) -> None:
    """Networks are compared by their addresses: what is denied to the office is allowed there to everybody."""
    https = group.open(443, 443, "0.0.0.0/0")
    web = server("i-0ccc", "web-prod-02", tags={"Role": "web"})
    denied = finding(server("i-0bad", "nobody-01"), part(https, 443, sources=OFFICE))
    body = run(ec2, gate, denied, finding(web, https))
    assert group.opened() == {("tcp", 443, 443, "0.0.0.0/0")}
    assert "Some of it is allowed through this rule on i-0ccc: " in flat(body)


def test_part_of_what_is_denied_may_be_allowed_here(gate: Opa, ec2: Any, group: Group) -> None:
    """Of two interfaces a network ACL narrows one to the office, which is allowed: that is kept."""
    ssh = group.open(22, 22, "0.0.0.0/0")
    bastion = server("i-0ddd", "bastion-01", tags={"Role": "bastion"})
    run(ec2, gate, finding(bastion, ssh, part(ssh, 22, sources=OFFICE)))
    assert group.opened() == {("tcp", 22, 22, OFFICE[0])}


def test_two_mails_do_not_rely_on_each_others_rules(gate: Opa, ec2: Any, group: Group) -> None:
    """Each revokes a rule: what both rules open and the policies allow is kept by one of the mails."""
    low, high = group.open(79, 80, "0.0.0.0/0"), group.open(80, 81, "0.0.0.0/0")
    one, two = (server(f"i-0{number}", "web-prod-02", tags={"Role": "web"}) for number in (1, 2))
    first, second = mails(gate, finding(one, low, part(high, 80)), finding(two, high, part(low, 80)))
    assert execute(ec2, first) == []
    assert execute(ec2, second) == ["InvalidPermission.Duplicate"]
    assert group.opened() == {("tcp", 80, 80, "0.0.0.0/0"), ("tcp", 80, 81, "0.0.0.0/0")}
    assert "(on Duplicate, leave out what is there already):" in flat(second)


def test_two_rules_of_a_mail_keep_the_same_once(gate: Opa, ec2: Any, group: Group) -> None:
    """What both open and the policies allow is authorized with one of them."""
    web = server("i-0ccc", "web-prod-02", tags={"Role": "web"})
    run(ec2, gate, finding(web, group.open(79, 80, "0.0.0.0/0"), group.open(80, 81, "0.0.0.0/0")))
    assert group.opened() == {("tcp", 80, 80, "0.0.0.0/0")}


def container_host(identifier: str, around: Exposure) -> Finding:
    """Give a container host whose task may be reached behind its load balancer, and is reached around it too."""
    host = server(identifier, f"ecs-{identifier}", tags={"Role": "container-host"})
    behind = exposure(32768, sources=ANYWHERE[:1], rules=("sgr-0alb",), load_balancer="app/web/50dc")
    task = Listener(protocol="tcp", port=32768, task="web:1", target_group="web", load_balancer="app/web/50dc")
    return finding(host, around, behind, listeners=(task,))


def test_what_is_allowed_behind_a_load_balancer_is_not_around_it(gate: Opa, ec2: Any, group: Group) -> None:
    """Denied around it on both hosts, the port is closed, and the mail says in which way it is allowed."""
    around = group.open(32768, 32768, "0.0.0.0/0")
    body = run(ec2, gate, container_host("i-0a", around), container_host("i-0b", around))
    assert group.opened() == set()
    assert "tcp 32768 from 0.0.0.0/0 behind load balancer app/web/50dc by container-tasks" in flat(body)


def test_what_is_allowed_behind_a_load_balancer_keeps_no_rule_around_it(gate: Opa, ec2: Any, group: Group) -> None:
    """It stays open by the balancer's rule, and not for the other hosts of the group."""
    whole = group.open(22, 32768, "0.0.0.0/0")
    run(ec2, gate, finding(server("i-0a", "nobody-01"), part(whole, 22)), container_host("i-0b", part(whole, 32768)))
    assert group.opened() == {("tcp", 23, 32767, "0.0.0.0/0")}
