"""Several reports of one exposure, told in one invocation, become one.

The id of a finding is the exposure's, not the report's, so two *different* reports (two paths to the same port, two
reporters) can have one id. Newest wins within a report only: that one path is closed says nothing about the other.
"""

from collections.abc import Iterable
from typing import TypeVar

from msgspec import UNSET, Struct
from msgspec.structs import replace

from handler.finding import Closed, Finding, Reporter, Server

T = TypeVar("T")


class Folded(Struct, frozen=True, kw_only=True):
    """What is left of all reports of one exposure, and the records that told them, the one that won first.

    `reports` has the record of each report, one that told the exposure twice comes twice; it is empty where a look-up
    has added the exposure.
    """

    records: tuple[str, ...]
    report: Finding | Closed
    reports: tuple[str, ...] = ()


def fold(told: Iterable[tuple[str, Finding | Closed]]) -> list[Folded]:
    """Fold reports, each with the id of its record, by their exposure; in the order in which exposures were first told.

    1. Of the reports with one name and id of the reporter, the newest `updated_at` wins. Where two dates are equal, or
       one cannot be read, open wins over closed, and open ones are merged: neither is known to be the newer.
    2. Of those that are left any open one wins over the closed ones.
    3. All open ones are merged: `now`, server and reach of the newest, with what it does not know filled in from the
       others; exposures, notes, listeners and reporters of all, without repeats.

    Who asked (see `Reporter`) is answered, whichever report wins.
    """
    groups: dict[str, list[tuple[str, Finding | Closed]]] = {}
    for record, report in told:
        groups.setdefault(report.id, []).append((record, report))
    return [_fold(group) for group in groups.values()]


def reunite(folded: Iterable[Folded]) -> list[Folded]:
    """Unite what has become one exposure since it was folded: open wins over closed, and all open ones are merged."""
    groups: dict[str, list[Folded]] = {}
    for one in folded:
        groups.setdefault(one.report.id, []).append(one)
    return [_reunite(group) if len(group) > 1 else group[0] for group in groups.values()]


def _reunite(group: list[Folded]) -> Folded:
    """Unite what is one exposure, the newest first."""
    newest = sorted(group, key=lambda one: _date(one.report), reverse=True)
    findings = [one.report for one in newest if isinstance(one.report, Finding)]
    report = _merge(findings) if findings else newest[0].report
    opened_first = sorted(newest, key=lambda one: isinstance(one.report, Closed))
    return Folded(
        records=_united(one.records for one in opened_first),
        report=_answering(report, [one.report for one in group]),
        reports=tuple(record for one in opened_first for record in one.reports),
    )


def _fold(group: list[tuple[str, Finding | Closed]]) -> Folded:
    """Fold the reports of one exposure."""
    if len(group) == 1:
        return Folded(records=(group[0][0],), report=group[0][1], reports=(group[0][0],))
    by_report: dict[tuple[str, str], list[tuple[str, Finding | Closed]]] = {}
    for record, report in group:
        own = _reporters(report)[0]
        by_report.setdefault((own.name, own.id), []).append((record, report))
    left = [_newest(same) for same in by_report.values()]
    opened = [(record, report) for record, report in left if isinstance(report, Finding)]
    winners = sorted(opened or left, key=lambda pair: _date(pair[1]), reverse=True)
    reports = sorted((record for record, _ in group), key=lambda record: record != winners[0][0])
    findings = [report for _, report in winners if isinstance(report, Finding)]
    report = _merge(findings) if findings else winners[0][1]
    return Folded(
        records=tuple(dict.fromkeys(reports)),
        report=_answering(report, [told for _, told in group]),
        reports=tuple(reports),
    )


def _reporters(report: Finding | Closed) -> tuple[Reporter, ...]:
    """Give who told it: its own reporter first, then who passed it on."""
    return (report.reporter,) if isinstance(report, Closed) else report.reporters


def _date(report: Finding | Closed) -> str:
    """Give the report's date; one that cannot be read is older than all."""
    return _reporters(report)[0].updated_at or ""


def _newest(same: list[tuple[str, Finding | Closed]]) -> tuple[str, Finding | Closed]:
    """Give the newest of the tellings of one report, merged where none of the open ones is known to be the newer."""
    last = max(same, key=lambda pair: (_date(pair[1]), isinstance(pair[1], Finding)))
    opened = [(record, report) for record, report in same if isinstance(report, Finding)]
    dates = {_date(last[1]), ""} if isinstance(last[1], Finding) else {""}
    winners = sorted(
        (pair for pair in opened if _date(pair[1]) in dates), key=lambda pair: _date(pair[1]), reverse=True
    )
    if not winners:
        return last
    merged = _merge([report for _, report in winners])
    told_by = (reporter for told in (merged, *(one for _, one in opened)) for reporter in told.reporters)
    return winners[0][0], replace(merged, reporters=_named(told_by))


def _answering(report: Finding | Closed, told: list[Finding | Closed]) -> Finding | Closed:
    """Let who asked be answered: the question may have been an older telling, or about a path that is closed."""
    asked = [reporter for one in told for reporter in _reporters(one) if reporter.asked]
    if not asked:
        return report
    if isinstance(report, Closed):
        return replace(report, reporter=replace(report.reporter, asked=True))
    return replace(report, reporters=_named([*report.reporters, *asked]))


def _named(reporters: Iterable[Reporter]) -> tuple[Reporter, ...]:
    """Name each reporter of a report once, as first given; it was asked for if one of them was."""
    named: dict[tuple[str, str], Reporter] = {}
    for reporter in reporters:
        first = named.setdefault((reporter.name, reporter.id), reporter)
        named[reporter.name, reporter.id] = replace(first, asked=first.asked or reporter.asked)
    return tuple(named.values())


def _merge(findings: list[Finding]) -> Finding:
    """Merge open findings of one exposure, the newest first."""
    newest = findings[0]
    if len(findings) == 1:
        return newest
    return replace(
        newest,
        reporters=_named(reporter for finding in findings for reporter in finding.reporters),
        reach_known=any(finding.reach_known for finding in findings),
        server=_server([finding.server for finding in findings]),
        exposures=_united(finding.exposures for finding in findings),
        listeners=_united(finding.listeners for finding in findings),
        notes=_united(finding.notes for finding in findings),
    )


def _server(servers: list[Server]) -> Server:
    """Give the newest server, with what it does not know from the next that does; the groups are those of all."""
    tagged = next((server for server in servers if server.tags_known), servers[0])
    known = {
        field: value
        for field in ("vpc", "subnet", "platform")
        for server in reversed(servers)
        if (value := getattr(server, field)) is not UNSET
    }
    groups = _united(server.security_groups for server in servers)
    return replace(
        servers[0], name=tagged.name, tags=tagged.tags, tags_known=tagged.tags_known, security_groups=groups, **known
    )


def _united(parts: Iterable[tuple[T, ...]]) -> tuple[T, ...]:
    """Give the members of all parts, in order, without repeats."""
    return tuple(dict.fromkeys(member for part in parts for member in part))
