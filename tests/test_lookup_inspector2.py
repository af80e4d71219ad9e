"""Findings of Inspector that Security Hub only names are fetched, and who named them, or asked, is not forgotten."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from botocore.client import BaseClient
from botocore.stub import Stubber
from moto import mock_aws

from handler import fetching, reporters
from handler.finding import Closed, Finding, Ignored, Reference, Report, Undecidable
from handler.folding import fold

NOW = "2026-11-24T06:12:00Z"
REGION = "eu-west-1"
ACCOUNT = "111122223333"
CASES = Path(__file__).parent / "cases"
ACTION = f"inspector2:ListFindings in {REGION}"
SEEDS = "http://motoapi.amazonaws.com/moto-api/static/inspector2/findings-results"


def case(name: str) -> Any:
    """Give the event of a case."""
    return json.loads((CASES / name / "event.json").read_text())


def arn(name: str, account: str = ACCOUNT) -> str:
    """Name a finding."""
    return f"arn:aws:inspector2:{REGION}:{account}:finding/{name}"


def reference(name: str, account: str = ACCOUNT, *, asked: bool = False) -> Reference:
    """Read the event of Security Hub that names a finding, as the reporter does."""
    told = case("security_hub/asked-for-what-must-be-fetched" if asked else "security_hub/inspector-named-only")
    told["detail"]["findings"][0]["Id"] = arn(name, account)
    (report,) = reporters.normalize(told, NOW)
    assert isinstance(report, Reference)
    return report


def finding(name: str, account: str = ACCOUNT, **changes: Any) -> dict[str, Any]:
    """Make a finding as the API gives it."""
    seen = datetime(2026, 11, 20, 9, 15, 29, tzinfo=UTC)
    dates = dict.fromkeys(("firstObservedAt", "lastObservedAt", "updatedAt"), seen)
    own = {"findingArn": arn(name, account), "awsAccountId": account, "remediation": {}}
    return {**case("inspector2/single-finding"), "resources": [resource()], **dates, **own, **changes}


def resource() -> dict[str, Any]:
    """Make the instance that a finding is about."""
    return {"type": "AWS_EC2_INSTANCE", "id": "i-0aaa", "region": REGION, "tags": {"Name": "web-prod-01"}}


def wanted(*names: str, account: str = ACCOUNT) -> dict[str, Any]:
    """Spell the question for these findings."""
    return {"findingArn": [{"comparison": "EQUALS", "value": arn(name, account)} for name in names]}


class Aws:
    """The real client of boto3, with answers instead of a network."""

    def __init__(self) -> None:
        made = boto3.client("inspector2", REGION, aws_access_key_id="EXAMPLE", aws_secret_access_key="EXAMPLE")  # noqa: S106  nothing is signed
        self.stub = Stubber(made)
        self.stub.activate()

    def __call__(self, service: str, region: str) -> BaseClient:
        """Give the client of Inspector."""
        assert (service, region) == ("inspector2", REGION)
        return self.stub.client

    def expect(self, question: dict[str, Any], *found: dict[str, Any], next_page: str = "", after: str = "") -> None:
        """Expect one call, for the page after a token, and answer it with findings and the token of the next."""
        asked = {"filterCriteria": question, **({"nextToken": after} if after else {})}
        self.stub.add_response(
            "list_findings", {"findings": list(found), **({"nextToken": next_page} if next_page else {})}, asked
        )


@pytest.fixture
def aws() -> Iterator[Aws]:
    """Give a client that must be asked exactly what was expected of it."""
    client = Aws()
    yield client
    client.stub.assert_no_pending_responses()


def only(told: list[list[Report]]) -> Report:
    """Give the one report of the one reference."""
    ((report,),) = told
    return report


def test_fetched_finding_names_its_reporter_and_who_named_it(aws: Aws) -> None:
    """What the API gives goes through Inspector's reporter; Security Hub stands beside it."""
    aws.expect(wanted("a"), finding("a"))
    report = only(fetching.fetch([reference("a")], NOW, aws))
    (own,) = reporters.normalize(finding("a"), NOW)
    assert isinstance(report, Finding)
    assert isinstance(own, Finding)
    assert [(one.name, one.id, one.asked) for one in report.reporters] == [
        ("inspector2", arn("a"), False),
        ("security_hub", arn("a"), False),
    ]
    assert (report.id, report.exposures, report.server) == (own.id, own.exposures, own.server)


def test_fetched_finding_is_the_exposure_that_inspector_tells(aws: Aws) -> None:
    """Inspector's own event and what Security Hub named are one, and the question is not lost."""
    aws.expect(wanted("a"), finding("a"))
    fetched = only(fetching.fetch([reference("a", asked=True)], NOW, aws))
    (own,) = reporters.normalize(finding("a"), NOW)
    assert isinstance(fetched, Finding)
    assert isinstance(own, Finding)
    (folded,) = fold([("record-1", own), ("record-2", fetched)])
    assert isinstance(folded.report, Finding)
    assert [(one.name, one.asked) for one in folded.report.reporters] == [("inspector2", False), ("security_hub", True)]


