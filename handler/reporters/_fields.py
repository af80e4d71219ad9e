"""Reads the fields of a report. What cannot be read raises `UnreadableError` with the field's path.

`path` is where the holder stands in the report, with the dot that follows it (`detail.resources[0].`), or nothing.
"""

from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from msgspec import UNSET, UnsetType

from handler.errors import UnreadableError

HIGHEST_PORT = 65535
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_CALLED = {"dict": "an object", "list": "a list", "NoneType": "null"}
_LONGEST = 60


class Arn(NamedTuple):
    """What an ARN says: whose resource, and where."""

    service: str
    region: str
    account: str


def text(holder: dict[str, Any], key: str, path: str) -> str:
    """Read a text that is not empty."""
    value = holder.get(key)
    if isinstance(value, str) and value:
        return value
    raise refusal(holder, key, path, "a text")


def mapping(holder: dict[str, Any], key: str, path: str) -> dict[str, Any]:
    """Read an object."""
    value = holder.get(key)
    if isinstance(value, dict):
        return value
    raise refusal(holder, key, path, "an object")


def filled_list(holder: dict[str, Any], key: str, path: str) -> list[Any]:
    """Read a list that is not empty."""
    value = holder.get(key)
    if isinstance(value, list) and value:
        return value
    raise refusal(holder, key, path, "a list")


def port(holder: dict[str, Any], key: str, path: str) -> int:
    """Read a port, as a number or as its digits."""
    value = holder.get(key)
    if isinstance(value, str) and len(value) <= len(str(HIGHEST_PORT)) and value.isascii() and value.isdigit():
        value = int(value)
    if type(value) is int and 0 <= value <= HIGHEST_PORT:
        return value
    raise refusal(holder, key, path, f"a port from 0 to {HIGHEST_PORT}")


def protocol(holder: dict[str, Any], key: str, path: str) -> Literal["tcp", "udp"]:
    """Read TCP or UDP, in any case."""
    value = holder.get(key)
    spelled = value.lower() if isinstance(value, str) else value
    if spelled == "tcp":
        return "tcp"
    if spelled == "udp":
        return "udp"
    raise refusal(holder, key, path, "TCP or UDP")


def entry(value: Any, path: str) -> dict[str, Any]:
    """Read an object that is a member of a list, or the report itself."""
    if isinstance(value, dict):
        return value
    problem = "is absent" if value is None else f"is {spell(value)}, and not an object"
    raise UnreadableError(path.rstrip("."), problem)


def refusal(holder: dict[str, Any], key: str, path: str, wanted: str) -> UnreadableError:
    """Say of a field that it is absent or empty, or what it is and should not be."""
    value = holder.get(key)
    if value is None or value in ("", []):
        return UnreadableError(path + key, "is absent" if value is None else "is empty")
    return UnreadableError(path + key, f"is {spell(value)}, and not {wanted}")


def folded(value: Any) -> str:
    """Give a word without its case and the blanks around it; nothing for what is no text."""
    return value.strip().casefold() if isinstance(value, str) else ""


def squeezed(name: str) -> str:
    """Give a name without its case and whatever is neither letter nor digit."""
    name = name.replace("_", "")  # all that most names have: what follows takes three times as long
    return (name if name.isalnum() else "".join(filter(str.isalnum, name))).casefold()


def only(holder: dict[str, Any], path: str, keys: frozenset[str]) -> None:
    """Refuse an object that has a field on no list: it may be a known one, misspelled."""
    for key in holder:
        if key not in keys:
            raise UnreadableError(f"{path}{key}", "is no field that Portcullis knows here")


