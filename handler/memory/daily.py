"""What is told once a day: what is still open, what was counted as told by its cause, and what has come to rest."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from msgspec import Struct
from msgspec.structs import replace

from handler.memory.news import Rules, has_settled
from handler.memory.state import Cause, Server, later
from handler.memory.store import Key, Row, Table


class Daily(Struct, frozen=True, kw_only=True):
    """The day's digest: servers that are still open, and the causes behind which servers were counted as told.

    `settled` are the servers that have stopped flapping, each told in a message about closings.
    """

    reminders: Mapping[Key, Server] = {}
    causes: Mapping[Key, Cause] = {}
    settled: Mapping[Key, Server] = {}

    def __bool__(self) -> bool:
        return bool(self.reminders or self.causes)


def gather(rows: Iterable[tuple[Key, Row]], at: str, rules: Rules, remind: timedelta | None) -> Daily:
    """Return what there is to tell today of all that is remembered; with `remind`, of what is open for so long."""
    reminders, causes, settled = {}, {}, {}
    for key, row in rows:
        match row.item:
            case Cause(counted=counted) as cause if counted:
                causes[key] = cause
            case Server() as server:
                if has_settled(server, at, rules):
                    settled[key] = server
                if remind and server.told and at >= later(server.reminded or server.since or at, remind):
                    reminders[key] = server
    return Daily(reminders=reminders, causes=causes, settled=settled)


def mark(table: Table, daily: Daily, at: str, retention: timedelta) -> None:
    """Remember what the digest has told."""

    def reminded(server: Server | None) -> Server | None:
        return replace(server, reminded=at) if server is not None else None

    rows = table.read([*daily.reminders, *daily.causes], at)
    for key in daily.reminders:
        table.update(key, rows[key], at, reminded)
    for key, told in daily.causes.items():
        named = set(told.counted)

        def uncounted(cause: Cause | None, named: set[str] = named) -> Cause | None:
            if cause is None:
                return None
            return replace(cause, counted={name: known for name, known in cause.counted.items() if name not in named})

        table.update(key, rows[key], at, uncounted, keep=lambda cause: None if cause.members else retention)
