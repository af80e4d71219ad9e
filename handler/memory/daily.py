"""What is told once a day: what is still open, what was counted as told by its cause, and what has come to rest."""

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from handler.memory.flapping import Rules, at_rest
from handler.memory.parts import Part, outside, united
from handler.memory.state import Cause, Notice, Server, later
from handler.memory.store import Key, Row, Table


class Ended(Struct, frozen=True, kw_only=True):
    """A cause whose last members turned out to be strays, so that nobody has told its closing.

    `parts` is what it opened on them, `members` are their sort keys. `number` is how many servers it opened in all.
    `lost` is whether one of them is remembered no more, so that its closing is not certain.
    """

    parts: tuple[Part, ...]
    members: tuple[str, ...]
    number: int
    lost: bool


class Daily(Struct, frozen=True, kw_only=True):
    """The day's digest: servers that are still open, and the causes behind which servers were counted as told.

    `settled` are the servers that have stopped flapping, each told in a message about closings. `strays` are, by cause,
    members of which nothing is told: a function has died, or a server's item was lost, before they could leave. `ended`
    are the causes that have no other members. `members` is what is remembered of the counted servers and the strays.
    `notices` are the reports that could not be judged, were told once on an earlier day and came again on it.
    """

    reminders: Mapping[Key, Server] = {}
    causes: Mapping[Key, Cause] = {}
    ended: Mapping[Key, Ended] = {}
    members: Mapping[Key, Server] = {}
    settled: Mapping[Key, Server] = {}
    strays: Mapping[Key, frozenset[str]] = {}
    notices: Mapping[Key, Notice] = {}

    def __bool__(self) -> bool:
        return bool(self.reminders or self.causes or self.ended or self.notices)


def gather(rows: Iterable[tuple[Key, Row]], at: str, rules: Rules, remind: timedelta | None) -> Daily:
    """Return what there is to tell today of all that is remembered; with `remind`, of what is open for so long."""
    today = f"#{at[: len('2026-11-24')]}"
    reminders, settled = {}, {}
    every_cause: dict[Key, Cause] = {}
    known: dict[Key, Server] = {}
    telling: set[Key] = set()
    notices: dict[Key, Notice] = {}
    for key, row in rows:
        match row.item:
            case Cause() as cause:
                every_cause[key] = cause
            case Notice(told=True, shape=shape) as notice if shape and notice.count > 1 and not key[1].endswith(today):
                notices[key] = notice
            case Server() as server:
                known[key] = replace(server, claims={}, changes=())
                if at_rest(server, at, rules):
                    settled[key] = server
                if (
                    remind
                    and server.told
                    and at >= later(server.reminded or server.told_since(server.told) or at, remind)
                ):
                    reminders[key] = server
                if server.told or server.pending or server.overdue:
                    telling.add(key)
    strays = {key: _strays(key, cause, telling, at) for key, cause in every_cause.items()}
    ended = {
        key: _ended(key, cause, known)
        for key, cause in every_cause.items()
        if cause.members
        and cause.members.keys() == strays[key]
        and (cause.gone or cause.members.keys() - cause.counted)
    }
    causes = {key: _without(cause, strays[key]) for key, cause in every_cause.items()}
    members = {(key[0], name) for key, cause in every_cause.items() for name in {*cause.counted, *strays[key]}}
    return Daily(
        reminders=reminders,
        causes={key: cause for key, cause in causes.items() if cause.counted},
        ended=ended,
        members={key: server for key, server in known.items() if key in members},
        settled=settled,
        strays={key: names for key, names in strays.items() if names},
        notices=notices,
    )


def mark(  # noqa: PLR0913  what it takes to write servers and causes
    table: Table,
    daily: Daily,
    at: str,
    *,
    retention: timedelta,
    each: Callable[[Iterable[Key], Callable[[Key], None]], Any],
    until: float,
) -> None:
    """Remember what the digest has told, take strays from their causes, and delete the notices of earlier days.

    `each` does something with all keys at once. `until` is a time of `time.monotonic()` after which nothing more is
    written: that is told again the next day.
    """
    causes = {*daily.causes, *daily.strays}
    rows = table.read([*causes, *daily.reminders, *daily.notices], at)

    def write(key: Key) -> None:
        if time.monotonic() >= until:
            return
        if key in daily.notices:
            table.delete(key)
            return
        if key not in causes:
            table.update(key, rows[key], at, partial(_reminded, at=at))
            return
        named, strays = daily.causes.get(key, Cause()).counted, daily.strays.get(key, frozenset())
        step = partial(_uncounted, named=named, strays=strays)
        table.update(key, rows[key], at, step, keep=lambda cause: None if cause.members or cause.ending else retention)

    each(rows, write)


def _strays(key: Key, cause: Cause, telling: set[Key], at: str) -> frozenset[str]:
    """Return the members of which nothing is told; none while somebody is about to tell a closing of the cause."""
    if any(pending.is_running(at) for pending in cause.ending):
        return frozenset()
    return frozenset(name for name in cause.members if (key[0], name) not in telling)


def _ended(key: Key, cause: Cause, known: Mapping[Key, Server]) -> Ended:
    return Ended(
        parts=united(part for parts in cause.members.values() for part in parts),
        members=tuple(sorted(cause.members)),
        number=cause.gone + len(cause.members),
        lost=any((key[0], name) not in known for name in cause.members),
    )


def _reminded(server: Server | None, at: str) -> Server | None:
    """Return the server as reminded; one that has closed meanwhile as it is, so that it still expires."""
    return replace(server, reminded=at) if server is not None and server.told else server


def _uncounted(cause: Cause | None, named: Mapping[str, tuple[Part, ...]], strays: frozenset[str]) -> Cause | None:
    """Return the cause without strays, and without what was named."""
    if cause is None:
        return None
    members = {server: parts for server, parts in cause.members.items() if server not in strays}
    gone = cause.gone + (len(cause.members) - len(members) if members else 0)
    unnamed = {server: outside(cause.counted.get(server, ()), named.get(server, ())) for server in members}
    counted = {server: parts for server, parts in unnamed.items() if parts}
    return replace(cause, members=members, counted=counted, gone=gone)


def _without(cause: Cause, named: frozenset[str]) -> Cause:
    """Return the cause with fewer counted servers."""
    return replace(cause, counted={name: known for name, known in cause.counted.items() if name not in named})
