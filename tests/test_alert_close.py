"""The commands that close what is denied, run as they stand against moto's EC2."""

import json
import shlex
from collections.abc import Callable, Iterator
from typing import Any, Literal
from uuid import uuid4

import boto3
import msgspec
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from moto import mock_aws
from msgspec import UNSET

from handler import alert
from handler.decision import Allowed
from handler.finding import Exposure, Finding
from handler.opa import Opa
from handler.process import Process
from handler.settings import ROOT
from tests.alerts import ANYWHERE, ENGINE, OFFICE, REGION, SETTINGS, exposure, finding, opens, outcomes, server

Permissions = set[tuple[str, int, int, str]]

PROTOCOLS: dict[str, Literal["tcp", "udp", "all"]] = {"tcp": "tcp", "udp": "udp", "-1": "all"}

PEER = "444455556666/sg-0peer"
PREFIXES = "pl-0123456789abcdef0"


@pytest.fixture(scope="module")
def gate(opa_path: str) -> Iterator[Opa]:
    """Give the gate with the shipped policies."""
    with Opa(Process(str(ROOT / "policies"), opa_path)) as gate:
        gate.ready()
        yield gate


@pytest.fixture(scope="module")
def ec2() -> Iterator[Any]:
    """Give an EC2 without a cloud."""
    with pytest.MonkeyPatch.context() as environment, mock_aws():
        environment.setenv("AWS_ACCESS_KEY_ID", "test")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
        yield boto3.client("ec2", region_name=REGION)


class Group:
    """A security group with rules."""

    def __init__(self, ec2: Any) -> None:
        self.ec2 = ec2
        self.id: str = ec2.create_security_group(GroupName=f"web-{uuid4()}", Description="web")["GroupId"]

    def open(self, low: int, high: int, source: str, protocol: str = "tcp") -> Exposure:
        """Add a rule, and give what it exposes."""
        kinds = {
            "sg-": {"UserIdGroupPairs": [{"GroupId": source}]},
            "pl-": {"PrefixListIds": [{"PrefixListId": source}]},
            "444": {"UserIdGroupPairs": [{"UserId": source[:12], "GroupId": source[13:]}]},
        }
        ranges = {"Ipv6Ranges": [{"CidrIpv6": source}]} if ":" in source else {"IpRanges": [{"CidrIp": source}]}
        permission = {"IpProtocol": protocol, "FromPort": low, "ToPort": high, **kinds.get(source[:3], ranges)}
        answer = self.ec2.authorize_security_group_ingress(GroupId=self.id, IpPermissions=[permission])
        rules = (answer["SecurityGroupRules"][0]["SecurityGroupRuleId"],)
        rule = opens(max(low, 0), high % 65536, source, PROTOCOLS[protocol])
        return Exposure(
            protocol="udp" if protocol == "udp" else "tcp",
            from_port=rule.from_port,
            to_port=rule.to_port,
            sources=(source,),
            security_group=self.id,
            rules=rules,
            rule_opens=rule,
        )

    def opened(self) -> Permissions:
        """Give what it opens."""
        group = self.ec2.describe_security_groups(GroupIds=[self.id])["SecurityGroups"][0]
        return {
            (one["IpProtocol"], one.get("FromPort", -1), one.get("ToPort", -1), source)
            for one in group["IpPermissions"]
            for source in [
                *(entry["CidrIp"] for entry in one.get("IpRanges", [])),
                *(entry["CidrIpv6"] for entry in one.get("Ipv6Ranges", [])),
                *(entry["PrefixListId"] for entry in one.get("PrefixListIds", [])),
                *(entry["GroupId"] for entry in one.get("UserIdGroupPairs", [])),
            ]
        }


@pytest.fixture
def group(ec2: Any) -> Group:
    """Give a group without rules."""
    return Group(ec2)


def run(ec2: Any, gate: Opa, *findings: Finding) -> str:
    """Decide findings and run all commands of the first mail, as its reader would; give the mail."""
    body = mails(gate, *findings)[0]
    assert execute(ec2, body) == []
    return body


def mails(gate: Opa, *findings: Finding) -> list[str]:
    """Decide findings and give the mails."""
    return [message.body for message in alert.messages(outcomes(gate, findings), SETTINGS, ENGINE)]


def execute(ec2: Any, body: str) -> list[str]:
    """Run all commands of a mail as a shell does: what AWS refuses stops what hangs on it. Give its answers."""
    refused: list[str] = []
    hangs = skipped = False
    for line in body.replace(" \\\n", " ").splitlines():
        if not line.startswith("aws "):
            continue
        skipped = skipped and hangs
        if not skipped:
            try:
                call(ec2, shlex.split(line.removesuffix(" &&")))
            except ClientError as error:
                refused.append(error.response["Error"]["Code"])
                skipped = True
        hangs = line.endswith(" &&")
    return refused


def call(ec2: Any, words: list[str]) -> None:
    """Make the call that the AWS CLI would make; unknown commands and options raise."""
    assert words[:2] == ["aws", "ec2"]
    operation = xform_name("".join(part.title() for part in words[2].split("-")))
    arguments: dict[str, list[str]] = {}
    for word in words[3:]:
        if word.startswith("--"):
            option = arguments[word] = []
        else:
            option.append(word)
    assert arguments.pop("--region") == [REGION]
    read: dict[str, Callable[[list[str]], dict[str, Any]]] = {
        "--group-id": lambda values: {"GroupId": values[0]},
        "--ip-permissions": lambda values: {"IpPermissions": json.loads(values[0])},
        "--security-group-rule-ids": lambda values: {"SecurityGroupRuleIds": values},
        "--instance-ids": lambda values: {"InstanceIds": values},
        "--query": lambda _: {},
        "--filters": lambda values: {"Filters": [filtered(value) for value in values]},
    }
    parameters = [read[option](values) for option, values in arguments.items()]
    getattr(ec2, operation)(**{name: value for parameter in parameters for name, value in parameter.items()})


