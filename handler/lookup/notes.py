"""The sentences that a finding carries about its look-ups."""

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from handler.finding import Finding

_LISTED = 5


def noted(finding: Finding, notes: Iterable[str]) -> Finding:
    """Add notes to a finding's own, none twice."""
    return replace(finding, notes=tuple(dict.fromkeys((*finding.notes, *notes))))


def listed(words: Iterable[str]) -> str:
    """List words, the first few of many, and how many more there are."""
    distinct = list(dict.fromkeys(words))
    more = f" and {len(distinct) - _LISTED} more" if len(distinct) > _LISTED else ""
    return ", ".join(distinct[:_LISTED]) + more


def clock(at: datetime) -> str:
    """Spell a time in UTC."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def last_look(finding: Finding) -> str:
    """Say when the reporters last looked."""
    dates = [reporter.updated_at for reporter in finding.reporters if reporter.updated_at]
    return f"at {clock(datetime.fromisoformat(max(dates)))}" if dates else "at a time that it does not tell"
