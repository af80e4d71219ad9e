"""The mail of the day: what is still open, which servers joined what was told before, and what of that has closed."""

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from handler.alert import policies, unjudged
from handler.alert.attributes import UNASSIGNED, Row
from handler.alert.case import SEVERITIES
from handler.alert.content import Carried
from handler.alert.story import data, duration, listed
from handler.alert.text import Room, count, first, footer, quoted, short, wrapped
from handler.alert.text import time as spelled
from handler.memory.comparison import Entry
from handler.memory.daily import Daily, Ended
from handler.memory.news import News
from handler.memory.parts import Part, united
from handler.memory.state import Cause, Server
from handler.memory.store import Key
from handler.outcome import Engine
from handler.settings import Settings

_JOINED = "They have the tags of a server that was told, the same rule opens the same or less: no alert of their own."
_CLOSED = "What was open through a rule you were told about. The function could not tell it at the time."
_STATES = ("closed", "counted", "still_open")
"""What is owed comes before what is repeated."""


class _Item(Struct, frozen=True, kw_only=True):
    """Something that the digest is about: a server, by itself or behind a cause, or a cause that has ended."""

    state: str
    key: Key
    server: Server
    parts: tuple[Part, ...]
    cause: Key | None = None

    @property
    def name(self) -> tuple[str, Key, Key | None]:
        """What tells it apart: a server may be behind several causes, and still open too."""
        return (self.state, self.key, self.cause)


def news(daily: Daily, at: str) -> list[dict[str, Any]]:
    """Return what the JSON says of each, the worst first: as `story.data`, with the `state` and the key of the `cause`.

    `state` is `still_open`, `counted`, or `closed` for a cause that has ended, where `server` is one of its last.
    """
    return [_entry(item, at) for item in _items(daily)]


def named(daily: Daily, at: str, entries: Iterable[dict[str, Any]]) -> Daily:
    """Return the part of the digest that is among such entries; the strays of what is not stay where they are."""
    said = {_name(entry) for entry in entries}
    names = {item.name for item in _items(daily) if _name(_entry(item, at)) in said}
    causes = {
        key: replace(
            cause,
            counted={name: known for name, known in cause.counted.items() if ("counted", (key[0], name), key) in names},
        )
        for key, cause in daily.causes.items()
    }
    ended = {key: end for key, end in daily.ended.items() if ("closed", (key[0], end.members[0]), key) in names}
    return replace(
        daily,
        reminders={key: server for key, server in daily.reminders.items() if ("still_open", key, None) in names},
        causes={key: cause for key, cause in causes.items() if cause.counted},
        ended=ended,
        strays={key: strays for key, strays in daily.strays.items() if key in ended or key not in daily.ended},
    )


def rows(daily: Daily, settings: Settings) -> list[Row]:
    """Return the attributes of what the digest is about."""
    servers = [
        (
            item.server.account,
            item.server.region,
            _severity_of(item.parts),
            item.server.id,
            "digest",
            item.server.team or policies.team(settings.policies_path, item.server.account) or UNASSIGNED,
        )
        for item in _items(daily)
    ]
    return [*servers, *unjudged.rows(daily.notices, settings)]


def severity(server: Server) -> str:
    """Return the worst severity of what was told of a server and is open."""
    return _severity_of(server.told)


def subject(daily: Daily) -> str:
    """Say how much is open, and how much has closed; in few words where it is several things."""
    joined = sum(len(cause.counted) for cause in daily.causes.values())
    ended = sum(end.number for end in daily.ended.values())
    still = [f"{count(len(daily.reminders), 'server is', 'servers are')} still open"] if daily.reminders else []
    whose = "a rule" if len(daily.causes) == 1 else "rules"
    more = [f"{count(joined, 'more server', 'more servers')} opened by {whose} you were told about"] if joined else []
    closed = [f"{count(ended, 'server behind a rule has', 'servers behind a rule have')} closed"] if ended else []
    again = unjudged.subject(daily.notices)[:1]
    if len([*still, *more, *closed, *again]) > 1:
        still = [f"{len(daily.reminders)} still open"] if daily.reminders else []
        more = [f"{joined} by known rules"] if joined else []
        closed = [f"{ended} closed"] if ended else []
        again = unjudged.subject(daily.notices)[1:]
    return f"[digest] {', '.join([*still, *more, *closed, *again])}, {_where(daily)}"