def spell(value: Any) -> str:
    """Spell a value for a person: what is short as it is, the rest by its kind."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return repr(value) if len(repr(value)) <= _LONGEST else repr(value)[:_LONGEST] + "..."
    kind = type(value).__name__
    return _CALLED.get(kind, kind)


def known(value: Any) -> str | UnsetType:
    """Give a text that is not empty, else the mark of what is absent."""
    return value if isinstance(value, str) and value else UNSET


def spoken(value: Any) -> str | None:
    """Give a text that is not empty, else null."""
    return value if isinstance(value, str) and value else None


def loose_object(value: Any) -> dict[str, Any]:
    """Give an object, or an empty one in place of anything else."""
    return value if isinstance(value, dict) else {}


def loose_list(value: Any) -> list[Any]:
    """Give a list, or an empty one in place of anything else."""
    return value if isinstance(value, list) else []


def tag_map(holder: dict[str, Any], key: str, path: str) -> dict[str, str] | None:
    """Read tags kept as an object of texts; null if the report has none at all.

    A value that is no text spoils the report: a prohibition may depend on the very tag that cannot be read.
    """
    tags = holder.get(key)
    if tags is None:
        return None
    if not isinstance(tags, dict):
        raise refusal(holder, key, path, "an object of texts")
    for name, value in tags.items():
        if not isinstance(value, str) or not isinstance(name, str):
            raise UnreadableError(f"{path}{key}.{name}", f"is {spell(value)}, and not a text")
    return tags


def pairs(holder: dict[str, Any], key: str, path: str, called: str = "key") -> dict[str, str] | None:
    """Read a list of `{"key": ..., "value": ...}`, the value optional; null if the report has none at all.

    `called` is what the list calls its keys. As with `tag_map`, one that cannot be read, or stands twice, spoils the
    report.
    """
    if holder.get(key) is None:
        return None
    if not isinstance(holder[key], list):
        raise refusal(holder, key, path, "a list")
    texts: dict[str, str] = {}
    for index, value in enumerate(holder[key]):
        at = f"{path}{key}[{index}]."
        pair = entry(value, at)
        name = text(pair, called, at)
        if name in texts:
            raise UnreadableError(f"{at}{called}", f"is {spell(name)} a second time")
        if not isinstance(pair.get("value", ""), str):
            raise refusal(pair, "value", at, "a text")
        texts[name] = pair.get("value", "")
    return texts


def arn(value: Any) -> Arn | None:
    """Take an ARN apart (`arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`); null if it is none."""
    parts = value.split(":", 5) if isinstance(value, str) else []
    if len(parts) == 6 and parts[0] == "arn" and all(parts[1:]):  # noqa: PLR2004  the six parts named above
        return Arn(parts[2], parts[3], parts[4])
    return None


def instant(value: Any) -> str | None:
    """Read a date in any form that AWS writes, as RFC 3339 in UTC to the second; null if it cannot be read.

    Forms: ISO 8601 (without an offset it is UTC), `Thu Sep 05 13:06:56.334 UTC 2024`, `Mar 20, 2023, 6:08:05 PM`,
    seconds since 1970, and datetimes as boto3 gives them. The names of the months are AWS's, whatever the locale.
    """
    try:
        moment = _moment(value)
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC)
        return f"{moment.isoformat()[:19]}Z"
    except (AttributeError, ValueError, OverflowError, OSError):
        return None


def _moment(value: Any) -> datetime:
    """Read a date; what is none raises one of several errors."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    match value.split():
        case [_, month, day, clock, "UTC", year]:
            return _put_together(year, month, day, clock)
        case [month, day, year, clock, "AM" | "PM" as half]:
            hour, _, rest = clock.partition(":")
            clock = f"{int(hour) % 12 + 12 * (half == 'PM')}:{rest}"
            return _put_together(year.rstrip(","), month, day.rstrip(","), clock)
    return datetime.fromisoformat(value)


def _put_together(year: str, month: str, day: str, clock: str) -> datetime:
    """Make a datetime of its words."""
    hour, minute, second = clock.split(":")
    at = (int(hour), int(minute), int(second.partition(".")[0]))
    return datetime(int(year), _MONTHS.index(month) + 1, int(day), *at, tzinfo=UTC)