def test_closed_and_suppressed_findings_are_answered(aws: Aws) -> None:
    """Inspector knows better whether there is anything to judge; who asked hears that."""
    named = [reference("gone", asked=True), reference("muted", asked=True), reference("muted")]
    aws.expect(wanted("gone", "muted"), finding("muted", status="SUPPRESSED"), finding("gone", status="CLOSED"))
    (gone,), (asked,), (told,) = fetching.fetch(named, NOW, aws)
    assert isinstance(gone, Closed)
    assert gone.reporter.asked
    reason = "SUPPRESSED by a rule in Inspector"
    place = {"id": arn("muted"), "account": ACCOUNT, "region": REGION}
    assert asked == Ignored(reporter="inspector2", reason=reason, asked=True, **place)
    assert told == Ignored(reporter="inspector2", reason=reason)


def test_findings_are_asked_for_in_tens_and_over_all_pages(aws: Aws) -> None:
    """The API takes ten ARNs in a question, and may answer in pages, of which some are empty."""
    names = [str(number) for number in range(12)]
    first = wanted(*names[:10])
    aws.expect(first, *(finding(name) for name in names[:4]), next_page="1")
    aws.expect(first, next_page="2", after="1")
    aws.expect(first, *(finding(name) for name in names[4:10]), after="2")
    aws.expect(wanted(*names[10:]), *(finding(name) for name in names[10:]))
    told = fetching.fetch([reference(name) for name in names], NOW, aws)
    assert [report.reporters[0].id for (report,) in told if isinstance(report, Finding)] == [
        arn(name) for name in names
    ]


def test_each_account_is_asked_for_its_own(aws: Aws) -> None:
    """What one account refuses does not spoil the findings of another."""
    other = "444455556666"
    aws.stub.add_client_error("list_findings", "AccessDeniedException", "User is not authorized")
    aws.expect(wanted("a", account=other), finding("a", other))
    refused, given = fetching.fetch([reference("a"), reference("a", other)], NOW, aws)
    assert isinstance(refused[0], Undecidable)
    assert refused[0].problem == f"{ACTION} failed: AccessDeniedException: User is not authorized"
    assert isinstance(given[0], Finding)
    assert given[0].server.account == other


def test_finding_that_is_not_given_is_undecidable(aws: Aws) -> None:
    """An ARN that AWS answers without is gone, or another account's: nobody knows, so it alerts with the event."""
    aws.expect(wanted("a"))
    named = reference("a")
    assert only(fetching.fetch([named], NOW, aws)) == Undecidable(
        shape="inspector2 finding that is only named",
        field="finding",
        problem=f"{ACTION} did not give it: it is gone, or it is another account's that may not be seen from here",
        raw=case("security_hub/inspector-named-only") | {"detail": named.raw["detail"]},
        reporter="security_hub",
        id=arn("a"),
        account=ACCOUNT,
        region=REGION,
    )


def test_endless_answer_is_undecidable(aws: Aws) -> None:
    """A page that names itself as the next one is not followed for ever."""
    aws.expect(wanted("a"), finding("a"), next_page="1")
    aws.expect(wanted("a"), next_page="1", after="1")
    report = only(fetching.fetch([reference("a")], NOW, aws))
    assert isinstance(report, Undecidable)
    assert report.problem.startswith(f"{ACTION} failed: PaginationError")


def test_answer_of_ever_new_pages_is_undecidable(aws: Aws) -> None:
    """Nor are pages that always name another one."""
    aws.expect(wanted("a"), next_page="1")
    for page in range(1, 50):
        aws.expect(wanted("a"), next_page=str(page + 1), after=str(page))
    report = only(fetching.fetch([reference("a")], NOW, aws))
    assert isinstance(report, Undecidable)
    assert report.problem.startswith(f"{ACTION} did not give it")


def test_findings_of_the_new_hub_are_fetched_over_the_wire(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real client, its addresses, its signature and its reading of dates: against moto."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "EXAMPLE")
    (named,) = reporters.normalize(case("security_hub_v2/inspector-reachability"), NOW)
    assert isinstance(named, Reference)
    told = finding("9abc5f3a")
    seed = {key: value.timestamp() if isinstance(value, datetime) else value for key, value in told.items()}
    make: Any = boto3.client
    with mock_aws():
        seeds = {"results": [[seed]], "account_id": "123456789012", "region": REGION}
        requests.post(SEEDS, json=seeds, timeout=5).raise_for_status()
        report = only(fetching.fetch([named], NOW, make))
    assert isinstance(report, Finding)
    assert [one.name for one in report.reporters] == ["inspector2", "security_hub_v2"]
    assert report.reporters[0].updated_at == "2026-11-20T09:15:29Z"
    assert report.exposures[0].from_port == 3306
