"""What an instance is called and how it is tagged is looked up where a report does not say, or always."""

from typing import Any

import pytest
from msgspec import UNSET

from handler.settings import LookUps
from tests.lookup.cloud import Cloud, looked_up, problems, reported, server
from tests.lookup.endpoint import DENIED, Endpoint

MISSING, ALWAYS = LookUps(look_up_tags="missing"), LookUps(look_up_tags="always")


def test_a_report_without_tags_gets_them(cloud: Cloud) -> None:
    """Name, tags, VPC, subnet, groups and platform are AWS's; the identity is the report's."""
    groups = [cloud.group(), cloud.group()]
    instance = cloud.instance(*groups, Name="web-prod-01", Role="web")
    finding = reported(server(instance), 22)
    [found] = looked_up(finding, settings=MISSING)
    assert found.id == finding.id
    assert (found.server.name, found.server.tags) == ("web-prod-01", {"Name": "web-prod-01", "Role": "web"})
    assert found.server.tags_known
    assert (found.server.vpc, found.server.subnet) == (cloud.vpc, cloud.subnets[0])
    assert set(found.server.security_groups) == set(groups)
    assert found.server.platform is not UNSET
    assert found.exposures == finding.exposures


def test_an_instance_without_tags_is_known_to_have_none(cloud: Cloud) -> None:
    """That is not the same as not knowing."""
    [found] = looked_up(reported(server(cloud.instance(cloud.group())), 22), settings=MISSING)
    assert (found.server.tags, found.server.tags_known, found.server.name) == ({}, True, UNSET)


@pytest.mark.parametrize(
    ("settings", "name"), [pytest.param(MISSING, "old", id="missing"), pytest.param(ALWAYS, "new", id="always")]
)
def test_tags_of_a_report_are_kept_or_renewed(cloud: Cloud, settings: LookUps, name: str) -> None:
    """A report's tags may be old; whether that matters is a setting."""
    told = server(
        cloud.instance(cloud.group(), Name="new"), tags={"Name": "old", "Gone": "yes"}, tags_known=True, name="old"
    )
    [found] = looked_up(reported(told, 22), settings=settings)
    assert (found.server.name, found.server.tags["Name"]) == (name, name)
    assert ("Gone" in found.server.tags) == (name == "old")


def test_an_instance_that_is_terminated_is_said_to_be(cloud: Cloud) -> None:
    """It is decided as if it ran."""
    instance = cloud.instance(cloud.group(), Name="web-prod-01")
    cloud.ec2.terminate_instances(InstanceIds=[instance])
    [found] = looked_up(reported(server(instance), 22), settings=MISSING)
    assert found.server.name == "web-prod-01"
    [problem] = problems(found)
    assert problem.startswith(f"{instance} was terminated at 20")
    assert problem.endswith("UTC: judged as if it ran")


def test_an_instance_that_is_stopped_is_said_to_be(cloud: Cloud) -> None:
    """Nobody reaches it until somebody starts it, which may be soon: its ports are judged."""
    instance = cloud.instance(cloud.group(), Name="web-prod-01")
    cloud.ec2.stop_instances(InstanceIds=[instance])
    [found] = looked_up(reported(server(instance), 22), settings=MISSING)
    [problem] = problems(found)
    assert problem.startswith(f"{instance} was stopped at 20")
    assert problem.endswith("UTC: judged as if it ran")


def test_one_that_is_gone_spoils_no_other(cloud: Cloud) -> None:
    """All are asked for at once."""
    there, gone = cloud.instance(cloud.group(), Name="there"), "i-0123456789abcdef0"
    kept, lost = looked_up(reported(server(there), 22), reported(server(gone), 22), settings=MISSING)
    assert kept.server.name == "there"
    assert not lost.server.tags_known
    assert problems(lost)[0].startswith(f"{gone} was not there at 20")


def test_a_group_has_no_instance_to_ask_for(endpoint: Endpoint) -> None:
    """Nothing is asked."""
    finding = reported(server("sg-0aaaaaaaaaaaaaaa1"), 22)
    assert looked_up(finding, settings=ALWAYS) == [finding]
    assert endpoint.asked == []


def test_tags_of_aws_are_tags(endpoint: Endpoint) -> None:
    """A policy may ask for the stack that an instance is of; a tag may have no value."""
    tags = [{"Key": "aws:cloudformation:stack-name", "Value": "web"}, {"Key": "empty"}]
    endpoint.tells["DescribeInstances"] = {"Reservations": [{"Instances": [{"InstanceId": "i-1", "Tags": tags}]}]}
    [found] = looked_up(reported(server("i-1"), 22), settings=MISSING)
    assert found.server.tags == {"aws:cloudformation:stack-name": "web", "empty": ""}


@pytest.mark.parametrize(
    ("known", "kept"), [({}, "unknown"), ({"tags": {"Role": "web"}, "tags_known": True}, "the report's")]
)
def test_a_denial_leaves_the_tags_as_they_are(endpoint: Endpoint, known: Any, kept: str) -> None:
    """The missing permission is named, and whose the tags are."""
    endpoint.tells["DescribeInstances"] = DENIED
    finding = reported(server("i-1", **known), 22)
    [found] = looked_up(finding, settings=ALWAYS)
    assert found.server == finding.server
    assert found.notes == (f"ec2:DescribeInstances was denied in 111122223333: its tags are {kept}",)
