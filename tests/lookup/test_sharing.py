"""On how many interfaces a group is that lets somebody in is counted, said to who closes it, and decides nothing."""

import time
from typing import Any

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from handler import alert
from handler.aws import Accounts
from handler.decision import Decision
from handler.finding import Finding
from handler.opa import Opa
from handler.outcome import Engine, Outcome
from handler.process import Process
from handler.settings import ROOT, LookUps, Settings
from tests.lookup.cloud import ACCOUNT, OFFICE, OTHER_ACCOUNT, Cloud, looked_up, problems, reported, server, tcp
from tests.lookup.endpoint import DENIED, THROTTLED, Endpoint, Fault, Told
from tests.lookup.test_load_balancers import path_name

GROUP = "sg-0aaaaaaaaaaaaaaa1"
INSTANCE = "i-0aaaaaaaaaaaaaaa1"


def counts(finding: Finding) -> dict[str | None, Any]:
    """Give the number of interfaces of each group that a finding names."""
    return {one.security_group: one.group_interfaces for one in finding.exposures}


def interfaces(*groups: str, first: int = 0) -> list[dict[str, Any]]:
    """Give an interface of the instance for each group, as AWS tells it."""
    known = {"Attachment": {"InstanceId": INSTANCE}}
    return [
        known | {"NetworkInterfaceId": f"eni-{number}", "Groups": [{"GroupId": group}]}
        for number, group in enumerate(groups, first)
    ]


