"""Fetches the reports that a message only names, by their ARN.

A report that cannot be fetched is undecidable: the message said that there is one, so it must not be lost.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from handler import reporters
from handler.finding import Reference, Report, Undecidable

Client = Callable[[str, str], Any]
"""Gives the boto3 client of a service in a Region."""

Answers = dict[str, dict[str, Any] | str]
"""By ARN: the report as AWS gives it, or why it does not."""

_AT_ONCE = 10
"""ARNs in one call of `inspector:DescribeFindings`, the most that it takes."""


def fetch(references: Sequence[Reference], now: str, client: Client) -> list[list[Report]]:
    """Give for each reference, in order, what the report under it becomes.

    Each ARN is asked for once, however often it is named. Never raises for anything that AWS answers or does not.
    """
    wanted: dict[tuple[str, str], dict[str, None]] = {}
    for reference in references:
        wanted.setdefault((reference.service, reference.region), {})[reference.arn] = None
    answers = {place: _FETCHERS[place[0]](client, place[1], list(arns)) for place, arns in wanted.items()}
    return [
        _normalize(reference, answers[reference.service, reference.region].get(reference.arn), now)
        for reference in references
    ]


def _normalize(reference: Reference, answer: dict[str, Any] | str | None, now: str) -> list[Report]:
    """Read a fetched report like any other; say why there is none."""
    if isinstance(answer, dict):
        return reporters.normalize(answer, now)
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


def _inspector(client: Client, region: str, arns: list[str]) -> Answers:
    """Ask Inspector Classic, in tens."""
    answers: Answers = {}
    for start in range(0, len(arns), _AT_ONCE):
        some = arns[start : start + _AT_ONCE]
        try:
            told = client("inspector", region).describe_findings(findingArns=some)
        except (BotoCoreError, ClientError) as error:
            answers |= dict.fromkeys(some, f"inspector:DescribeFindings in {region} failed: {_code(error)}")
            continue
        answers |= {finding.get("arn", ""): finding for finding in told.get("findings", [])}
        for arn, item in told.get("failedItems", {}).items():
            answers[arn] = f"inspector:DescribeFindings in {region} did not give it: {item['failureCode']}"
    return answers


def _code(error: BotoCoreError | ClientError) -> str:
    """Name an error by AWS's code, or by botocore's own name where AWS was not reached, and say what it says."""
    if isinstance(error, ClientError):
        told = error.response.get("Error", {})
        return f"{told.get('Code', 'no code')}: {told.get('Message', '')}".rstrip(": ")
    return f"{type(error).__name__}: {error}"


_FETCHERS: Mapping[str, Callable[[Client, str, list[str]], Answers]] = {"inspector": _inspector}
