"""A finding of a security group becomes those of the instances in it, and stays one unless that is all there is."""

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from handler.aws import Accounts
from handler.finding import Closed, Finding, Reporter, identity
from handler.folding import Folded
from handler.lookup.findings import look_up
from handler.settings import LookUps
from tests.lookup.cloud import Cloud, looked_up, problems, reported, server, tcp
from tests.lookup.endpoint import DENIED, Endpoint

BEHIND = LookUps(look_up_groups=True)
GROUP = "sg-0aaaaaaaaaaaaaaa1"


def folded(*reports: Finding | Closed) -> list[Folded]:
    """Give reports as they come from the folding, each of a record of its own."""
    names = [(f"record-{number}",) for number in range(len(reports))]
    return [Folded(records=name, report=report, reports=name) for name, report in zip(names, reports, strict=True)]


def behind(reports: Sequence[Finding | Closed]) -> dict[str, Folded]:
    """Look up who is behind groups; what is found, by its server."""
    return {one.report.server.id: one for one in look_up(folded(*reports), BEHIND, Accounts())}


def test_each_instance_becomes_a_finding(cloud: Cloud) -> None:
    """It has the ports and the sources of the group's, an identity of its own, and the interface in the group."""
    group, other = cloud.group(tcp(22, "0.0.0.0/0")), cloud.group()
    instances = [cloud.instance(group, other), cloud.instance(group)]
    finding = reported(server(group), 22, sources=("0.0.0.0/0",), security_group=group)
    found = behind([finding])
    assert set(found) == set(instances)
    assert sorted(folded.reports for folded in found.values()) == [(), ("record-0",)]  # the report is counted once
    first = found[instances[0]].report
    assert isinstance(first, Finding)
    assert first.id == identity(first.server, "internet", {("tcp", 22, 22)})
    assert (first.server.kind, first.server.vpc, first.server.tags_known) == ("instance", cloud.vpc, False)
    assert set(first.server.security_groups) == {group, other}
    assert first.exposures == (replace(finding.exposures[0], interface=cloud.first_interface(instances[0])),)
    assert first.reporters == finding.reporters
    assert first.notes == (f"reported of {group}; {group} is on 2 network interfaces",)


def test_an_instance_with_two_interfaces_in_the_group_is_one_finding(cloud: Cloud) -> None:
    """With an exposure on each."""
    group = cloud.group()
    instance = cloud.instance(group)
    second = cloud.interface(group, instance=instance)
    [found] = looked_up(reported(server(group), 22), settings=BEHIND)
    assert {one.interface for one in found.exposures} == {cloud.first_interface(instance), second}


def test_what_else_is_in_the_group_keeps_its_finding(cloud: Cloud) -> None:
    """The group is judged too, and AWS's description says what it is of."""
    group = cloud.group()
    instance = cloud.instance(group)
    cloud.interface(group, description="RDSNetworkInterface")
    finding = reported(server(group), 22)
    found = behind([finding])
    assert set(found) == {group, instance}
    kept = found[group].report
    assert isinstance(kept, Finding)
    assert kept.id == finding.id
    assert kept.notes == (f"{group} is on 2 network interfaces, and not only of instances: RDSNetworkInterface",)


def test_an_interface_of_nothing_known_is_named_by_itself(cloud: Cloud) -> None:
    """By its kind and its id."""
    group = cloud.group()
    interface = cloud.interface(group)
    [found] = looked_up(reported(server(group), 22), settings=BEHIND)
    assert problems(found) == [f"{group} is on 1 network interface, and not only of instances: interface {interface}"]


def test_a_group_that_nothing_is_in_is_decided(cloud: Cloud) -> None:
    """And said to be empty."""
    group = cloud.group()
    finding = reported(server(group), 22)
    [found] = looked_up(finding, settings=BEHIND)
    assert found.exposures == finding.exposures
    assert problems(found) == [f"nothing is in {group} now: whatever joins it is exposed"]


def test_what_was_told_of_an_instance_directly_is_the_same_exposure(cloud: Cloud) -> None:
    """The two reports become one finding, of both records."""
    group = cloud.group()
    instance = cloud.instance(group)
    direct = reported(server(instance, tags={"Role": "web"}, tags_known=True), 22)
    found = behind([reported(server(group), 22), direct])
    assert set(found) == {instance}
    assert found[instance].report.id == direct.id
    assert set(found[instance].records) == {"record-0", "record-1"}
    report = found[instance].report
    assert isinstance(report, Finding)
    assert {one.id for one in report.reporters} == {f"arn-{group}", f"arn-{instance}"}
    assert report.server.tags == {"Role": "web"}


def test_an_instance_that_another_report_closes_is_open(cloud: Cloud) -> None:
    """One path is gone; the group says that another is there. The closing is handed on beside it."""
    group = cloud.group()
    instance = cloud.instance(group)
    direct = reported(server(instance), 22)
    closed = Closed(id=direct.id, reporter=Reporter(name="inspector2", id="arn-closed"), server=direct.server)
    found = look_up(folded(reported(server(group), 22), closed), BEHIND, Accounts())
    assert {one.report.server.id for one in found} == {instance}
    assert [one.records for one in found if isinstance(one.report, Finding)] == [("record-0",)]
    assert [(one.report, one.records) for one in found if isinstance(one.report, Closed)] == [(closed, ("record-1",))]


def test_two_groups_of_one_instance_lose_no_exposure(cloud: Cloud) -> None:
    """A report of two groups may be of the same instance twice."""
    groups = [cloud.group(tcp(22, "0.0.0.0/0")), cloud.group(tcp(22, "0.0.0.0/0"))]
    instance = cloud.instance(*groups)
    told = [
        replace(reported(server(group), 22, security_group=group), reporters=(Reporter(name="x", id="one"),))
        for group in groups
    ]
    report = behind(told)[instance].report
    assert isinstance(report, Finding)
    assert {one.security_group for one in report.exposures} == set(groups)


@pytest.mark.parametrize("instances", [[], ["i-1"]])
def test_what_cannot_be_read_keeps_the_group(endpoint: Endpoint, instances: list[str]) -> None:
    """Whoever was found before the failure is judged as well."""
    interface = {"NetworkInterfaceId": "eni-1", "Groups": [{"GroupId": GROUP}]}
    page = {"NetworkInterfaces": [interface | {"Attachment": {"InstanceId": name}} for name in instances]}

    def pages(form: dict[str, str]) -> Any:
        return DENIED if "NextToken" in form or not instances else page | {"NextToken": "more"}

    endpoint.tells["DescribeNetworkInterfaces"] = pages
    found = behind([reported(server(GROUP), 22)])
    assert set(found) == {GROUP, *instances}
    kept = found[GROUP].report
    assert isinstance(kept, Finding)
    assert kept.notes == (
        f"ec2:DescribeNetworkInterfaces was denied in 111122223333: what else is behind {GROUP} is unknown",
    )
