"""What the mail of the day says of reports that could not be judged: each was told at most once that day."""

from collections.abc import Mapping, Sequence

from handler.alert import policies
from handler.alert.attributes import UNASSIGNED, UNDECIDABLE_SEVERITY, Row
from handler.alert.text import Room, count, first, short, wrapped
from handler.memory.state import Notice
from handler.memory.store import Key
from handler.settings import Settings

Notices = Mapping[Key, Notice]


def rows(notices: Notices, settings: Settings) -> list[Row]:
    """Return the attributes of each."""
    rows: list[Row] = []
    for (partition, _), notice in notices.items():
        account, region = partition.split("#", 1)
        team = policies.team(settings.policies_path, account) or UNASSIGNED
        rows.append((account, region, UNDECIDABLE_SEVERITY, notice.server, "digest", team))
    return rows


def subject(notices: Notices) -> list[str]:
    """Say how many there are, in many words and in few; nothing where there are none."""
    number = len(notices)
    said = count(number, "report that could not be judged", "reports that could not be judged")
    return [f"{said} came again", f"{number} not judged"] if number else []


def section(notices: Notices, settings: Settings, room: Room) -> list[str]:
    """Say how often each came."""

    def spell(pair: tuple[Key, Notice]) -> str:
        account, region = pair[0][0].split("#", 1)
        place = f"{short(policies.account(settings.policies_path, account), room.characters)}, {region}"
        return "\n".join(wrapped(f"{_said(*pair, room)}; {place}", hanging="    "))

    return first(_most_frequent(notices), room.entries, spell)


def summary(notices: Notices) -> list[str]:
    """Say each in a line."""
    return [_said(key, notice, Room(0, 100, 0)) for key, notice in _most_frequent(notices)]


def _most_frequent(notices: Notices) -> Sequence[tuple[Key, Notice]]:
    return sorted(notices.items(), key=lambda pair: -pair[1].count)


def _said(key: Key, notice: Notice, room: Room) -> str:
    about = ": ".join(short(text, room.characters) for text in (notice.server, notice.shape) if text)
    day, times = key[1].rpartition("#")[2], count(notice.count, "time", "times")
    return f"{about} could not be judged{f': told once on {day}, came' if notice.told else f' on {day}: came'} {times}"
