"""How long it takes to list 200 accounts with 100,000 findings, by a clock that goes on with each call."""

import math
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from handler import aws
from handler.invocation import Judged
from handler.settings import Settings
from handler.sweep import listing
from handler.sweep.summary import Summary

ACCOUNTS, FINDINGS, CALL = 200, 500, 0.05
"""Accounts, findings in each, and seconds that a call takes."""

RATE, BURST = 3, 6
"""Calls of GetFindings in a second, and at once, for each account and Region that asks."""

WORKERS = 10


class Clock:
    """A clock that stands still but when a call is made. `allowed` calls of GetFindings may be made at once."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self.allowed = float(BURST)
        self.at, self.is_over, self.judge_until = "2026-11-24T06:00:00Z", False, math.inf

    def call(self, operation: str = "") -> None:
        """Let a call take its time, after it has waited for its turn."""
        wait = max(0.0, (1 - self.allowed) / RATE) if operation == "get_findings" else 0.0
        self.elapsed += wait + CALL
        self.allowed = min(BURST, self.allowed + RATE * (wait + CALL)) - (operation == "get_findings")


class Client:
    """Answers as Inspector and Security Hub do, about accounts that have as many instances as findings."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._operation = ""

    def get_paginator(self, operation: str) -> "Client":
        """Give what lists something."""
        self._operation = operation
        return self

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        """List it in pages of 100."""
        for _page in range(FINDINGS // 100):
            self._clock.call(self._operation)
            finding = {"findingArn": "a", "Id": "a"}
            yield {"findings": [finding] * 100, "Findings": [finding] * 100, "coveredResources": []}

    def batch_get_account_status(self, accountIds: list[str]) -> dict[str, Any]:  # noqa: N803  the API's own name
        """Say that Inspector is on."""
        self._clock.call()
        return {"accounts": [{"accountId": accountIds[0], "resourceState": {"ec2": {"status": "ENABLED"}}}]}

    def describe_hub(self) -> dict[str, str]:
        """Say that Security Hub is on."""
        self._clock.call()
        return {}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Give the clock, by which each page that is judged takes one read of the table besides."""
    clock = Clock()

    def judge(*_: Any, **__: Any) -> list[Judged]:
        clock.call()
        return [Judged(outcomes=(), failures={})]

    monkeypatch.setattr(aws, "lister", lambda *_: Client(clock))
    monkeypatch.setattr(listing, "judge_slices", judge)
    return clock


def swept(clock: Clock, scanner: str, places: int) -> Summary:
    """List so many accounts, one after the other."""
    settings = Settings(alert_topic_arn="arn:aws:sns:eu-west-1:111122223333:alerts", sweep_scanners=scanner)
    means = SimpleNamespace(settings=settings, gate=None, look_up=None)
    teller: Any = SimpleNamespace(means=means, clock=clock, summary=Summary())
    teller.add = teller.notice = lambda _: None
    lister = listing.Lister(teller)
    for number in range(places):
        lister.look_at(f"{number:012}#eu-west-1")
    return teller.summary  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("scanner", "most", "most_each"),
    [pytest.param("inspector2", 300, 30, id="inspector2"), pytest.param("securityhub", 600, 350, id="securityhub")],
)
def test_an_organization_is_listed_within_an_invocation(
    clock: Clock, capsys: pytest.CaptureFixture[str], scanner: str, most: int, most_each: int
) -> None:
    """One function takes less than Lambda's 900 seconds; ten, over a queue, are as fast as the rate permits."""
    summary = swept(clock, scanner, ACCOUNTS)
    assert summary.listed == ACCOUNTS * FINDINGS
    alone = clock.elapsed
    clock.elapsed, clock.allowed = 0.0, BURST
    swept(clock, scanner, 1)
    calls = ACCOUNTS * FINDINGS // 100
    together = max(clock.elapsed * ACCOUNTS / WORKERS, calls / RATE if scanner == "securityhub" else 0)
    with capsys.disabled():
        said = f"{summary.listed:,} findings of {ACCOUNTS} accounts in {alone:.0f} s by one function"
        sys.stdout.write(f"\n{scanner}: {said}, in {together:.0f} s by {WORKERS} over a queue\n")
    assert alone < most < 900
    assert together < most_each
