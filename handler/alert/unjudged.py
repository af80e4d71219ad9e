"""What the mail of the day says of reports that could not be judged: each was told once that day, and came again."""

from collections.abc import Sequence

from handler.alert import policies
from handler.alert.attributes import UNASSIGNED, UNDECIDABLE_SEVERITY, Row
from handler.alert.text import Room, count, first, short, wrapped
from handler.memory.daily import Daily
from handler.memory.state import Notice
from handler.memory.store import Key
from handler.settings import Settings


def rows(daily: Daily, settings: Settings) -> list[Row]:
    """Return the attributes of each."""
    rows: list[Row] = []
    for (partition, _), notice in daily.notices.items():
        account, region = partition.split("#", 1)
        team = policies.team(settings.policies_path, account) or UNASSIGNED
        rows.append((account, region, UNDECIDABLE_SEVERITY, notice.server, "digest", team))
    return rows


def subject(daily: Daily) -> list[str]:
    """Say how many there are, in many words and in few; nothing where there are none."""
    number = len(daily.notices)
    said = count(number, "report that could not be judged", "reports that could not be judged")
    return [f"{said} came again", f"{number} not judged"] if number else []


def section(daily: Daily, settings: Settings, room: Room) -> list[str]:
    """Say how often each came."""

    def spell(pair: tuple[Key, Notice]) -> str:
        account, region = pair[0][0].split("#", 1)
        place = f"{short(policies.account(settings.policies_path, account), room.characters)}, {region}"
        return "\n".join(wrapped(f"{_said(*pair, room)}; {place}", hanging="    "))

    return first(_most_frequent(daily), room.entries, spell)


def summary(daily: Daily) -> list[str]:
    """Say each in a line."""
    return [_said(key, notice, Room(0, 100, 0)) for key, notice in _most_frequent(daily)]


def _most_frequent(daily: Daily) -> Sequence[tuple[Key, Notice]]:
    return sorted(daily.notices.items(), key=lambda pair: -pair[1].count)


def _said(key: Key, notice: Notice, room: Room) -> str:
    about = ": ".join(short(text, room.characters) for text in (notice.server, notice.shape) if text)
    return f"{about} could not be judged: told once on {key[1].rpartition('#')[2]}, came {notice.count} times"
