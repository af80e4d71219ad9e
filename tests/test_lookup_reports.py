"""Findings that a message only names are fetched, and one that cannot be fetched alerts."""

import json
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from botocore.stub import Stubber
from msgspec.structs import replace

from handler import events, fetching, reporters
from handler.decision import Decision
from handler.errors import OpaRefusedError
from handler.finding import Finding, Ignored, Reference, Report, Undecidable
from handler.invocation import judge

NOW = "2026-11-24T06:12:00Z"
REGION = "us-east-1"
ANSWER = json.loads((Path(__file__).parent / "cases/inspector_classic/port/event.json").read_text())
ACTION = "inspector:DescribeFindings in us-east-1"


def arn(name: str, region: str = REGION) -> str:
    """Name a finding."""
    return f"arn:aws:inspector:{region}:111122223333:target/0-a/template/0-b/run/0-c/finding/0-{name}"


def reference(name: str, region: str = REGION) -> Reference:
    """Read the message that names a finding, as the reporter does."""
    message = {"event": "FINDING_REPORTED", "finding": arn(name, region), "target": "EXAMPLE", "template": "EXAMPLE"}
    record = {"EventSource": "aws:sns", "Sns": {"MessageId": "notice-1", "Message": json.dumps(message)}}
    (unwrapped,) = events.unwrap({"Records": [record]}, "request").records
    (told,) = reporters.normalize(unwrapped.event, NOW)
    assert isinstance(told, Reference)
    return told


def finding(name: str, **changes: Any) -> dict[str, Any]:
    """Make a finding as the API gives it."""
    return {**ANSWER["findings"][0], "arn": arn(name), **changes}


def answer(*findings: dict[str, Any], **failed: str) -> dict[str, Any]:
    """Make the API's answer: findings, and failure codes by name."""
    items = {arn(name): {"failureCode": code, "retryable": False} for name, code in failed.items()}
    return {"findings": list(findings), "failedItems": items}


class Aws:
    """The real clients of boto3, each with answers instead of a network."""

    def __init__(self) -> None:
        self.stubs: dict[tuple[str, str], Stubber] = {}
        self.asked: list[tuple[str, str]] = []

    def __call__(self, service: str, region: str) -> BaseClient:
        """Give the client of a service in a Region."""
        self.asked.append((service, region))
        return self.stub(region).client

    def stub(self, region: str = REGION) -> Stubber:
        """Give the answers of Inspector in a Region."""
        if ("inspector", region) not in self.stubs:
            client = boto3.client("inspector", region, aws_access_key_id="EXAMPLE", aws_secret_access_key="EXAMPLE")  # noqa: S106  nothing is signed
            stub = Stubber(client)
            stub.activate()
            self.stubs["inspector", region] = stub
        return self.stubs["inspector", region]


@pytest.fixture
def aws() -> Iterator[Aws]:
    """Give clients that must be asked exactly what was expected of them."""
    clients = Aws()
    yield clients
    for stub in clients.stubs.values():
        stub.assert_no_pending_responses()


def expect(aws: Aws, names: list[str], told: dict[str, Any], region: str = REGION) -> None:
    """Expect one call for these findings."""
    aws.stub(region).add_response("describe_findings", told, {"findingArns": [arn(name, region) for name in names]})


def undecidable(told: list[Report]) -> Undecidable:
    """Give the one report that could not be fetched."""
    (report,) = told
    assert isinstance(report, Undecidable)
    return report


def test_nothing_asks_nothing(aws: Aws) -> None:
    """Without references AWS is not asked."""
    assert fetching.fetch([], NOW, aws) == []
    assert aws.asked == []


def test_fetched_finding_is_read_like_any_other(aws: Aws) -> None:
    """What the API gives goes through the reporter."""
    expect(aws, ["one"], answer(finding("one")))
    assert fetching.fetch([reference("one")], NOW, aws) == [reporters.normalize(finding("one"), NOW)]


def test_answers_are_in_the_order_of_the_references(aws: Aws) -> None:
    """However AWS orders its answer; a CVE among them is ignored with its reason."""
    other = finding("b", id="CVE-2016-4644", attributes=[{"key": "CVE_ID", "value": "CVE-2016-4644"}])
    expect(aws, ["a", "b", "c", "d"], answer(finding("c"), other, finding("a"), d="ITEM_DOES_NOT_EXIST"))
    told = fetching.fetch([reference(name) for name in "abcd"], NOW, aws)
    assert [type(report) for (report,) in told] == [Finding, Ignored, Finding, Undecidable]
    assert [report.reporters[0].id for (report,) in told if isinstance(report, Finding)] == [arn("a"), arn("c")]


