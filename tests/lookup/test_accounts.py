"""Other accounts are entered by their role, once, and never without one."""

import gc
import weakref
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from handler.aws import Accounts
from handler.settings import LookUps
from tests.lookup.cloud import ACCOUNT, OFFICE, OTHER_ACCOUNT, REGION, Cloud, looked_up, reported, server, sources, tcp
from tests.lookup.endpoint import DENIED, Endpoint, Fault

TAGS = LookUps(look_up_tags="missing")
NOW = datetime(2026, 11, 24, 6, 12, tzinfo=UTC)


def session(expires: datetime = NOW + timedelta(hours=1)) -> dict[str, Any]:
    """Give the answer of AssumeRole."""
    keys = {"AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "secret", "SessionToken": "token"}
    return {"Credentials": {**keys, "Expiration": expires}}


def test_another_account_is_read_with_its_role(cloud: Cloud, requests: list[str]) -> None:
    """Each account's groups are its own; the role is assumed once for all look-ups and invocations."""
    other = Cloud(account=OTHER_ACCOUNT)
    groups = [cloud.group(tcp(22, OFFICE)), other.group(tcp(22, "0.0.0.0/0"))]
    findings = [reported(server(groups[0]), 22), reported(server(groups[1], account=OTHER_ACCOUNT), 22)]
    accounts = Accounts("portcullis-reader")
    for _ in range(2):
        own, theirs = looked_up(*findings, accounts=accounts)
        assert set.union(*sources(own).values()) == {OFFICE}
        assert set.union(*sources(theirs).values()) == {"0.0.0.0/0"}
    assert requests.count("AssumeRole") == 1
    assert requests.count("GetCallerIdentity") == 1


def test_without_a_role_another_account_is_not_read(cloud: Cloud, requests: list[str]) -> None:
    """The own account has no such group, and would tell nothing of it."""
    finding = reported(server(cloud.group(tcp(22, OFFICE)), account=OTHER_ACCOUNT), 22)
    [found] = looked_up(finding)
    assert [one.sources for one in found.exposures] == [("unknown",)]
    why = f"account {OTHER_ACCOUNT} is not the function's own and LOOK_UP_ROLE_NAME names no role there"
    problem = f"{OTHER_ACCOUNT} eu-west-1 cannot be asked: {why}"
    assert found.notes == (f"{problem}: whom {finding.server.id} lets in is unknown",)
    assert requests == ["GetCallerIdentity"]


@pytest.mark.parametrize(
    ("region", "partition"), [("eu-west-1", "aws"), ("us-gov-west-1", "aws-us-gov"), ("cn-north-1", "aws-cn")]
)
def test_the_role_is_of_the_partition_of_the_region(endpoint: Endpoint, region: str, partition: str) -> None:
    """GovCloud and China are other partitions; an external id is passed on."""
    endpoint.tells |= {"AssumeRole": session(), "DescribeInstances": {}}
    finding = reported(server("i-1", account=OTHER_ACCOUNT, region=region), 22)
    looked_up(finding, settings=TAGS, accounts=Accounts("path/reader", "shared-secret", lambda: NOW))
    [asked] = [form for action, form in endpoint.asked if action == "AssumeRole"]
    assert asked["RoleArn"] == f"arn:{partition}:iam::{OTHER_ACCOUNT}:role/path/reader"
    assert asked["ExternalId"] == "shared-secret"
    assert asked["RoleSessionName"] == "portcullis"


def test_a_session_is_renewed_before_it_expires(endpoint: Endpoint) -> None:
    """It is kept from one invocation to the next until five minutes before its end."""
    endpoint.tells |= {"AssumeRole": session(), "DescribeInstances": {}}
    at = NOW
    accounts = Accounts("reader", clock=lambda: at)
    for minutes, assumed in ((0, 1), (54, 1), (56, 2)):
        at = NOW + timedelta(minutes=minutes)
        looked_up(reported(server("i-1", account=OTHER_ACCOUNT), 22), settings=TAGS, accounts=accounts)
        assert endpoint.actions().count("AssumeRole") == assumed
    assert not any("ExternalId" in form for _, form in endpoint.asked)


def test_clients_of_an_expired_session_are_dropped(endpoint: Endpoint) -> None:
    """A function that looks into many accounts would fill its memory with them."""
    endpoint.tells["AssumeRole"] = session()
    at = NOW
    accounts = Accounts("reader", clock=lambda: at)
    kept = weakref.ref(accounts.client("ec2", ACCOUNT, REGION))
    expired = weakref.ref(accounts.client("ec2", OTHER_ACCOUNT, REGION))
    at, endpoint.tells["AssumeRole"] = NOW + timedelta(hours=1), session(NOW + timedelta(hours=2))
    accounts.client("ec2", "222233334444", REGION)
    gc.collect()
    assert (kept() is None, expired() is None) == (False, True)


def test_one_client_assumes_all_roles(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each would read the service's model anew."""
    endpoint.tells["AssumeRole"] = session()
    made: list[str] = []
    real: Any = boto3.client

    def make(service: str, **given: Any) -> Any:
        made.append(service)
        return real(service, **given)

    monkeypatch.setattr(boto3, "client", make)
    accounts = Accounts("reader", clock=lambda: NOW)
    for account in (ACCOUNT, OTHER_ACCOUNT, "222233334444"):
        accounts.client("ec2", account, REGION)
    assert made == ["sts", "ec2", "ec2", "ec2"]


@pytest.mark.parametrize("action", ["GetCallerIdentity", "AssumeRole"])
def test_why_an_account_cannot_be_entered_names_the_action(endpoint: Endpoint, action: str) -> None:
    """Whatever STS answers, it is known what was asked."""
    endpoint.tells |= {"AssumeRole": session(), action: Fault("RegionDisabledException", 403, "not activated here")}
    finding = reported(server("i-1", account=OTHER_ACCOUNT), 22)
    [found] = looked_up(finding, settings=TAGS, accounts=Accounts("reader"))
    failed = f"sts:{action} failed in {OTHER_ACCOUNT}: "
    [note] = found.notes
    assert note.startswith(failed)
    assert "RegionDisabledException" in note
    assert note.endswith(": its tags are unknown")


def test_a_role_that_cannot_be_assumed_is_said_once(endpoint: Endpoint) -> None:
    """An account that cannot be entered is not tried again in this invocation; others are read."""
    endpoint.tells |= {"AssumeRole": Fault("AccessDenied", 403), "DescribeInstances": {}}
    others = [reported(server(f"i-{n}", account=OTHER_ACCOUNT, region=f"eu-west-{n}"), 22) for n in (1, 2)]
    *theirs, own = looked_up(*others, reported(server("i-1"), 22), settings=TAGS, accounts=Accounts("reader"))
    assert [one.notes for one in theirs] == [
        (f"sts:AssumeRole was denied in {OTHER_ACCOUNT}: its tags are unknown",)
    ] * 2
    assert "was not there at" in own.notes[0]
    assert endpoint.actions().count("AssumeRole") == 1


@pytest.mark.parametrize(
    ("account", "region"),
    [
        pytest.param(OTHER_ACCOUNT, "mars-1", id="no Region"),
        pytest.param(OTHER_ACCOUNT, "eu west 1", id="no host name"),
        pytest.param(OTHER_ACCOUNT, "", id="nothing"),
    ],
)
def test_a_place_that_is_none_is_said(endpoint: Endpoint, account: str, region: str) -> None:
    """Events hold placeholders; what cannot be asked is unknown, and nothing else is lost."""
    endpoint.tells["AssumeRole"] = session()
    finding = reported(server("i-1", account=account, region=region), 22)
    [found] = looked_up(finding, settings=TAGS, accounts=Accounts("reader"))
    assert found.server == finding.server
    [note] = found.notes
    assert note.endswith(": its tags are unknown")
    assert "bug" not in note


@pytest.mark.parametrize("account", [ACCOUNT, OTHER_ACCOUNT])
def test_a_region_that_is_none_spoils_no_other(cloud: Cloud, account: str) -> None:
    """Its account can be asked in those that are."""
    owner = cloud if account == ACCOUNT else Cloud(account=account)
    good = reported(server(owner.group(tcp(22, OFFICE)), account=account), 22)
    placeholder = reported(server("sg-0bad0bad0bad0bad0", account=account, region="eu_west 1"), 22)
    unread, read = looked_up(placeholder, good, accounts=Accounts("portcullis-reader"))
    assert [one.sources for one in unread.exposures] == [("unknown",)]
    assert unread.notes[0].startswith(f"{account} eu_west 1 cannot be asked: ")
    assert set.union(*sources(read).values()) == {OFFICE}


def test_which_account_is_its_own_may_not_be_told(endpoint: Endpoint) -> None:
    """Then none is read."""
    endpoint.tells |= {"GetCallerIdentity": DENIED, "DescribeInstances": {}}
    [found] = looked_up(reported(server("i-1"), 22), settings=TAGS)
    assert found.notes == (f"sts:GetCallerIdentity was denied in {ACCOUNT}: its tags are unknown",)
    assert endpoint.actions() == ["GetCallerIdentity"]
