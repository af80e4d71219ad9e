"""The sentences that a finding carries about its look-ups."""

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from handler.finding import Exposure, Finding

_LISTED = 5


def noted(finding: Finding, notes: Iterable[str]) -> Finding:
    """Add notes to a finding's own, none twice."""
    return replace(finding, notes=tuple(dict.fromkeys((*finding.notes, *notes))))


def ports(exposure: Exposure) -> str:
    """Spell what is exposed: `tcp 22`, `udp 8000-8100`."""
    span = f"-{exposure.to_port}" if exposure.to_port != exposure.from_port else ""
    return f"{exposure.protocol} {exposure.from_port}{span}"


def some(words: Iterable[str]) -> str:
    """List words, the first few of many, and how many more there are."""
    listed = list(dict.fromkeys(words))
    more = f" and {len(listed) - _LISTED} more" if len(listed) > _LISTED else ""
    return ", ".join(listed[:_LISTED]) + more


def clock(at: datetime) -> str:
    """Spell a time in UTC."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def last_look(finding: Finding) -> str:
    """Say when the reporters last looked."""
    dates = [reporter.updated_at for reporter in finding.reporters if reporter.updated_at]
    return f"at {clock(datetime.fromisoformat(max(dates)))}" if dates else "at a time that it does not tell"