def part(whole: Exposure, low: int, high: int | None = None, **fields: Any) -> Exposure:
    """Give some ports of what a rule exposes."""
    return msgspec.structs.replace(whole, from_port=low, to_port=low if high is None else high, **fields)


def flat(body: str) -> str:
    """Give a mail without its line breaks."""
    return " ".join(body.split())


def filtered(text: str) -> dict[str, Any]:
    """Read a filter in the CLI's shorthand."""
    name, values = text.removeprefix("Name=").split(",Values=")
    return {"Name": name, "Values": values.split(",")}


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
    assert "give this server a group of its own" in " ".join(body.split())


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


def test_rule_of_a_load_balancer_is_not_revoked(gate: Opa, ec2: Any, group: Group) -> None:
    """Its ports are those of the balancer, and the server's own say nothing about them."""
    told = group.open(443, 443, "0.0.0.0/0")
    behind = exposure(
        8080, 8080, told.sources, security_group=group.id, rules=told.rules, load_balancer="app/web/50dc6c495c0c9188"
    )
    body = run(ec2, gate, finding(server("i-0bad", "nobody-01"), behind))
    assert group.opened() == {("tcp", 443, 443, "0.0.0.0/0")}
    assert "  behind load balancer app/web/50dc6c495c0c9188\n" in body


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
    opened = "of {} opens this{}: tcp 22 from 0.0.0.0/0. {}Look first at all that the group opens:"
    for group, for_whom, number in (
        ("sg-0b", "", "sg-0b is on 1 network interface of this account: a change of it changes no other there. "),
        ("sg-0c", "", "sg-0c is on 2 network interfaces of this account: a change of it changes them all. "),
        ("sg-0d", ", for every interface in that group", ""),
    ):
        assert opened.format(group, for_whom, number) in words


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


def test_what_was_not_judged_of_a_rule_stays_open(gate: Opa, ec2: Any, group: Group) -> None:
    """The report is of two ports of a rule that opens every one."""
    whole = group.open(0, 65535, "0.0.0.0/0")
    body = run(ec2, gate, finding(server("i-0ccc", "web-prod-02", tags={"Role": "web"}), part(whole, 79, 80)))
    assert group.opened() == {("tcp", 0, 78, "0.0.0.0/0"), ("tcp", 80, 65535, "0.0.0.0/0")}
    kept = "tcp 0-78 from 0.0.0.0/0; tcp 81-65535 from 0.0.0.0/0"
    assert (
        f"Then keep what is allowed (tcp 80 from 0.0.0.0/0) and what was not judged ({kept}), and revoke the rest:"
        in flat(body)
    )


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
    assert "The same is allowed through this rule on other servers of that group" in flat(body)


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
    assert "Where AWS answers Duplicate, leave out what is there already" in flat(second)


def test_two_rules_of_a_mail_keep_the_same_once(gate: Opa, ec2: Any, group: Group) -> None:
    """What both open and the policies allow is authorized with one of them."""
    web = server("i-0ccc", "web-prod-02", tags={"Role": "web"})
    run(ec2, gate, finding(web, group.open(79, 80, "0.0.0.0/0"), group.open(80, 81, "0.0.0.0/0")))
    assert group.opened() == {("tcp", 80, 80, "0.0.0.0/0")}


def test_rule_that_is_gone_keeps_no_other_from_going(gate: Opa, ec2: Any, group: Group) -> None:
    """The mail about one server revokes a rule that the mail about the next one names as well."""
    ssh, data = group.open(22, 22, "0.0.0.0/0"), group.open(5432, 5432, "198.51.100.0/24")
    one, two = server("i-0a", "a"), server("i-0b", "b")
    first, second = mails(gate, finding(one, ssh), finding(two, ssh), finding(two, data))
    assert execute(ec2, first) == []
    [refused] = execute(ec2, second)
    assert refused.endswith(".NotFound")
    assert group.opened() == set()
    assert "where it answers NotFound, that rule is gone." in flat(second)


def test_rules_that_fare_differently_are_named(gate: Opa, ec2: Any, group: Group) -> None:
    """One rule may be revoked, the other must not: the sentences say which."""
    ssh, every = group.open(22, 22, "0.0.0.0/0"), group.open(-1, -1, OFFICE[0], "-1")
    body = run(ec2, gate, finding(server("i-0bad", "nobody-01"), ssh, part(every, 22)))
    assert group.opened() == {("-1", -1, -1, OFFICE[0])}
    assert f"More is open through {every.rules[0]} than was judged" in flat(body)
    assert f"Then revoke {ssh.rules[0]}; nothing that is allowed in these reports goes through {ssh.rules[0]}:" in (
        flat(body)
    )


def test_rule_that_nobody_read_is_revoked_with_a_condition(gate: Opa, ec2: Any, group: Group) -> None:
    """All that is known of it then is what was reported."""
    whole = group.open(22, 22, "0.0.0.0/0")
    body = run(ec2, gate, finding(server("i-0bad", "nobody-01"), part(whole, 22, rule_opens=UNSET)))
    assert group.opened() == set()
    assert "Then, if nothing else is open through it, revoke it;" in flat(body)


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
        commands = [line for line in body.replace(" \\\n", " ").splitlines() if line.startswith("aws ")]
        assert commands
        for command in commands:
            lexer = shlex.shlex(command.removesuffix(" &&"), posix=True, punctuation_chars=True)
            lexer.whitespace_split = True
            words = list(lexer)
            assert words[:2] == ["aws", "ec2"]
            assert not set(words) & {";", "&", "&&", "|", "(", ")"}
