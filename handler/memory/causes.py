"""One cause, one message: what is told once for all servers behind the same rules, and ends with the last of them.

A cause is an item of its own, written on its own condition. A server is a member of it before it counts as told, and
leaves it before its closing is told.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from handler.memory.parts import Part, inside, outside, united
from handler.memory.state import Cause, Pending
from handler.memory.store import Key, Table

Parts = tuple[Part, ...]


class Causes(Struct, frozen=True, kw_only=True):
    """The causes in the table, for one invocation: its `token`, its time, and the `deadline` of what it tells."""

    table: Table
    token: str
    at: str
    deadline: str
    retention: timedelta

    def count(self, opened: Mapping[Key, Parts]) -> dict[Key, Parts]:
        """Make members of the servers whose news is within what is told for others; return what counts as told."""
        wanted: dict[Key, dict[Key, Parts]] = {}
        for key, parts in opened.items():
            for cause, of_cause in by_cause(parts).items():
                wanted.setdefault(_key(key, cause), {})[key] = of_cause
        counted: dict[Key, Parts] = {}
        rows = self.table.read(wanted, self.at)
        for cause_key, by_server in wanted.items():
            if isinstance(rows[cause_key].item, Cause):
                joined = self.table.update(
                    cause_key,
                    rows[cause_key],
                    self.at,
                    partial(_with_counted, by_server=by_server),
                    keep=self._keep,
                )
                for key, parts in by_server.items():
                    counted[key] = (*counted.get(key, ()), *inside(parts, (joined or Cause()).others(key[1])))
        return counted

    def leave(self, closed: Mapping[Key, Parts], told: Mapping[Key, Parts]) -> dict[Key, tuple[Parts, int]]:
        """Take what has closed on servers from its causes; return what of it no other server has, which is to be told.

        `told` is what goes on: of a wide source that has closed, the narrower ones. What has no cause is to be told as
        it is. Beside it, for the last server of a cause, how many have left before.
        """
        ended = {key: (tuple(part for part in parts if not part.cause), 0) for key, parts in closed.items()}
        by_key: dict[Key, dict[Key, Parts]] = {}
        for key, parts in closed.items():
            for cause, of_cause in by_cause(parts).items():
                by_key.setdefault(_key(key, cause), {})[key] = of_cause
        rows = self.table.read(by_key, self.at) if by_key else {}
        for cause_key, by_server in by_key.items():
            last: dict[Key, tuple[Parts, int]] = {}
            step = partial(self._left, by_server=by_server, told=told, last=last)
            self.table.update(cause_key, rows[cause_key], self.at, step, keep=self._keep)
            for key, (parts, number) in last.items():
                ended[key] = united((*ended[key][0], *parts)), max(ended[key][1], number)
        return ended

    def _left(
        self,
        item: Cause | None,
        by_server: Mapping[Key, Parts],
        told: Mapping[Key, Parts],
        last: dict[Key, tuple[Parts, int]],
    ) -> Cause:
        """Let servers leave one after the other; put into `last` what each was the last to have."""
        cause = item or Cause()
        running = [ending for ending in cause.ending if ending.token != self.token and ending.is_running(self.at)]
        told_elsewhere = [part for ending in running for part in ending.closed]
        last.clear()
        for key, closed in by_server.items():
            server = key[1]
            still = by_cause(told.get(key, ())).get(closed[0].cause, ())
            members = _filled({**cause.members, server: _without(cause.members.get(server, ()), closed, still)})
            counted = cause.counted.get(server, ())
            unnamed = outside(_without(counted, closed, still), _named(cause.members.get(server, ()), counted))
            others = [part for parts in members.values() for part in parts] if server in cause.members else []
            ended = outside(closed, [*others, *told_elsewhere])
            if ended:
                last[key] = ended, 0 if members else cause.gone
            left = server in cause.members and server not in members and bool(members)
            cause = replace(
                cause,
                members=members,
                counted=_filled({**cause.counted, server: unnamed}),
                gone=cause.gone + left,
            )
        mine = united(part for parts, _ in last.values() for part in parts)
        ending = Pending(token=self.token, deadline=self.deadline, kind="closed", closed=mine)
        return replace(cause, ending=(*running, ending) if mine else tuple(running))

    def settle(self, told: Iterable[tuple[Key, Parts, Parts]]) -> None:
        """Make members of the servers for which something was told as opened, and end what was told as closed."""
        changes: dict[Key, dict[str, Parts]] = {}
        for key, opened, closed in told:
            for cause in by_cause(closed):
                changes.setdefault(_key(key, cause), {})
            for cause, parts in by_cause(opened).items():
                changes.setdefault(_key(key, cause), {})[key[1]] = parts
        rows = self.table.read(changes, self.at) if changes else {}
        for cause_key, by_server in changes.items():
            self.table.update(
                cause_key,
                rows[cause_key],
                self.at,
                partial(self._settled, by_server=by_server),
                keep=self._keep,
            )

    def _settled(self, item: Cause | None, by_server: Mapping[str, Parts]) -> Cause:
        cause = item or Cause()
        joined = {name: united((*cause.members.get(name, ()), *parts)) for name, parts in by_server.items()}
        ending = tuple(pending for pending in cause.ending if pending.token != self.token)
        gone = cause.gone if cause.members or not joined else 0
        counted = _filled({name: outside(parts, by_server.get(name, ())) for name, parts in cause.counted.items()})
        return replace(cause, members={**cause.members, **joined}, counted=counted, ending=ending, gone=gone)

    def _keep(self, cause: Cause) -> timedelta | None:
        return None if cause.members or cause.ending else self.retention


def by_cause(parts: Iterable[Part]) -> dict[str, Parts]:
    """Return the parts of each cause; those without one are left out."""
    parts_by_cause: dict[str, Parts] = {}
    for part in parts:
        if part.cause:
            parts_by_cause[part.cause] = (*parts_by_cause.get(part.cause, ()), part)
    return parts_by_cause


def _key(server: Key, cause: str) -> Key:
    return (server[0], f"cause#{cause}")


def _filled(parts: Mapping[str, Parts]) -> dict[str, Parts]:
    """Return the servers of which there are parts."""
    return {server: of_server for server, of_server in parts.items() if of_server}


def _named(parts: Parts, counted: Parts) -> Parts:
    """Return the parts of a member that a message has named, be they held by a wider one that is counted."""
    return united(
        rest for part in parts for rest in outside([part], [by for by in counted if by.source == part.source])
    )


def _without(parts: Parts, closed: Parts, told: Parts) -> Parts:
    """Return parts without what has closed, and with the narrower ones among them that are still told."""
    return united((*outside(parts, closed), *inside(told, parts)))


def _with_counted(item: Cause | None, by_server: Mapping[Key, Parts]) -> Cause:
    """Make members of the servers whose parts are within what is told for others."""
    cause = item or Cause()
    for key, parts in by_server.items():
        within = inside(parts, cause.others(key[1]))
        if joined := outside(within, cause.members.get(key[1], ())):
            members = {**cause.members, key[1]: united((*cause.members.get(key[1], ()), *within))}
            counted = {**cause.counted, key[1]: united((*cause.counted.get(key[1], ()), *joined))}
            cause = replace(cause, members=members, counted=counted)
    return cause
