"""What is told once a day: what is still open, what was counted as told by its cause, and what has come to rest."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from handler.memory.news import Rules, has_settled
from handler.memory.state import Cause, Server, later
from handler.memory.store import Key, Row, Table


class Daily(Struct, frozen=True, kw_only=True):
    """The day's digest: servers that are still open, and the causes behind which servers were counted as told.

    `settled` are the servers that have stopped flapping, each told in a message about closings. `strays` are, by cause,
    members of which nothing is told: a function has died, or a server's item was lost, before they could leave.
    """

    reminders: Mapping[Key, Server] = {}
    causes: Mapping[Key, Cause] = {}
    settled: Mapping[Key, Server] = {}
    strays: Mapping[Key, frozenset[str]] = {}

    def __bool__(self) -> bool:
        return bool(self.reminders or self.causes)


def gather(rows: Iterable[tuple[Key, Row]], at: str, rules: Rules, remind: timedelta | None) -> Daily:
    """Return what there is to tell today of all that is remembered; with `remind`, of what is open for so long."""
    reminders, settled = {}, {}
    every_cause: dict[Key, Cause] = {}
    telling: set[Key] = set()
    for key, row in rows:
        match row.item:
            case Cause() as cause:
                every_cause[key] = cause
            case Server() as server:
                if has_settled(server, at, rules):
                    settled[key] = server
                if remind and server.told and at >= later(server.reminded or server.since or at, remind):
                    reminders[key] = server
                if server.told or server.pending:
                    telling.add(key)
    strays = {
        key: frozenset(name for name in cause.members if (key[0], name) not in telling)
        for key, cause in every_cause.items()
    }
    return Daily(
        reminders=reminders,
        causes={key: cause for key, cause in every_cause.items() if cause.counted.keys() - strays[key]},
        settled=settled,
        strays={key: names for key, names in strays.items() if names},
    )


def mark(table: Table, daily: Daily, at: str, retention: timedelta) -> None:
    """Remember what the digest has told, and take strays from their causes."""

    def reminded(server: Server | None) -> Server | None:
        return replace(server, reminded=at) if server is not None else None

    causes = {*daily.causes, *daily.strays}
    rows = table.read([*daily.reminders, *causes], at)
    for key in daily.reminders:
        table.update(key, rows[key], at, reminded)
    for key in causes:
        told, strays = daily.causes.get(key, Cause()).counted, daily.strays.get(key, frozenset())
        step = partial(_uncounted, told=frozenset(told), strays=strays)
        table.update(key, rows[key], at, step, keep=lambda cause: None if cause.members else retention)


def _uncounted(cause: Cause | None, told: frozenset[str], strays: frozenset[str]) -> Cause | None:
    if cause is None:
        return None
    counted = {name: known for name, known in cause.counted.items() if name not in told | strays}
    members = {name: parts for name, parts in cause.members.items() if name not in strays}
    return replace(cause, counted=counted, members=members)