@pytest.fixture
def told(endpoint: Endpoint) -> Endpoint:
    """Give an AWS in which the instance is in the group, whose rule lets everybody in to ssh."""
    rule = {"SecurityGroupRuleId": "sgr-1", "GroupId": GROUP, "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}
    endpoint.tells["DescribeSecurityGroupRules"] = {"SecurityGroupRules": [rule | {"CidrIpv4": "0.0.0.0/0"}]}
    endpoint.tells |= {"DescribeVpcs": {}, "DescribeLoadBalancers": {}}
    return endpoint


def count_by(endpoint: Endpoint, answer: Any) -> None:
    """Let the interfaces in groups be answered so, those of the instance as they are."""

    def tell(form: dict[str, Any]) -> Told:
        if form["Filter.1.Name"] != "group-id":
            return {"NetworkInterfaces": interfaces(GROUP)}
        given: Told = answer(form) if callable(answer) else answer
        return given

    endpoint.tells["DescribeNetworkInterfaces"] = tell


def group_questions(endpoint: Endpoint) -> list[list[str]]:
    """Give the groups of each request for the interfaces in some."""
    return [
        [value for key, value in form.items() if key.startswith("Filter.1.Value")]
        for action, form in endpoint.asked
        if action == "DescribeNetworkInterfaces" and form["Filter.1.Name"] == "group-id"
    ]


def test_every_group_is_counted_in_its_own_account(cloud: Cloud, requests: list[str]) -> None:
    """All that is in it counts, whatever it is; one call more an account, however many findings and groups."""
    other = Cloud(account=OTHER_ACCOUNT)
    office, world = cloud.group(tcp(22, OFFICE)), cloud.group(tcp(22, "0.0.0.0/0"))
    theirs = other.group(tcp(22, "0.0.0.0/0"))
    own = [cloud.instance(office, world), cloud.instance(world)]
    cloud.interface(world, description="ELB app/web/50dc6c495c0c9188")
    foreign = other.instance(theirs)
    requests.clear()
    first, second, third = looked_up(
        *(reported(server(one), 22) for one in own),
        reported(server(foreign, account=OTHER_ACCOUNT), 22),
        accounts=Accounts("portcullis-reader"),
    )
    assert counts(first) == {office: 1, world: 3}
    assert counts(second) == {world: 3}
    assert counts(third) == {theirs: 1}
    assert requests.count("DescribeNetworkInterfaces") == 4


def test_the_number_is_in_the_mail_and_in_its_json(cloud: Cloud, opa_path: str) -> None:
    """Whoever revokes a rule reads for how many interfaces it is closed."""
    group = cloud.group(tcp(6379, "0.0.0.0/0"))
    instances = [cloud.instance(group, Name="nobody-01") for _ in range(3)]
    settings = LookUps(look_up_sources=True, look_up_tags="missing")
    [found] = looked_up(reported(server(instances[0]), 6379), settings=settings)
    with Opa(Process(str(ROOT / "policies"), opa_path)) as gate:
        gate.ready()
        [decision] = gate.decide([found])
    assert isinstance(decision, Decision)
    outcome = Outcome(records=("record-0",), report=found, decision=decision)
    own = Settings(alert_topic_arn=f"arn:aws:sns:eu-west-1:{ACCOUNT}:alerts")
    [message] = alert.messages([outcome], own, Engine(policy="3f2a1c9", opa="1.22.2"))
    words = " ".join(message.body.split())
    assert f"{group} is on 3 interfaces." in words
    assert "revoke-security-group-ingress" in words
    [carried] = message.data["findings"]
    assert [one["group_interfaces"] for one in carried["finding"]["exposures"]] == [3]


def test_a_balancers_own_group_is_counted(cloud: Cloud) -> None:
    """Where somebody comes through a load balancer, its group is the one that lets them in."""
    front = cloud.group(tcp(443, "0.0.0.0/0"))
    instance = cloud.instance(cloud.group(tcp(80, front)))
    balancer = cloud.balancer(front)
    cloud.listen(balancer, 443, instance)
    for _ in range(2):
        cloud.interface(front, description=f"ELB {path_name(balancer)}")
    [found] = looked_up(reported(server(instance), 80))
    assert counts(found) == {front: 2}


def test_a_group_is_counted_over_all_pages(told: Endpoint) -> None:
    """An empty one ends nothing; a group that is on many interfaces is one question."""
    pages: dict[str, Any] = {
        "": {"NetworkInterfaces": interfaces(*[GROUP] * 1000), "NextToken": "2"},
        "2": {"NetworkInterfaces": [], "NextToken": "3"},
        "3": {"NetworkInterfaces": interfaces(*[GROUP] * 5, first=1000)},
    }
    count_by(told, lambda form: pages[form.get("NextToken", "")])
    for one in looked_up(reported(server(INSTANCE), 22), reported(server(INSTANCE), 22, reach="vpn")):
        assert counts(one) == {GROUP: 1005}
    assert group_questions(told) == [[GROUP]] * 3


def test_an_interface_that_is_told_twice_counts_once(told: Endpoint) -> None:
    """One in two groups is in the answers about both, when they are two questions."""
    pages: dict[str, Any] = {
        "": {"NetworkInterfaces": interfaces(GROUP, GROUP), "NextToken": "2"},
        "2": {"NetworkInterfaces": interfaces(GROUP, first=1)},
    }
    count_by(told, lambda form: pages[form.get("NextToken", "")])
    [found] = looked_up(reported(server(INSTANCE), 22))
    assert counts(found) == {GROUP: 2}


def test_groups_that_were_counted_already_are_not_asked_for_again(told: Endpoint) -> None:
    """Who is behind a group is the same question."""
    count_by(told, {"NetworkInterfaces": interfaces(GROUP, GROUP)})
    told.tells["DescribeInstances"] = {}
    [found] = looked_up(reported(server(GROUP), 22), settings=LookUps(look_up_sources=True, look_up_groups=True))
    assert (found.server.id, counts(found)) == (INSTANCE, {GROUP: 2})
    assert group_questions(told) == [[GROUP]]


def broken_off(form: dict[str, Any]) -> Told:
    """Answer with a page, and deny the next."""
    return DENIED if "NextToken" in form else {"NetworkInterfaces": interfaces(GROUP), "NextToken": "2"}


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(DENIED, id="denied"),
        pytest.param(THROTTLED, id="throttled"),
        pytest.param(Fault("InvalidParameterValue"), id="refused"),
        pytest.param(b"<!doctype html><p>Please log in", id="no answer of AWS"),
        pytest.param(broken_off, id="broken off"),
        pytest.param(None, id="hanging"),
    ],
)
def test_what_cannot_be_counted_is_not_said(told: Endpoint, answer: Any) -> None:
    """The finding is the same but for the number: no note, and nothing is unknown."""
    count_by(told, {"NetworkInterfaces": interfaces(GROUP)})
    report = reported(server(INSTANCE), 22)
    [counted] = looked_up(report)
    assert counts(counted) == {GROUP: 1}
    count_by(told, answer)
    [found] = looked_up(report, deadline=time.monotonic() + 11)
    assert replace(found, notes=()) == replace(
        counted, notes=(), exposures=tuple(replace(one, group_interfaces=UNSET) for one in counted.exposures)
    )
    assert problems(found) == []
    assert group_questions(told)


def test_what_leaves_no_time_to_count_is_looked_up(told: Endpoint) -> None:
    """The number is asked for last of all."""
    count_by(told, {})
    settings = LookUps(look_up_sources=True, look_up_tags="missing", look_up_containers=True)
    told.tells |= {"DescribeInstances": {}, "ListClusters": {"clusterArns": []}}
    looked_up(reported(server(INSTANCE), ("tcp", 22, 40000)), settings=settings)
    assert told.actions()[-1] == "DescribeNetworkInterfaces"
    assert group_questions(told) == [[GROUP]]


def test_where_sources_are_not_looked_up_nothing_is_counted(told: Endpoint) -> None:
    """Without that look-up no rule is known, and no command revokes one."""
    told.tells["DescribeInstances"] = {}
    looked_up(reported(server(INSTANCE), 22, security_group=GROUP), settings=LookUps(look_up_tags="missing"))
    assert group_questions(told) == []
