"""Which allowances nothing is open by, and since when: their owners may remove what nobody needs.

The table has the day by id of those alone by which nothing is open, so that what is in use costs no write. Every sweep
takes what it has seen in use for in use on that day; the first of a day that has seen everything looks for the rest.
"""

from collections.abc import Iterable
from datetime import timedelta

import msgspec
from msgspec import Raw, Struct

from handler import readings
from handler.alert.notices import Noticed
from handler.bundle import Folder
from handler.memory.state import Server, Unused, later
from handler.memory.store import Key, Table
from handler.outcome import Outcome

_KEY: Key = ("all", "unused#allowances")
_DAY = len("2026-11-24")


class _Allowance(Struct, frozen=True):
    """What the register has of an allowance for people."""

    owner: str
    reason: str
    expires: str


class _Register(Struct, frozen=True):
    allowance: dict[str, tuple[_Allowance, Raw, Raw]]


def allowing(outcomes: Iterable[Outcome]) -> set[str]:
    """Return the allowances by which something is open."""
    decisions = [outcome.decision for outcome in outcomes if outcome.decision is not None]
    return {name for decision in decisions for entry in decision.allowed for name in entry.by}


def remember_used(table: Table, used: set[str], at: str) -> None:
    """Remember of allowances that were not in use that they are."""

    def step(item: Unused | None) -> Unused | None:
        return item and Unused(since={name: at[:_DAY] if name in used else day for name, day in item.since.items()})

    table.update(_KEY, table.read([_KEY], at)[_KEY], at, step)


def look(table: Table, policies: str, at: str, days: int, until: float) -> list[Noticed]:
    """Return the allowances of a folder by which nothing was open for so many days.

    One that is new counts from today, and one that the register does not list is not known: without a register nothing
    is. `until` is a time of `time.monotonic()`. Raises `MemoryUnavailableError`.
    """
    register = readings.read(Folder(policies))
    if not register:
        return []
    allowances = msgspec.json.decode(register, type=_Register).allowance
    used = {name for _, row in table.scan(at, ["server"], until) for name in _needed(row.item)}

    def step(item: Unused | None) -> Unused:
        known = item.since if item is not None else {}
        return Unused(since={name: known.get(name, at[:_DAY]) for name in allowances if name not in used})

    unused = table.update(_KEY, table.read([_KEY], at)[_KEY], at, step) or Unused()
    last = later(at, -timedelta(days=days))[:_DAY]
    return [_noticed(name, allowances[name][0], day, at) for name, day in unused.since.items() if day <= last]


def _needed(item: Struct | None) -> set[str]:
    """Return the allowances by which something is open on a server."""
    parts = [part for claim in item.open for part in claim.parts] if isinstance(item, Server) else []
    return {name for part in parts if not part.denied for name in part.by}


def _noticed(name: str, allowance: _Allowance, since: str, at: str) -> Noticed:
    ended = f" and ended on {allowance.expires}" if allowance.expires < at[:_DAY] else ""
    text = (
        f"{name} of {allowance.owner} has allowed nothing since {since}{ended}: remove it, or leave it if it is still "
        f"to allow something. Its reason: {allowance.reason}"
    )
    return Noticed(kind="unused", name=f"{name} {since}", text=text, team=allowance.owner)