def test_findings_are_asked_for_in_tens(aws: Aws) -> None:
    """The API takes ten names in a call."""
    names = [str(number) for number in range(23)]
    for some in (names[:10], names[10:20], names[20:]):
        expect(aws, some, answer(*map(finding, some)))
    told = fetching.fetch([reference(name) for name in names], NOW, aws)
    assert [report.reporters[0].id for (report,) in told if isinstance(report, Finding)] == list(map(arn, names))


def test_finding_named_twice_is_asked_for_once(aws: Aws) -> None:
    """A message that was delivered twice gets its finding twice."""
    expect(aws, ["a"], answer(finding("a")))
    first, second = fetching.fetch([reference("a"), reference("a")], NOW, aws)
    assert isinstance(first[0], Finding)
    assert first == second


def test_each_region_is_asked(aws: Aws) -> None:
    """A finding is where its ARN says."""
    there = "eu-west-1"
    expect(aws, ["a"], answer(finding("a")))
    expect(aws, ["b"], answer(finding("b", arn=arn("b", there))), there)
    told = fetching.fetch([reference("b", there), reference("a")], NOW, aws)
    assert [report.server.region for (report,) in told if isinstance(report, Finding)] == [there, REGION]


def test_item_that_is_gone_is_undecidable(aws: Aws) -> None:
    """The alert names the finding, what AWS says, and attaches the message."""
    expect(aws, ["gone"], answer(gone="ITEM_DOES_NOT_EXIST"))
    told = reference("gone")
    (fetched,) = fetching.fetch([told], NOW, aws)
    assert undecidable(fetched) == Undecidable(
        shape="inspector finding that is only named",
        field="finding",
        problem=f"{ACTION} did not give it: ITEM_DOES_NOT_EXIST",
        raw=told.raw,
        reporter="inspector_classic",
        id=arn("gone"),
        account="111122223333",
        region=REGION,
    )


def test_answer_without_the_finding_is_undecidable(aws: Aws) -> None:
    """AWS may answer with something else."""
    expect(aws, ["a"], answer(finding("z")))
    assert undecidable(fetching.fetch([reference("a")], NOW, aws)[0]).problem == "AWS answered without it"


def test_refusal_is_undecidable_and_the_next_ten_are_asked(aws: Aws) -> None:
    """One refused call fails its own findings only."""
    names = [str(number) for number in range(11)]
    aws.stub().add_client_error("describe_findings", "AccessDeniedException", "User is not authorized")
    expect(aws, names[10:], answer(finding("10")))
    told = fetching.fetch([reference(name) for name in names], NOW, aws)
    assert [type(report) for (report,) in told] == [Undecidable] * 10 + [Finding]
    assert undecidable(told[0]).problem == f"{ACTION} failed: AccessDeniedException: User is not authorized"


