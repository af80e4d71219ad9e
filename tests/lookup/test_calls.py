"""What an invocation asks AWS is asked for all its findings at once, and nothing is asked when all is off."""

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.session import get_session
from msgspec.structs import replace

from handler import lookup
from handler.aws import Accounts
from handler.settings import LookUps
from tests.lookup.cloud import Cloud, looked_up, reported, server, sources, tcp
from tests.lookup.cluster import forward, target_group
from tests.lookup.endpoint import Endpoint

ON = LookUps().all_on()
ROOT = Path(__file__).parents[2]


def asked(service: str) -> Iterator[str]:
    """Yield the actions of a service that the look-ups name by boto3's operations, as IAM spells them."""
    model = get_session().get_service_model(service)
    actions = {xform_name(name): f"{model.signing_name}:{name}" for name in model.operation_names}
    for package in ("lookup", "reachability"):
        for module in (ROOT / "handler" / package).glob("*.py"):
            constants = [
                node.value for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.Constant)
            ]
            yield from (actions[constant] for constant in constants if constant in actions)


def test_every_action_that_is_asked_is_documented() -> None:
    """And none is that is not asked: who grants what the page lists grants what is needed, and no more."""
    table = [line for line in (ROOT / "docs" / "look-ups.md").read_text().splitlines() if line.startswith("|")]
    documented = set(re.findall(r"`((?:ec2|ecs|elasticloadbalancing):\w+)`", "\n".join(table)))
    assert documented == {action for service in ("ec2", "ecs", "elb", "elbv2") for action in asked(service)}


@pytest.fixture
def hundred(cloud: Cloud) -> list[Any]:
    """Give findings of 100 instances in 10 groups."""
    found = []
    for number in range(10):
        group = cloud.group(tcp(22, f"198.51.100.{number}/32"))
        told = cloud.ec2.run_instances(
            ImageId="ami-12c6146b", MinCount=10, MaxCount=10, SubnetId=cloud.subnets[0], SecurityGroupIds=[group]
        )
        found += [reported(server(one["InstanceId"]), 22, security_group=group) for one in told["Instances"]]
    return found


def test_a_hundred_findings_take_a_handful_of_calls(hundred: list[Any], requests: list[str]) -> None:
    """One of each kind, one more of who shares the groups, and, once, of the account."""
    accounts = Accounts()
    found = looked_up(*hundred, settings=ON, accounts=accounts)
    assert len(found) == 100
    assert all(one.server.tags_known and "unknown" not in one.exposures[0].sources for one in found)
    once = ("DescribeInstances", "DescribeNetworkInterfaces", "DescribeSecurityGroupRules", "DescribeNetworkAcls")
    more = ["DescribeNetworkInterfaces", "DescribeVpcs"]
    assert Counter(requests) == Counter([*once, *more, "GetCallerIdentity"])
    requests.clear()
    looked_up(*hundred, settings=ON, accounts=accounts)
    assert Counter(requests) == Counter([*once, *more])


def test_findings_of_groups_take_one_call_more(cloud: Cloud, requests: list[str]) -> None:
    """Who is behind all groups is one question."""
    groups = [cloud.group(tcp(22, "198.51.100.7/32")) for _ in range(5)]
    for group in groups:
        cloud.instance(group)
    found = looked_up(*(reported(server(group), 22) for group in groups), settings=ON)
    assert len(found) == 5
    assert Counter(requests) == Counter(
        {
            "GetCallerIdentity": 1,
            "DescribeNetworkInterfaces": 2,
            "DescribeInstances": 1,
            "DescribeSecurityGroupRules": 1,
            "DescribeNetworkAcls": 1,
            "DescribeVpcs": 1,
        }
    )


def test_ids_beyond_the_most_of_a_filter_are_asked_for_in_turn(endpoint: Endpoint) -> None:
    """EC2 takes 200 values of a filter."""
    endpoint.tells["DescribeInstances"] = {}
    looked_up(*(reported(server(f"i-{n:017x}"), 22) for n in range(401)), settings=LookUps(look_up_tags="missing"))
    asked = [form for action, form in endpoint.asked if action == "DescribeInstances"]
    assert sorted(sum(".Value." in key for key in form) for form in asked) == [1, 200, 200]


def test_a_load_balancer_of_many_servers_is_read_once(cloud: Cloud, requests: list[str]) -> None:
    """Its groups, its listeners and both lists of balancers take one call each, however many servers are behind it.

    Where all listeners let in the same, which of them leads to a server is not asked.
    """
    front = cloud.group(tcp(443, "0.0.0.0/0"))
    own = cloud.group(tcp(80, front))
    instances = [cloud.instance(own) for _ in range(5)]
    forward(cloud, cloud.balancer(front), 443, target_group(cloud, "web", *((one, 80) for one in instances)))
    requests.clear()
    found = looked_up(*(reported(server(instance), 80) for instance in instances))
    assert all(set.union(*sources(one).values()) == {"0.0.0.0/0"} for one in found)
    assert Counter(requests) == Counter(
        {
            "GetCallerIdentity": 1,
            "DescribeNetworkInterfaces": 3,
            "DescribeSecurityGroupRules": 2,
            "DescribeSubnets": 1,
            "DescribeVpcs": 1,
            "DescribeLoadBalancers": 2,
            "DescribeListeners": 1,
            "DescribeTargetGroups": 1,
            "DescribeTargetHealth": 1,
            "DescribeNetworkAcls": 1,
        }
    )


def test_a_finding_that_is_told_in_full_asks_for_no_tags(endpoint: Endpoint) -> None:
    """Tags that a report has are not missing."""
    finding = reported(server("i-1", tags={"Role": "web"}, tags_known=True), 22)
    assert looked_up(finding, settings=LookUps(look_up_tags="missing")) == [finding]
    assert endpoint.asked == []


def test_with_all_look_ups_off_nothing_is_looked_up() -> None:
    """Neither is anything imported for it."""
    assert lookup.prepare(LookUps(look_up_role_name="reader")) is None
    script = "import sys; from handler import lookup, settings; lookup.prepare(settings.LookUps()); print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert [name for name in ran.stdout.split() if name.startswith("handler.lookup")] == ["handler.lookup"]


@pytest.mark.usefixtures("cloud")
def test_nothing_that_is_open_asks_nothing(requests: list[str]) -> None:
    """An invocation of closed and ignored reports reads no AWS."""
    look_up = lookup.prepare(ON)
    assert look_up is not None
    assert look_up([], None) == []
    assert requests == []


def test_identity_is_that_of_the_report(cloud: Cloud) -> None:
    """Whatever is found, the exposure is the one that was told: memory and alerts know it by its id."""
    group = cloud.group(tcp(22, "198.51.100.7/32"), tcp(443, "0.0.0.0/0"))
    finding = reported(server(cloud.instance(group, Name="web")), 22, ("tcp", 440, 450))
    [found] = looked_up(finding, settings=ON)
    assert found != finding
    same = replace(found, server=finding.server, exposures=finding.exposures, notes=finding.notes)
    assert same == finding
