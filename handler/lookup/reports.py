"""Fetches the reports that a message only names, by their ARN.

A report that cannot be fetched is undecidable: the message said that there is one, so it must not be lost. Who named it
is a reporter of it too, and answered if a person asked.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from msgspec.structs import replace

from handler import reporters
from handler.finding import Closed, Finding, Ignored, Reference, Report, Undecidable

Client = Callable[[str, str], Any]
"""Gives the boto3 client of a service in a Region."""

Answers = dict[str, dict[str, Any] | str]
"""By ARN: the report as AWS gives it, or why it does not."""

_FAILURES = (BotoCoreError, ClientError, ResponseParserError, ValueError)
"""What a call may raise; the last is botocore's word for a Region that makes no address."""

_PAGES = 50
"""The most pages for ten ARNs; an answer that has more is taken for endless."""

_NOT_THERE = "did not give it: it is gone, or it is another account's that may not be seen from here"

_AT_ONCE = 10
"""ARNs in one call of `inspector:DescribeFindings` or `inspector2:ListFindings`, the most that both take."""


def fetch(references: Sequence[Reference], now: str, client: Client) -> list[list[Report]]:
    """Give for each reference, in order, what the report under it becomes.

    Each ARN is asked for once, however often it is named. Never raises for anything that AWS answers or does not.
    """
    wanted: dict[tuple[str, str, str], dict[str, None]] = {}
    for reference in references:
        wanted.setdefault(_place(reference), {})[reference.arn] = None
    answers = {place: _FETCHERS[place[0]](client, place[2], list(arns)) for place, arns in wanted.items()}
    return [_normalize(reference, answers[_place(reference)].get(reference.arn), now) for reference in references]


def _place(reference: Reference) -> tuple[str, str, str]:
    """Say whom to ask: each account for its own, so that one that cannot be asked spoils no other."""
    return reference.service, reference.account, reference.region


def _normalize(reference: Reference, answer: dict[str, Any] | str | None, now: str) -> list[Report]:
    """Read a fetched report like any other; say why there is none."""
    if isinstance(answer, dict):
        return [_told_by(reference, report) for report in reporters.normalize(answer, now)]
    return [
        Undecidable(
            shape=f"{reference.service} finding that is only named",
            field="finding",
            problem=answer or "AWS answered without it",
            raw=reference.raw,
            reporter=reference.reporter,
            id=reference.arn,
            account=reference.account,
            region=reference.region,
        )
    ]


def _told_by(reference: Reference, report: Report) -> Report:
    """Name who named a report, and whether a person asked."""
    teller = reference.told_by
    if teller is None:
        return report
    match report:
        case Finding(reporters=own):
            return replace(report, reporters=(*own, teller))
        case Closed(reporter=own):
            return replace(report, reporter=replace(own, asked=teller.asked))
        case Ignored() if teller.asked:
            place = {"id": reference.arn, "account": reference.account, "region": reference.region}
            return replace(report, asked=True, **place)
    return report


def _inspector2(client: Client, region: str, arns: list[str]) -> Answers:
    """Ask Inspector, in tens. It answers without what it does not have or may not show."""
    answers: Answers = {}
    for start in range(0, len(arns), _AT_ONCE):
        some = arns[start : start + _AT_ONCE]
        wanted = {"findingArn": [{"comparison": "EQUALS", "value": arn} for arn in some]}
        try:
            pages = client("inspector2", region).get_paginator("list_findings").paginate(filterCriteria=wanted)
            told = [finding for page in islice(pages, _PAGES) for finding in page.get("findings", [])]
        except _FAILURES as error:
            answers |= dict.fromkeys(some, f"inspector2:ListFindings in {region} failed: {_code(error)}")
        else:
            answers |= dict.fromkeys(some, f"inspector2:ListFindings in {region} {_NOT_THERE}")
            answers |= {finding.get("findingArn", ""): finding for finding in told}
    return answers


def _inspector(client: Client, region: str, arns: list[str]) -> Answers:
    """Ask Inspector Classic, in tens."""
    answers: Answers = {}
    for start in range(0, len(arns), _AT_ONCE):
        some = arns[start : start + _AT_ONCE]
        try:
            told = client("inspector", region).describe_findings(findingArns=some)
        except _FAILURES as error:
            answers |= dict.fromkeys(some, f"inspector:DescribeFindings in {region} failed: {_code(error)}")
            continue
        answers |= {finding.get("arn", ""): finding for finding in told.get("findings", [])}
        for arn, item in told.get("failedItems", {}).items():
            answers[arn] = f"inspector:DescribeFindings in {region} did not give it: {item['failureCode']}"
    return answers


def _code(error: Exception) -> str:
    """Name an error by AWS's code, or by botocore's own name where AWS was not reached, and say what it says."""
    if isinstance(error, ClientError):
        told = error.response.get("Error", {})
        return f"{told.get('Code', 'no code')}: {told.get('Message', '')}".rstrip(": ")
    return f"{type(error).__name__}: {error}"


_FETCHERS: Mapping[str, Callable[[Client, str, list[str]], Answers]] = {
    "inspector": _inspector,
    "inspector2": _inspector2,
}
