"""What a sweep notices beside what is open: what is not scanned or suppressed, what expires soon or is malformed."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta

from handler.alert.notices import Noticed
from handler.decision import Decision
from handler.finding import Finding
from handler.memory.observing import claim_of, digest, partition
from handler.memory.state import moment
from handler.memory.store import Key
from handler.outcome import Outcome
from handler.sweep.absence import Covered

_STOPPED = "EC2_INSTANCE_STOPPED"
"""Why an instance is not scanned that nobody reaches."""


def key_of(noticed: Noticed) -> Key:
    """Return the key of what remembers that something was told."""
    place = partition(noticed.account, noticed.region) if noticed.account else "all"
    return place, f"notice#{noticed.kind}#{digest(noticed.name)}"


def of_decision(decision: Decision, at: str, days: int) -> Iterator[Noticed]:
    """Give the allowances that something needs and that end within so many days, and malformed statements."""
    last = (moment(at) + timedelta(days=days)).date()
    for name in sorted({name for entry in decision.allowed for name in entry.by}) if days else ():
        owner, ends = decision.allowances[name].owner, decision.allowances[name].expires
        if date.fromisoformat(ends) <= last:
            text = f"{name} of {owner} ends on {ends}, and something is open by it"
            yield Noticed(kind="expiring", name=f"{name} {ends}", text=text, team=owner)
    for problem in decision.problems:
        if problem.kind in {"allowance", "prohibition"}:
            text = f"{problem.kind} {problem.id or 'without an id'}: {problem.field}: {problem.problem}"
            yield Noticed(kind="malformed", name=text, text=text)


def of_status(account: str, where: str, state: str) -> Iterator[Noticed]:
    """Give that a scanner is not on; `where` names it, with the account and Region."""
    yield Noticed(kind="off", name=f"{where} {state}", text=f"{where} is {state}", account=account)


def of_coverage(account: str, where: str, coverage: Mapping[str, Covered]) -> Iterator[Noticed]:
    """Give the instances that a scanner knows and does not scan."""
    for name, covered in coverage.items():
        if covered.is_unscanned and covered.reason != _STOPPED:
            text = f"{name} is not scanned by {where}: {covered.reason or 'it does not say why'}"
            yield Noticed(kind="unscanned", name=text, text=text, account=account, server=name)


def of_suppressed(outcomes: Iterable[Outcome], where: str, writers: Mapping[str, str]) -> Iterator[Noticed]:
    """Give what the policies deny of reports that are suppressed, and were judged as if they were not.

    `writers` has by claim who has written the note at the report, where somebody has.
    """
    for outcome in outcomes:
        report = outcome.report
        if isinstance(report, Finding) and outcome.decision is not None and outcome.decision.action == "deny":
            server, reporter = report.server, report.reporters[0]
            writer = writers.get(claim_of(reporter), "")
            place_and_writer = f"{where} (note by {writer})" if writer else where
            reason = outcome.decision.denied[0].reason
            text = f"{reporter.id} about {server.id} is suppressed in {place_and_writer}: {reason}"
            place = {"account": server.account, "region": server.region, "server": server.id}
            yield Noticed(kind="suppressed", name=claim_of(reporter), text=text, **place)
