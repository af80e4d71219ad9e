"""The commands that close what is denied, run as they stand against moto's EC2."""

import shlex
from typing import Any

import pytest
from msgspec import UNSET

from handler import alert
from handler.opa import Opa
from tests.alerts import ENGINE, OFFICE, SETTINGS, exposure, finding, opens, outcomes, server
from tests.alerts.shell import Group, execute, flat, mails, part, run


def test_rule_that_is_wholly_denied_is_revoked(gate: Opa, ec2: Any, group: Group) -> None:
    """The rule that is wrong goes, the one beside it stays."""
    bastion = server("i-0ddd", "bastion-01", tags={"Role": "bastion"})
    run(ec2, gate, finding(bastion, group.open(22, 22, OFFICE[0]), group.open(22, 22, "0.0.0.0/0")))
    assert group.opened() == {("tcp", 22, 22, OFFICE[0])}


def test_every_denied_rule_has_a_command_of_its_own(gate: Opa, ec2: Any, group: Group) -> None:
    """A rule for each address family, told in two findings: no part of them is left, and none hangs on another."""
    host = server("i-0ddd", "nobody-01")
    body = run(
        ec2,
        gate,
        finding(host, group.open(22, 22, "0.0.0.0/0"), group.open(22, 22, "::/0")),
        finding(host, group.open(5000, 5010, "198.51.100.0/24", "udp")),
    )
    assert group.opened() == set()
    assert body.count("revoke-security-group-ingress") == 3
    assert " &&" not in body


def test_rule_of_a_load_balancer_is_not_revoked(gate: Opa, ec2: Any, group: Group) -> None:
    """Its ports are those of the balancer, and the server's own say nothing about them."""
    told = group.open(443, 443, "0.0.0.0/0")
    behind = exposure(
        8080, 8080, told.sources, security_group=group.id, rules=told.rules, load_balancer="app/web/50dc6c495c0c9188"
    )
    body = run(ec2, gate, finding(server("i-0bad", "nobody-01"), behind))
    assert group.opened() == {("tcp", 443, 443, "0.0.0.0/0")}
    assert "  behind load balancer app/web/50dc6c495c0c9188\n" in body
    assert "What comes in through this rule comes to the load balancer app/web/50dc6c495c0c9188: " in flat(body)


def test_each_group_says_for_how_many_interfaces_it_is_closed(gate: Opa) -> None:
    """Where they were counted; each group has its own number."""
    counted: dict[str, dict[str, int]] = {
        "sg-0b": {"group_interfaces": 1},
        "sg-0c": {"group_interfaces": 2},
        "sg-0d": {},
    }
    told = [
        exposure(22, sources=("0.0.0.0/0",), security_group=group, rules=(f"sgr-{group}",), **number)
        for group, number in counted.items()
    ]
    body = alert.messages(outcomes(gate, [finding(server("i-0bad", "nobody-01"), *told)]), SETTINGS, ENGINE)[0].body
    words = " ".join(body.split())
    for said in (
        "sg-0b is on 1 interface.",
        "sg-0c is on 2 interfaces.",
        "sg-0d may be on many interfaces.",
    ):
        assert f"{said} Look first at what it opens:" in words


def test_rule_that_is_not_known_is_looked_for(gate: Opa, ec2: Any, group: Group) -> None:
    """Without a rule the reader gets the command that lists the rules of all groups, and none that changes any."""
    group.open(6379, 6379, "0.0.0.0/0")
    host = server("i-0eee", "cache-02", security_groups=(group.id, "sg-0123456789abcdef0"))
    body = run(ec2, gate, finding(host, exposure(6379, security_group=group.id)))
    assert f"--filters Name=group-id,Values={group.id},sg-0123456789abcdef0" in body
    assert group.opened() == {("tcp", 6379, 6379, "0.0.0.0/0")}


def test_group_as_server_is_its_own_group(gate: Opa, ec2: Any, group: Group) -> None:
    """A finding on a security group looks into that group."""
    body = run(ec2, gate, finding(server(group.id, kind="security_group"), exposure(22)))
    assert f"--filters Name=group-id,Values={group.id}" in body


def test_group_that_is_not_known_is_looked_for(gate: Opa, ec2: Any) -> None:
    """Without a group the reader gets the command that names the groups of the instance."""
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    instance = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    body = run(ec2, gate, finding(server(instance), exposure(22)))
    assert f"--instance-ids {instance}" in body


