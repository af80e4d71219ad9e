"""Several reports of one exposure, told in one invocation, become one.

The id of a finding is the exposure's, not the report's, so two *different* reports (two paths to the same port, two
reporters) can have one id. Newest wins within a report only: that one path is closed says nothing about the other.
"""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from msgspec import UNSET, Struct
from msgspec.structs import replace

from handler.finding import Closed, Finding, Reporter, Server

T = TypeVar("T")

_DISAGREE = "Reports of this exposure disagree on the tags or the name of the server: it is judged by those of each"


class Folded(Struct, frozen=True, kw_only=True):
    """What is left of all reports of one exposure, and the records that told them, the one that won first.

    `reports` has the record of each report, one that told the exposure twice comes twice; it is empty where a look-up
    has added the exposure. `claims` are the open reports behind it, the newest of each, as they were before look-ups.
    """

    records: tuple[str, ...]
    report: Finding | Closed
    reports: tuple[str, ...] = ()
    claims: tuple[Finding, ...] = ()


def fold(reports: Iterable[tuple[str, Finding | Closed]]) -> list[Folded]:
    """Fold reports, each with the id of its record, by their exposure; in the order in which exposures were first told.

    1. Of the reports with one name and id of the reporter, the newest `updated_at` wins. Where two dates are equal, or
       one cannot be read, open wins over closed, and open ones are merged: neither is known to be the newer.
    2. Those that are open are merged: `now`, server and reach of the newest, with what it does not know filled in from
       the others; exposures, notes, listeners and reporters of all, without repeats.
    3. Each that is closed is handed on: it closes what it reported itself, and nothing else.
    4. Where open ones disagree on the tags or the name of the server, the exposure is there once for each that they
       give: all are to be judged, so that the tags of one report never soften what another tells.

    Who asked (see `Reporter`) is answered, whichever report wins.
    """
    groups: dict[str, list[tuple[str, Finding | Closed]]] = {}
    for record, report in reports:
        groups.setdefault(report.id, []).append((record, report))
    return [folded for group in groups.values() for folded in _fold(group)]


def reunite(folded: Iterable[Folded]) -> list[Folded]:
    """Unite what has become one exposure since it was folded: all open ones are merged."""
    groups: dict[str, list[Folded]] = {}
    for exposure in folded:
        groups.setdefault(exposure.report.id, []).append(exposure)
    return [united for group in groups.values() for united in _reunite(group)]


def _reunite(group: list[Folded]) -> list[Folded]:
    """Unite what is one exposure, the newest first."""
    newest = sorted(group, key=lambda folded: _date(folded.report), reverse=True)
    opened = [folded for folded in newest if isinstance(folded.report, Finding)]
    if len(opened) < 2:  # noqa: PLR2004  nothing to unite
        return group
    merged = _folded(
        _merge([folded.report for folded in opened if isinstance(folded.report, Finding)]),
        [folded.report for folded in group],
        records=_united(folded.records for folded in opened),
        reports=tuple(record for folded in opened for record in folded.reports),
        claims=_newest_each(claim for folded in opened for claim in folded.claims),
    )
    return [*merged, *(folded for folded in group if isinstance(folded.report, Closed))]


def _fold(group: list[tuple[str, Finding | Closed]]) -> list[Folded]:
    """Fold the reports of one exposure."""
    (record, report), *others = group
    if not others and len(_reporters(report)) == 1:  # as most are
        claims = (report,) if isinstance(report, Finding) else ()
        return [Folded(records=(record,), report=report, reports=(record,), claims=claims)]
    by_report: dict[tuple[str, str], list[tuple[str, Finding | Closed]]] = {}
    for record, report in group:
        reporter = _reporters(report)[0]
        by_report.setdefault((reporter.name, reporter.id), []).append((record, report))
    newest = {report: _newest(same) for report, same in by_report.items()}
    opened = sorted(
        ((record, report) for same in newest.values() for record, report in same if isinstance(report, Finding)),
        key=lambda pair: _date(pair[1]),
        reverse=True,
    )
    closed = [
        folded
        for name, same in newest.items()
        if isinstance(same[0][1], Closed)
        for folded in _closed(same[0], by_report[name], is_beside_open=bool(opened))
    ]
    if not opened:
        return closed
    records = [
        record for name, same in by_report.items() if isinstance(newest[name][0][1], Finding) for record, _ in same
    ]
    reports = sorted(records, key=lambda record: record != opened[0][0])
    merged = _folded(
        _merge([report for _, report in opened]),
        [report for _, report in group],
        records=tuple(dict.fromkeys(reports)),
        reports=tuple(reports),
        claims=_newest_each(report for _, report in opened),
    )
    return [*merged, *closed]


def _closed(
    newest: tuple[str, Finding | Closed], tellings: list[tuple[str, Finding | Closed]], *, is_beside_open: bool
) -> list[Folded]:
    """Hand on a report that has closed. Beside an open one, who asked is answered with that."""
    reports = tuple(sorted((record for record, _ in tellings), key=lambda record: record != newest[0]))
    report = newest[1]
    if is_beside_open and isinstance(report, Closed):
        report = replace(report, reporter=replace(report.reporter, asked=False))
        return [Folded(records=tuple(dict.fromkeys(reports)), report=report, reports=reports)]
    return _folded(
        [report], [report for _, report in tellings], records=tuple(dict.fromkeys(reports)), reports=reports, claims=()
    )


