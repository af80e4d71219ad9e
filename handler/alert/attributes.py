"""The message attributes: what subscribers filter by. None is ever empty, on no message."""

from collections.abc import Iterable

from handler.alert import policies
from handler.alert.case import SEVERITIES, Case
from handler.finding import Server, Undecidable
from handler.settings import Settings

MORE = "more"
"""Stands last in a list that had to be cut. A filter policy that must miss nothing lists it too."""

UNKNOWN_VALUE = "unknown"
UNDECIDABLE = "undecidable"
UNDECIDABLE_SEVERITY = "high"
"""What the gate gives a finding that it cannot judge: as bad as an open port."""

CHARACTERS = 128
"""The most of one value: 256 bytes of a team's name in two-byte letters."""

Attributes = dict[str, str | list[str]]


def gather(cases: Iterable[Case], reports: Iterable[Undecidable], settings: Settings) -> Attributes:
    """Give the attributes of a message: one value as text, several as a list, worst first, at most a part of its size.

    `severity` is the gate's word, and `high` for what could not be judged, so that one filter catches both; `action` is
    `deny` or `undecidable`; `server` is the server's id; `team` is the one of its tag, of its account, or `unassigned`.
    """
    cases, reports = list(cases), list(reports)
    severities = [case.severity for case in cases] + [UNDECIDABLE_SEVERITY for _ in reports]
    columns: dict[str, list[str | None]] = {
        "account": [*(case.server.account for case in cases), *(report.account for report in reports)],
        "region": [*(case.server.region for case in cases), *(report.region for report in reports)],
        "severity": [*sorted(severities, key=SEVERITIES.index)],
        "server": [*(case.server.id for case in cases), *(report.server for report in reports)],
        "action": [*("deny" for _ in cases), *(UNDECIDABLE for _ in reports)],
        "team": [*(team(case.server, settings) for case in cases), *(_team(report, settings) for report in reports)],
    }
    return {name: _fitted(column, settings.alert_max_bytes // 32) for name, column in columns.items()}


def team(server: Server, settings: Settings) -> str:
    """Give whose a server is: by its tag, else by its account."""
    tag = server.tags.get(settings.alert_team_tag, "").strip()
    return tag or policies.team(settings.policies_path, server.account) or "unassigned"


def _team(report: Undecidable, settings: Settings) -> str:
    return policies.team(settings.policies_path, report.account or "") or "unassigned"


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
