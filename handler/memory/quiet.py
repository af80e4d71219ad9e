"""What a function that only observes (`MODE=observe`) has seen and nobody was told: one digest a day names it."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from msgspec import Struct
from msgspec.structs import replace

from handler.memory import news
from handler.memory.comparison import Entry
from handler.memory.flapping import Rules
from handler.memory.notices import is_of_undecidable
from handler.memory.state import Notice, Server, later
from handler.memory.store import Key, Row

_DAY = len("2026-11-24")


class Quiet(Struct, frozen=True, kw_only=True):
    """The digest of a function that only observes: what has opened and closed, by server.

    `unjudged` are the notices of what could not be judged the day before.
    """

    entries: tuple[Entry, ...] = ()
    unjudged: Mapping[Key, Notice] = {}

    def __bool__(self) -> bool:
        return bool(self.unjudged) or any(entry.tells for entry in self.entries)


def gather(rows: Iterable[tuple[Key, Row]], at: str, token: str, rules: Rules) -> Quiet:
    """Return what is remembered as open and denied and was not told, and what was told and has closed."""
    entries = []
    unjudged: dict[Key, Notice] = {}
    yesterday = later(at, -timedelta(days=1))[:_DAY]
    for key, row in rows:
        match row.item:
            case Server() as server:
                found = news.compare(server, server, at, token=token, rules=rules)
                if found.opened or found.closed:
                    found = replace(found, kind="observed", flapped=())
                    entries.append(Entry(key=key, at=at, server=server, news=found, closed=found.closed))
            case Notice(told=False) as notice if is_of_undecidable(key, yesterday):
                unjudged[key] = notice
    return Quiet(entries=tuple(entries), unjudged=unjudged)
