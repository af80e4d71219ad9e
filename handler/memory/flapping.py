"""What changes too often: that is told once, and it is held back until it has been quiet. Pure, and without a clock."""

from collections.abc import Iterable
from datetime import timedelta

from msgspec import Struct
from msgspec.structs import replace

from handler.memory.parts import Part, bare, holds, inside, outside, pieces, united
from handler.memory.state import Change, Server, later

_CHANGES = 100
"""Of a server, the changes that are kept: the last ones."""


class Rules(Struct, frozen=True, kw_only=True):
    """When openings and closings are held back: after more than so many changes of one exposure in a window."""

    changes: int = 6
    window: timedelta = timedelta(hours=24)


def too_often(server: Server, parts: Iterable[Part], at: str, rules: Rules) -> tuple[Part, ...]:
    """Return the ports of each part at which all of its source has changed too often lately."""
    parts = tuple(parts)
    if not parts:
        return ()
    changed: list[tuple[Part, ...]] = [bare(parts), *[()] * rules.changes]  # by how often it has, at least
    for number, change in enumerate(_recent(server, at, rules), start=1):
        for times in range(min(number, rules.changes), 0, -1):
            changed[times] = united((*changed[times], *inside(changed[times - 1], change.parts)))
    return changed[-1]


def at_rest(server: Server, at: str, rules: Rules) -> tuple[Part, ...]:
    """Return what has flapped, and been quiet for a whole window."""
    if not server.flapped:
        return ()
    changed = [part for change in _recent(server, at, rules) for part in change.parts]
    return united(piece for piece, sources in pieces(server.flapped, changed) if not _touch(piece.source, sources))


def touch(before: Server, server: Server, at: str, rules: Rules) -> Server:
    """Return the server with the change that is held back, if one is, and without changes that are too old."""
    if before == server:
        return server
    changes = _recent(server, at, rules)
    held = outside(server.flapped, at_rest(server, at, rules))
    if changed := (*_gone(before.denied, server.denied, held), *_gone(server.denied, before.denied, held)):
        changes.append(Change(at, bare(changed)))
    return replace(server, changes=tuple(changes[-_CHANGES:]))


def _gone(old: tuple[Part, ...], new: tuple[Part, ...], held: tuple[Part, ...]) -> tuple[Part, ...]:
    """Return what was in the old parts and is not in the new ones: of what is held back, and of what lies in it."""
    return (*outside(inside(held, old), new), *inside(outside(old, new), held))


def _recent(server: Server, at: str, rules: Rules) -> list[Change]:
    """Return the changes that lie in the window; one of a clock that was ahead does not."""
    return [change for change in server.changes if change.at <= at < later(change.at, rules.window)]


def _touch(source: str, sources: frozenset[str]) -> bool:
    """Return whether a source lies in others, or one of them in it."""
    return holds(sources, source) or any(holds(frozenset({source}), other) for other in sources)
