"""The message attributes: what subscribers filter by. None is ever empty, on no message."""

from collections.abc import Iterable

from handler.alert import policies
from handler.alert.case import SEVERITIES, Case
from handler.alert.message import ATTRIBUTES
from handler.finding import Closed, Ignored, Server, Undecidable
from handler.outcome import Outcome
from handler.settings import Settings

MORE = "more"
"""Stands last in a list that had to be cut. A filter policy that must miss nothing lists it too."""

UNKNOWN_VALUE = "unknown"
UNASSIGNED = "unassigned"
UNDECIDABLE = "undecidable"
UNDECIDABLE_SEVERITY = "high"
"""What the gate gives a finding that it cannot judge: as bad as an open port."""

CHARACTERS = 128
"""The most of one value: 256 bytes of a team's name in two-byte letters."""

Attributes = dict[str, str | list[str]]

Row = tuple[str | None, ...]
"""The attributes of one server or report, in their order."""


def gather(
    cases: Iterable[Case], reports: Iterable[Undecidable], settings: Settings, asides: Iterable[Outcome] = ()
) -> Attributes:
    """Give the attributes of a message: one value as text, several as a list, worst first, at most a part of its size.

    `severity` is the gate's word, and `high` for what could not be judged, so that one filter catches both; `action` is
    `deny` or `undecidable`, in an answer `allow`, `closed` or `ignored`; `server` is the server's id; `team` is the one
    of its tag, of its account, or `unassigned`.
    """
    rows = [_of_case(case, settings) for case in cases]
    rows += [_of_report(report, settings) for report in reports]
    rows += [_of_aside(aside, settings) for aside in asides]
    return of_rows(rows, settings)


def of_rows(rows: Iterable[Row], settings: Settings) -> Attributes:
    """Give the attributes of a message from those of each server or report that it is about."""
    rows = list(rows)
    columns = dict(zip(ATTRIBUTES, zip(*rows, strict=True), strict=True))
    columns["severity"] = tuple(sorted((row[2] or "" for row in rows), key=SEVERITIES.index))
    return {name: _fitted(column, settings.alert_max_bytes // 32) for name, column in columns.items()}


def _of_case(case: Case, settings: Settings) -> Row:
    server, action = case.server, "deny" if case.denied else "allow"
    return server.account, server.region, case.severity, server.id, action, team(server, settings)


def _of_report(report: Undecidable, settings: Settings) -> Row:
    whose = _team(report.account, settings)
    return report.account, report.region, UNDECIDABLE_SEVERITY, report.server, UNDECIDABLE, whose


def _of_aside(aside: Outcome, settings: Settings) -> Row:
    match aside.report:
        case Closed(server=server):
            return server.account, server.region, SEVERITIES[-1], server.id, aside.kind, team(server, settings)
        case Ignored(account=account, region=region):
            return account, region, SEVERITIES[-1], None, aside.kind, _team(account, settings)
    return None, None, SEVERITIES[-1], None, aside.kind, _team(None, settings)


def team(server: Server, settings: Settings) -> str:
    """Give whose a server is: by its tag, else by its account."""
    tag = server.tags.get(settings.alert_team_tag, "").strip()
    return tag or policies.team(settings.policies_path, server.account) or UNASSIGNED


def _team(account: str | None, settings: Settings) -> str:
    return policies.team(settings.policies_path, account or "") or UNASSIGNED


def _fitted(column: Iterable[str | None], most: int) -> str | list[str]:
    values = list(dict.fromkeys(_value(entry or "") for entry in column))
    kept: list[str] = []
    size = len(MORE)
    for value in values:
        size += len(value.encode()) + len('"", ')
        if size > most:
            return [*kept, MORE]
        kept.append(value)
    return kept[0] if len(kept) == 1 else kept


def _value(text: str) -> str:
    """Make a value fit for a filter policy: printable, without quotes or backslashes, never empty."""
    plain = "".join("?" if mark in '"\\' or not mark.isprintable() else mark for mark in text).strip()
    return plain[:CHARACTERS] or UNKNOWN_VALUE