@pytest.mark.parametrize("kind", ["exposure", "rule"])
def test_rule_of_whom_nothing_is_known_is_not_revoked(gate: Opa, ec2: Any, group: Group, kind: str) -> None:
    """Where a look-up failed the rule may be one that is allowed: it is shown, and not changed."""
    whole = group.open(5432, 5432, "198.51.100.0/24")
    rule = whole.rule_opens if kind == "exposure" else opens(5432, 5432, "unknown")
    sources = ("unknown",) if kind == "exposure" else whole.sources
    body = run(ec2, gate, finding(server("i-0db", "db-1"), part(whole, 5432, sources=sources, rule_opens=rule)))
    assert group.opened() == {("tcp", 5432, 5432, "198.51.100.0/24")}
    assert "Who is let in by this rule could not be read: revoke nothing before you know." in flat(body)
    assert "aws ec2 describe-security-group-rules" in body


def test_rule_that_is_gone_keeps_no_other_from_going(gate: Opa, ec2: Any, group: Group) -> None:
    """The mail about one server revokes a rule that the mail about the next one names as well."""
    ssh, data = group.open(22, 22, "0.0.0.0/0"), group.open(5432, 5432, "198.51.100.0/24")
    one, two = server("i-0a", "a"), server("i-0b", "b")
    first, second = mails(gate, finding(one, ssh), finding(two, ssh), finding(two, data))
    assert execute(ec2, first) == []
    [refused] = execute(ec2, second)
    assert refused.endswith(".NotFound")
    assert group.opened() == set()
    assert "this group too: where AWS answers NotFound, that rule is gone." in flat(second)
    assert "Duplicate" not in second


def test_rules_that_fare_differently_are_named(gate: Opa, ec2: Any, group: Group) -> None:
    """One rule may be revoked, the other must not: the sentences say which."""
    ssh, every = group.open(22, 22, "0.0.0.0/0"), group.open(-1, -1, OFFICE[0], "-1")
    body = run(ec2, gate, finding(server("i-0bad", "nobody-01"), ssh, part(every, 22)))
    assert group.opened() == {("-1", -1, -1, OFFICE[0])}
    assert f"More is open through {every.rules[0]} than was judged" in flat(body)
    assert f"Then revoke {ssh.rules[0]}; nothing that is allowed in these reports goes through it:" in flat(body)


def test_rule_that_nobody_read_is_revoked_with_a_condition(gate: Opa, ec2: Any, group: Group) -> None:
    """All that is known of it then is what was reported."""
    whole = group.open(22, 22, "0.0.0.0/0")
    body = run(ec2, gate, finding(server("i-0bad", "nobody-01"), part(whole, 22, rule_opens=UNSET)))
    assert group.opened() == set()
    assert f"Then, if nothing else is open through {whole.rules[0]}, revoke it;" in flat(body)


def test_groups_of_all_findings_are_looked_into(gate: Opa) -> None:
    """Each finding may tell another interface of the server, with groups of its own."""
    told = [
        finding(server("i-0d", security_groups=groups), exposure(port))
        for port, groups in ((22, ("sg-1a",)), (23, ("sg-2a", "sg-2b")))
    ]
    for findings in (told, told[::-1]):
        [command] = [line for line in mails(gate, *findings)[0].splitlines() if "Values=" in line]
        assert sorted(command.partition("Values=")[2].split(",")) == ["sg-1a", "sg-2a", "sg-2b"]


def test_no_word_becomes_a_second_command(gate: Opa) -> None:
    """Ids and regions are quoted: a shell sees one word each, whatever they hold."""
    evil = "'; reboot; echo '$(id)`id`\n#"
    host = server(evil, evil, region=evil, security_groups=(evil, evil))
    for told in (
        exposure(22),
        exposure(22, security_group=evil),
        exposure(22, sources=("0.0.0.0/0",), security_group=evil, rules=(evil,)),
    ):
        body = alert.messages(outcomes(gate, [finding(host, told)]), SETTINGS, ENGINE)[0].body
        lines = body.replace(" \\\n", " ").replace(" |\n  portcullis decide -\n", "\n").splitlines()
        commands = [line for line in lines if line.startswith("aws ")]
        assert commands
        for command in commands:
            lexer = shlex.shlex(command.removesuffix(" &&"), posix=True, punctuation_chars=True)
            lexer.whitespace_split = True
            words = list(lexer)
            assert words[:2] in (["aws", "ec2"], ["aws", "inspector2"])
            assert not set(words) & {";", "&", "&&", "|", "(", ")"}