def _folded(
    merged: Sequence[Finding | Closed],
    tellings: list[Finding | Closed],
    *,
    records: tuple[str, ...],
    reports: tuple[str, ...],
    claims: tuple[Finding, ...],
) -> list[Folded]:
    """Give one exposure, once for each name and tags that it is to be judged by; its reports are counted once."""
    return [
        Folded(records=records, report=_answering(report, tellings), reports=() if number else reports, claims=claims)
        for number, report in enumerate(merged)
    ]


def _reporters(report: Finding | Closed) -> tuple[Reporter, ...]:
    """Give who told it: its own reporter first, then who passed it on."""
    return (report.reporter,) if isinstance(report, Closed) else report.reporters


def _date(report: Finding | Closed) -> str:
    """Give the report's date; one that cannot be read is older than all."""
    return _reporters(report)[0].updated_at or ""


def _newest(same: list[tuple[str, Finding | Closed]]) -> list[tuple[str, Finding | Closed]]:
    """Give the newest of the tellings of one report: all open ones where none is known to be the newer.

    Who passed an older one on is named by the newest.
    """
    last = max(same, key=lambda pair: (_date(pair[1]), isinstance(pair[1], Finding)))
    opened = [(record, report) for record, report in same if isinstance(report, Finding)]
    dates = {_date(last[1]), ""} if isinstance(last[1], Finding) else {""}
    winners = [(record, report) for record, report in opened if _date(report) in dates]
    if not winners:
        return [last]
    record, newest = max(winners, key=lambda pair: _date(pair[1]))
    told_by = [reporter for _, report in ((record, newest), *winners, *opened) for reporter in report.reporters]
    others = [(name, report) for name, report in winners if report is not newest]
    return [(record, replace(newest, reporters=_named(told_by))), *others]


def _answering(report: Finding | Closed, tellings: list[Finding | Closed]) -> Finding | Closed:
    """Let who asked be answered: the question may have been an older telling, or about a path that is closed."""
    asking = [reporter for telling in tellings for reporter in _reporters(telling) if reporter.asked]
    if not asking:
        return report
    if isinstance(report, Closed):
        return replace(report, reporter=replace(report.reporter, asked=True))
    return replace(report, reporters=_named([*report.reporters, *asking]))


def _newest_each(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Give each report once, as it first comes."""
    by_report: dict[tuple[str, str], Finding] = {}
    for finding in findings:
        by_report.setdefault((finding.reporters[0].name, finding.reporters[0].id), finding)
    return tuple(by_report.values())


def _named(reporters: Iterable[Reporter]) -> tuple[Reporter, ...]:
    """Name each reporter of a report once, as first given; it was asked for if one of them was."""
    named: dict[tuple[str, str], Reporter] = {}
    for reporter in reporters:
        first = named.setdefault((reporter.name, reporter.id), reporter)
        named[reporter.name, reporter.id] = replace(first, asked=first.asked or reporter.asked)
    return tuple(named.values())


def _merge(findings: list[Finding]) -> list[Finding]:
    """Merge open findings of one exposure, the newest first: one finding for each name and tags of the server."""
    newest = findings[0]
    if len(findings) == 1:
        return [newest]
    servers = [finding.server for finding in findings]
    labels = _labels(servers)
    notes = _united(finding.notes for finding in findings)
    if len(labels) > 1:
        notes = _united([notes, (_DISAGREE,)])
    return [
        replace(
            newest,
            reporters=_named(reporter for finding in findings for reporter in finding.reporters),
            reach_known=any(finding.reach_known for finding in findings),
            server=_server(servers, labelled),
            exposures=_united(finding.exposures for finding in findings),
            listeners=_united(finding.listeners for finding in findings),
            notes=notes,
        )
        for labelled in labels
    ]


def _labels(servers: list[Server]) -> list[Server]:
    """Give one server for each name and tags that are known, the newest first; the newest where none are."""
    labels: list[Server] = []
    for server in servers:
        if server.tags_known and not any((label.name, label.tags) == (server.name, server.tags) for label in labels):
            labels.append(server)
    return labels or servers[:1]


def _server(servers: list[Server], labelled: Server) -> Server:
    """Give the newest server, with what it does not know from the next that does; the groups are those of all.

    Name and tags are those of `labelled`.
    """
    known = {
        field: value
        for field in ("vpc", "subnet", "platform")
        for server in reversed(servers)
        if (value := getattr(server, field)) is not UNSET
    }
    groups = _united(server.security_groups for server in servers)
    return replace(
        servers[0],
        name=labelled.name,
        tags=labelled.tags,
        tags_known=labelled.tags_known,
        security_groups=groups,
        **known,
    )


def _united(parts: Iterable[tuple[T, ...]]) -> tuple[T, ...]:
    """Give the members of all parts, in order, without repeats."""
    return tuple(dict.fromkeys(member for part in parts for member in part))