def body(daily: Daily, at: str, settings: Settings, engine: Engine, room: Room) -> str:
    """Write the mail, the worst first."""
    still = first(_worst_first(daily), room.entries, lambda server: "\n".join(_still(server, at, settings, room)))
    joined = first(_worst_causes(daily), room.entries, lambda pair: "\n".join(_joined(daily, *pair, settings, room)))
    ended = first(_worst_ended(daily), room.entries, lambda pair: "\n".join(_closed(daily, *pair, settings, room)))
    again = unjudged.section(daily.notices, settings, room)
    sections = [
        "\n".join(["STILL OPEN, AND TOLD BEFORE", *still]) if still else "",
        "\n".join(["MORE SERVERS OPENED BY RULES YOU WERE TOLD ABOUT", *wrapped(_JOINED), *joined]) if joined else "",
        "\n".join(["CLOSED", *wrapped(_CLOSED), *ended]) if ended else "",
        "\n".join(["COULD NOT BE JUDGED, AND CAME AGAIN", *again]) if again else "",
        "\n".join(footer(engine, [at])),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def closing(carried: Carried, left_out: dict[str, int]) -> str:
    """Say what comes again because the JSON had no room for it; where less is left out it is never longer."""
    left = left_out.get("news", len(carried.news))
    again = f"{left} of {len(carried.news)} did not fit into the JSON of this message: the next digest has them again."
    return "\n" + "\n".join(wrapped(again)) + "\n" if left else ""


def summary(daily: Daily) -> list[str]:
    """Say each in a line."""
    still = [f"{severity(server)}: {who(server, 100)}: {listed(server.told)}" for server in _worst_first(daily)]
    joined = [
        f"{_severity_of(_parts(cause))}: {', '.join(_names(daily, key, cause))}: {listed(_parts(cause))}"
        for key, cause in _worst_causes(daily)
    ]
    ended = [f"closed: {_all_closed(end)}: {listed(end.parts)}" for _, end in _worst_ended(daily)]
    return [*still, *joined, *ended, *unjudged.summary(daily.notices)]


def _items(daily: Daily) -> list[_Item]:
    """Return what the digest is about, the worst first."""
    items = [
        _Item(state="still_open", key=key, server=server, parts=server.told) for key, server in daily.reminders.items()
    ]
    for cause_key, cause in daily.causes.items():
        for name, parts in cause.counted.items():
            key = (cause_key[0], name)
            items.append(_Item(state="counted", key=key, server=_member(daily, key), parts=parts, cause=cause_key))
    for cause_key, end in daily.ended.items():
        key = (cause_key[0], end.members[0])
        items.append(_Item(state="closed", key=key, server=_member(daily, key), parts=end.parts, cause=cause_key))
    return sorted(
        items, key=lambda item: (rank(item.parts), _STATES.index(item.state), item.server.told_since(item.parts) or "")
    )


def _member(daily: Daily, key: Key) -> Server:
    """Return what is remembered of a member of a cause, or what its keys say where its item was lost."""
    account, region = key[0].split("#", 1)
    _, kind, server = key[1].split("#", 2)
    return daily.members.get(key) or Server(kind=kind, id=server, account=account, region=region)


def _entry(item: _Item, at: str) -> dict[str, Any]:
    closed = item.state == "closed"
    said = News(kind="closed", closed=item.parts) if closed else News(kind="new", opened=item.parts)
    entry = Entry(key=item.key, at=at, server=item.server, news=said, closed=said.closed)
    cause = item.cause[1].removeprefix("cause#") if item.cause else ""
    return {**data(entry), "state": item.state, "cause": cause}


def _name(entry: dict[str, Any]) -> tuple[str, ...]:
    """Return what names an entry: one episode may be behind several causes."""
    return (entry["state"], entry["episode"], entry["cause"])


def _where(daily: Daily) -> str:
    accounts = {
        partition.split("#", 1)[0] for partition, _ in (*daily.reminders, *daily.causes, *daily.ended, *daily.notices)
    }
    return f"account {accounts.pop()}" if len(accounts) == 1 else f"{len(accounts)} accounts"


def _worst_first(daily: Daily) -> list[Server]:
    return sorted(
        daily.reminders.values(), key=lambda server: (rank(server.told), server.told_since(server.told) or "")
    )


def _worst_causes(daily: Daily) -> list[tuple[Key, Cause]]:
    return sorted(daily.causes.items(), key=lambda pair: (rank(_parts(pair[1])), -len(pair[1].counted)))


def _worst_ended(daily: Daily) -> list[tuple[Key, Ended]]:
    return sorted(daily.ended.items(), key=lambda pair: rank(pair[1].parts))


def _still(server: Server, at: str, settings: Settings, room: Room) -> list[str]:
    since = server.told_since(server.told) or at
    account = short(policies.account(settings.policies_path, server.account), room.characters)
    return [
        *wrapped(f"{severity(server).upper()}  {who(server, room.characters)}: {listed(server.told)}", hanging="    "),
        *wrapped(f"open for {duration(since, at)}, told {spelled(since)}; {account}, {server.region}", "    "),
    ]


def _joined(daily: Daily, key: Key, cause: Cause, settings: Settings, room: Room) -> list[str]:
    names = ", ".join(first([short(name, room.characters) for name in _names(daily, key, cause)], room.entries))
    servers = count(len(cause.counted), "server", "servers")
    return [
        *wrapped(f"{_severity_of(_parts(cause)).upper()}  {listed(_parts(cause))}", hanging="    "),
        *wrapped(f"{servers} in {place(key, settings, room)}: {names}", "    "),
    ]


def _closed(daily: Daily, key: Key, end: Ended, settings: Settings, room: Room) -> list[str]:
    last = [who(_member(daily, (key[0], name)), room.characters) for name in end.members]
    return [
        *wrapped(f"{_severity_of(end.parts).upper()}  {listed(end.parts)}: {_all_closed(end)}", hanging="    "),
        *wrapped(f"in {place(key, settings, room)}, the last: {', '.join(first(last, room.entries))}", "    "),
    ]


def _all_closed(end: Ended) -> str:
    servers = f"all {end.number} servers have closed" if end.number > 1 else "its one server has closed"
    return f"{servers}, or the memory has lost them" if end.lost else servers


def place(key: Key, settings: Settings, room: Room) -> str:
    """Name the account and the Region of a key."""
    account, region = key[0].split("#", 1)
    return f"{short(policies.account(settings.policies_path, account), room.characters)}, {region}"


def _names(daily: Daily, key: Key, cause: Cause) -> list[str]:
    """Name the servers that are counted."""
    servers = [_member(daily, (key[0], name)) for name in cause.counted]
    return [f"{server.name} ({server.id})" if server.name else server.id for server in servers]


def _parts(cause: Cause) -> tuple[Part, ...]:
    return united(part for parts in cause.counted.values() for part in parts)


def _severity_of(parts: Sequence[Part]) -> str:
    return SEVERITIES[rank(parts)]


def rank(parts: Sequence[Part]) -> int:
    """Return the place of the worst severity of parts among all."""
    return min((SEVERITIES.index(part.severity) for part in parts), default=len(SEVERITIES) - 1)


def who(server: Server, characters: int) -> str:
    """Name a server that is remembered, with its id."""
    return f"{quoted(server.name, characters)} ({server.id})" if server.name else quoted(server.id, characters)
