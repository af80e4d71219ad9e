"""Fetches the reports that a message only names, by their ARN, within the time, and never raising.

A report that cannot be fetched is undecidable: the message said that there is one, so it must not be lost. Who named it
is a reporter of it too, and answered if a person asked.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.parsers import ResponseParserError
from msgspec.structs import replace

from handler import reading
from handler.finding import Closed, Finding, Ignored, Reference, Report, Undecidable

_LOGGER = logging.getLogger(__name__)

Client = Callable[[str, str], Any]
"""Gives the boto3 client of a service in a Region."""

Answers = dict[str, dict[str, Any] | str]
"""By ARN: the report as AWS gives it, or why it does not."""

FAILURES = (BotoCoreError, ClientError, ResponseParserError, ValueError)
"""What a call may raise; the last is botocore's word for a Region that makes no address."""

_PAGES = 50
"""The most pages for ten ARNs; an answer that has more is taken for endless."""

_NOT_THERE = "did not give it: it is gone, or it is another account's that may not be seen from here"

_AT_ONCE = 10
"""ARNs in one call of `inspector:DescribeFindings` or `inspector2:ListFindings`, the most that both take."""


def fetch(references: Sequence[Reference], now: str, client: Client, until: float | None = None) -> list[list[Report]]:
    """Give for each reference, in order, what the report under it becomes.

    Each ARN is asked for once, however often it is named; nothing is asked for after `until`, a time of
    `time.monotonic()`, nor of a service in a Region that did not answer before.
    """
    wanted: dict[tuple[str, str, str], dict[str, None]] = {}
    for reference in references:
        wanted.setdefault(_place(reference), {})[reference.arn] = None
    silent: dict[tuple[str, str], str] = {}
    answers = {place: _asked(client, place, list(arns), silent, until) for place, arns in wanted.items()}
    return [_normalize(reference, answers[_place(reference)].get(reference.arn), now) for reference in references]


def _place(reference: Reference) -> tuple[str, str, str]:
    """Say whom to ask: each account for its own, so that one that cannot be asked spoils no other."""
    return reference.service, reference.account, reference.region


def _normalize(reference: Reference, answer: dict[str, Any] | str | None, now: str) -> list[Report]:
    """Read a fetched report like any other; say why there is none."""
    if isinstance(answer, dict):
        return [_told_by(reference, report) for report in reading.read(answer, now, reference.arn)]
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
    """Name who named a report, and whether a person asked; name the report where it cannot itself."""
    if isinstance(report, Undecidable) and report.id is None:
        named = report.reporter or reference.reporter
        return replace(report, reporter=named, id=reference.arn, account=reference.account, region=reference.region)
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


def _asked(
    client: Client,
    place: tuple[str, str, str],
    arns: list[str],
    silent: dict[tuple[str, str], str],
    until: float | None,
) -> Answers:
    """Ask a service for findings, in tens. `silent` has by service and Region why one that did not answer is left."""
    service, _, region = place
    action, ask = _FETCHERS[service]
    answers: Answers = {}
    for start in range(0, len(arns), _AT_ONCE):
        batch = arns[start : start + _AT_ONCE]
        if (service, region) in silent:
            answers |= dict.fromkeys(batch, silent[service, region])
        elif until is not None and time.monotonic() >= until:
            answers |= dict.fromkeys(batch, f"no time was left to fetch it: {action} in {region} was not asked")
        else:
            try:
                answers |= ask(client(service, region), f"{action} in {region}", batch)
            except FAILURES as error:
                problem = f"{action} in {region} failed: {spelled(error)}"
                answers |= dict.fromkeys(batch, problem)
                if isinstance(error, NoConnectionError | HTTPClientError):
                    silent[service, region] = problem
            except Exception as error:
                _LOGGER.exception("a report could not be fetched")
                problem = f"{action} in {region} failed in Portcullis ({type(error).__name__}: {error})"
                answers |= dict.fromkeys(batch, f"{problem}; this is a bug, please report it")
    return answers


def _inspector2(client: Any, action: str, arns: list[str]) -> Answers:
    """Ask Inspector. It answers without what it does not have or may not show."""
    wanted = {"findingArn": [{"comparison": "EQUALS", "value": arn} for arn in arns]}
    pages = client.get_paginator("list_findings").paginate(filterCriteria=wanted)
    findings = [finding for page in islice(pages, _PAGES) for finding in page.get("findings", [])]
    missing: Answers = dict.fromkeys(arns, f"{action} {_NOT_THERE}")
    return missing | {finding.get("findingArn", ""): finding for finding in findings}


def _inspector(client: Any, action: str, arns: list[str]) -> Answers:
    """Ask Inspector Classic."""
    answer = client.describe_findings(findingArns=arns)
    answers: Answers = {finding.get("arn", ""): finding for finding in answer.get("findings", [])}
    for arn, item in answer.get("failedItems", {}).items():
        answers[arn] = f"{action} did not give it: {item.get('failureCode', 'no reason is told')}"
    return answers


def spelled(error: Exception) -> str:
    """Name an error by AWS's code, or by botocore's own name where AWS was not reached, and say what it says."""
    if isinstance(error, ClientError):
        problem = error.response.get("Error", {})
        return f"{problem.get('Code', 'no code')}: {problem.get('Message', '')}".rstrip(": ")
    return f"{type(error).__name__}: {error}"


_FETCHERS: Mapping[str, tuple[str, Callable[[Any, str, list[str]], Answers]]] = {
    "inspector": ("inspector:DescribeFindings", _inspector),
    "inspector2": ("inspector2:ListFindings", _inspector2),
}
"""By boto3's name of a service: the action as IAM names it, and what asks for it."""