def test_service_that_cannot_be_reached_is_undecidable() -> None:
    """Classic is gone: nobody answers at its address any more."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"  # bound and not listening, so every call is refused

        def client(service: str, region: str) -> Any:
            make: Any = boto3.client
            config = Config(retries={"total_max_attempts": 1}, proxies={})
            secret = {"aws_access_key_id": "EXAMPLE", "aws_secret_access_key": "EXAMPLE"}
            return make(service, region, endpoint_url=address, config=config, **secret)

        problem = undecidable(fetching.fetch([reference("a")], NOW, client)[0]).problem
    assert problem.startswith(f"{ACTION} failed: EndpointConnectionError: ")


def test_region_that_is_none_is_undecidable() -> None:
    """The Region is a stranger's word: boto3 refuses one that is no host's name, and nobody is asked."""

    def client(service: str, region: str) -> Any:
        make: Any = boto3.client
        return make(service, region, aws_access_key_id="EXAMPLE", aws_secret_access_key="EXAMPLE")  # noqa: S106  nothing is signed

    told = reference("a", "example.com/")
    problem = undecidable(fetching.fetch([told], NOW, client)[0]).problem
    assert problem.startswith("inspector:DescribeFindings in example.com/ failed: InvalidRegionError: ")


class Service:
    """A service that always answers the same, or raises it, and remembers who was asked."""

    def __init__(self, told: Any) -> None:
        self.told = told
        self.asked: list[tuple[str, str]] = []

    def __call__(self, service: str, region: str) -> Any:
        """Give the client of a service in a Region: itself."""
        self.asked.append((service, region))
        return self

    def describe_findings(self, **_: Any) -> Any:
        """Answer."""
        if isinstance(self.told, Exception):
            raise self.told
        return self.told


@pytest.mark.parametrize(
    "error",
    [
        ConnectTimeoutError(endpoint_url="https://example.com"),
        ReadTimeoutError(endpoint_url="https://example.com"),
        EndpointConnectionError(endpoint_url="https://example.com"),
    ],
)
def test_service_that_does_not_answer_is_asked_once_a_region(error: Exception) -> None:
    """The findings of the next tens, and of other accounts, would only wait for it again."""
    silent = Service(error)
    named = [reference(str(number)) for number in range(25)]
    named += [replace(reference("b"), account="444455556666"), reference("c", "eu-west-1")]
    told = fetching.fetch(named, NOW, silent)
    assert silent.asked == [("inspector", REGION), ("inspector", "eu-west-1")]
    assert {undecidable(one).problem for one in told[:-1]} == {f"{ACTION} failed: {type(error).__name__}: {error}"}


def test_what_there_is_no_time_for_is_undecidable(aws: Aws) -> None:
    """Nobody is asked after the time, so that everything else is still decided."""
    (told,) = fetching.fetch([reference("a")], NOW, aws, time.monotonic())
    assert undecidable(told).problem == f"no time was left to fetch it: {ACTION} was not asked"
    assert aws.asked == []


def test_an_invocation_keeps_its_last_seconds_for_what_needs_no_fetching(aws: Aws) -> None:
    """A report that is only named is then undecidable, and its neighbours are judged."""
    message = {"event": "FINDING_REPORTED", "finding": arn("a"), "target": "EXAMPLE", "template": "EXAMPLE"}
    told = events.Record(id="record-1", event=message)
    other = events.Record(id="record-2", event={"hello": "world"})
    judged = judge([told, other], NOW, NoGate(), aws, deadline=time.monotonic() + 8)
    named, unknown = (outcome.report for outcome in judged.outcomes)
    assert isinstance(named, Undecidable)
    assert named.problem == f"no time was left to fetch it: {ACTION} was not asked"
    assert isinstance(unknown, Undecidable)
    assert aws.asked == []


class NoGate:
    """Decides nothing, since nothing is to be decided."""

    def decide_parts(
        self, findings: Sequence[Finding], deadline: float | None
    ) -> Iterator[dict[int, Decision | OpaRefusedError]]:
        """Fail."""
        raise AssertionError(findings, deadline)


def test_a_failure_without_a_code_is_undecidable() -> None:
    """The API promises one."""
    (told,) = fetching.fetch([reference("a")], NOW, Service({"failedItems": {arn("a"): {}}}))
    assert undecidable(told).problem == f"{ACTION} did not give it: no reason is told"


def test_a_bug_in_a_call_is_undecidable() -> None:
    """It loses no other report."""
    (told,) = fetching.fetch([reference("a")], NOW, Service(KeyError("x")))
    problem = undecidable(told).problem
    assert problem == f"{ACTION} failed in Portcullis (KeyError: 'x'); this is a bug, please report it"


def test_a_fetched_report_at_which_a_reporter_fails_spoils_no_other(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is undecidable, named, and attached; its neighbour is read."""
    expect(aws, ["a", "b"], answer(finding("a"), finding("b")))
    monkeypatch.setattr(reporters, "REPORTERS", (Choking(), *reporters.REPORTERS))
    choked, read = fetching.fetch([reference("a"), reference("b")], NOW, aws)
    told = undecidable(choked)
    assert told.problem.startswith("Portcullis failed to read it (KeyError: (")
    assert (told.id, told.reporter, told.account, told.region) == (
        arn("a"),
        "inspector_classic",
        "111122223333",
        REGION,
    )
    assert [type(report) for report in read] == [Finding]


class Choking:
    """A reporter with a bug."""

    NAME = "choking"

    def claims(self, event: Any) -> bool:
        """Claim one finding."""
        return isinstance(event, dict) and event.get("arn") == arn("a")

    def normalize(self, event: Any, now: str) -> Iterator[Report]:
        """Fail."""
        raise KeyError(event["arn"], now)
