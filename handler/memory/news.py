"""What is news: what is denied now, minus what has been told and is still open. Pure, and without a clock."""

from collections.abc import Iterable
from datetime import timedelta

from msgspec import Struct
from msgspec.structs import replace

from handler.finding import UNKNOWN
from handler.memory.parts import Part, common, ended, inside, outside, read_since, united
from handler.memory.state import Change, Episode, Kind, Pending, Server, later

_MESSAGES = 20
"""Of an episode, the ids that are kept: the first ones."""

_CHANGES = 100
"""Of a server, the changes that are kept: the last ones."""


class Rules(Struct, frozen=True, kw_only=True):
    """When openings and closings are held back: after more than so many changes of one exposure in a window."""

    changes: int = 6
    window: timedelta = timedelta(hours=24)


class News(Struct, frozen=True, kw_only=True):
    """What is to be told of a server: what has opened, what has closed, and what was told before and is still open."""

    kind: Kind
    opened: tuple[Part, ...] = ()
    closed: tuple[Part, ...] = ()
    before: tuple[Part, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.opened or self.closed or self.kind in {"flapping", "settled"})


def compare(  # noqa: PLR0913  what a comparison takes
    before: Server,
    server: Server,
    at: str,
    *,
    token: str,
    counted: tuple[Part, ...] = (),
    judged: tuple[Part, ...] | None = None,
    rules: Rules,
) -> News:
    """Return what is to be told of a server that was `before`.

    What somebody else is telling, as open or as closed, waits for their word or their deadline. What nobody came back
    from telling is told again if it is open, and as closed if it is not. `counted` is what counts as told by its cause.
    `judged` is what this invocation has denied, if it may not tell of more: what else is open, its own record tells.
    """
    running, overdue = _in_time(server, token, at)
    denied = server.denied
    opened = outside(denied, [*server.told, *counted, *_named(running)])
    closed = ended([*server.told, *_named(overdue)], denied)
    still = common(server.told, denied)
    if has_settled(server, at, rules) and all(pending.kind != "settled" for pending in running):
        return News(kind="settled", opened=opened, closed=closed, before=still)
    flapped = [*server.flapped, *_named(pending for pending in running if pending.kind == "flapping")]
    opened, closed = outside(opened, flapped), outside(closed, flapped)
    opened = opened if judged is None else inside(opened, judged)
    kind = _interrupted(overdue, opened) or _kind(before, server, opened)
    if any(_changes(server, part, at, rules) >= rules.changes for part in (*opened, *closed)):
        kind = "flapping"
    return News(kind=kind, opened=opened, closed=closed, before=still)


def announce(server: Server, news: News, at: str, token: str, deadline: str) -> Server:
    """Return the server with the news as pending: ours, beside what others are still telling.

    What closes is told as open no more. What others did not come back from telling stays overdue, but for what the news
    tells again.
    """
    running, overdue = _in_time(server, token, at)
    told = _still_told(server, news.closed)
    mine = Pending(token=token, deadline=deadline, kind=news.kind, opened=news.opened, closed=news.closed)
    rest = []
    for pending in overdue:
        unsure = read_since(_named([pending]), server.denied)
        if untold := _unnamed(unsure, [*told, *news.opened, *news.closed]):
            rest.append(replace(pending, kind=_again(pending), opened=untold, closed=()))
    return replace(server, told=told, pending=(*running, mine) if news else running, overdue=tuple(rest))


def count(server: Server, counted: tuple[Part, ...], at: str) -> Server:
    """Return the server with what counts as told by its cause."""
    named = inside(outside(server.denied, server.told), counted)
    return replace(server, told=united((*server.told, *named)), since=server.since or at) if named else server


def mark(server: Server, news: News, token: str, at: str, messages: tuple[str, ...]) -> tuple[Server, Episode | None]:
    """Return the server once the news was told, and the episode that has ended with it, if one has.

    What was pending as closed and is not in the news, because no message had room for it, is still owed. Nothing
    changes where the news is no longer pending under the token: somebody else has taken it over.
    """
    mine = next((pending for pending in server.pending if pending.token == token), None)
    if mine is None:
        return server, None
    told = united((*server.told, *outside(mine.closed, news.closed), *news.opened))
    since, settled, flaps = server.since or at, news.kind == "settled", news.kind == "flapping"
    episode = None
    if gone := news.closed:
        episode = Episode(opened=since, closed=at, parts=gone, messages=server.messages, by=closed_by(server, gone))
    changed = _bare((*news.opened, *news.closed))
    return replace(
        server,
        told=told,
        since=since if told else None,
        messages=(*server.messages, *messages)[:_MESSAGES] if told else (),
        pending=tuple(pending for pending in server.pending if pending.token != token),
        last=episode if episode and not told else server.last,
        changes=() if settled else (*server.changes, Change(at, changed)),
        flapping=None if settled else server.flapping or (at if flaps else None),
        flapped=() if settled else united((*server.flapped, *(changed if flaps else ()))),
    ), episode


def has_settled(server: Server, at: str, rules: Rules) -> bool:
    """Return whether a flapping server has been quiet for a whole window."""
    return server.flapping is not None and not any(_changes(server, part, at, rules) for part in server.flapped)


def touch(before: Server, server: Server, at: str, rules: Rules) -> Server:
    """Return a flapping server with the change that is held back, and any server without changes that are too old."""
    if before == server:
        return server
    recent = [change for change in server.changes if _is_recent(change, at, rules)]
    if server.flapping is not None and not has_settled(server, at, rules):
        old, new = before.denied, server.denied
        if held := common((*outside(old, new), *outside(new, old)), server.flapped):
            recent.append(Change(at, _bare(held)))
    return replace(server, changes=tuple(recent[-_CHANGES:]))


def _in_time(server: Server, token: str, at: str) -> tuple[tuple[Pending, ...], tuple[Pending, ...]]:
    """Return what others are still telling, and what somebody did not come back from telling."""
    running = tuple(pending for pending in server.pending if pending.token != token and pending.is_running(at))
    return running, (*server.overdue, *(pending for pending in server.pending if pending not in running))


def _named(pendings: Iterable[Pending]) -> tuple[Part, ...]:
    """Return what somebody is telling, or was: what has opened and what has closed."""
    return tuple(part for pending in pendings for part in (*pending.opened, *pending.closed))


def _unnamed(parts: Iterable[Part], named: Iterable[Part]) -> tuple[Part, ...]:
    """Return the ports of each part at which its source is not among the others, be it held by a wider one.

    What is held by `unknown` or by everything is not named when that ends in part.
    """
    named = tuple(named)
    return united(rest for part in parts for rest in outside([part], [by for by in named if by.source == part.source]))


def _still_told(server: Server, closed: tuple[Part, ...]) -> tuple[Part, ...]:
    """Return what was told without what has closed: of a wide source, the narrower ones that are still open."""
    if not closed:
        return server.told
    rest = outside(server.told, closed)
    return united((*rest, *outside(inside(server.denied, server.told), rest)))


def _changes(server: Server, part: Part, at: str, rules: Rules) -> int:
    """Return how often a part, or some of it, has changed lately."""
    return sum(_is_recent(change, at, rules) and bool(common([part], change.parts)) for change in server.changes)


def _is_recent(change: Change, at: str, rules: Rules) -> bool:
    """Return whether a change lies in the window; one of a clock that was ahead does not."""
    return change.at <= at < later(change.at, rules.window)


def _bare(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Return parts without what the gate said of them."""
    return united(Part(part.protocol, part.from_port, part.to_port, part.source) for part in parts)


def _interrupted(overdue: tuple[Pending, ...], opened: tuple[Part, ...]) -> Kind | None:
    """Return what the news was about when somebody began to tell it and did not come back."""
    if not opened:
        return None
    kinds = (_again(pending) for pending in overdue if not outside(opened, _named([pending])))
    return next((kind for kind in kinds if kind not in {"flapping", "settled"}), None)


def _again(pending: Pending) -> Kind:
    """Return what it is about to tell of something open once more: where its closing may have been told, it reopens."""
    return "reopened" if pending.kind == "closed" else pending.kind


def _kind(before: Server, server: Server, opened: tuple[Part, ...]) -> Kind:
    if not opened:
        return "closed"
    if not outside(opened, before.allowed):
        if all(part.verdict == "expired" for part in opened):
            return "expired"
        judged = {claim.policy for claim in before.open}
        return "policy" if any(claim.policy not in judged for claim in server.open) else "no_longer_allowed"
    if common(server.told, server.denied):
        return "wider"
    return "reopened" if server.last and not outside(opened, server.last.parts) else "new"


def closed_by(server: Server, gone: tuple[Part, ...]) -> str:
    """Say what has closed what was told: an allowance, or the reports that have closed since something was told."""
    allowed = sorted({name for part in server.allowed for name in part.by if not ended(gone, [part])})
    if allowed:
        return f"allowed by {', '.join(allowed)}"
    ports = united(replace(part, source=UNKNOWN) for part in server.denied)
    if not outside(gone, ports):
        return "still reported, and from fewer addresses"
    last = server.changes[-1].at if server.changes else ""
    ended_claims = [claim for claim in server.claims.values() if not claim.open]
    recent = [claim for claim in ended_claims if claim.since > last] or ended_claims
    reports = sorted({claim.report for claim in recent})
    return f"closed at the scanner: {', '.join(reports)}" if reports else "no longer reported on this server"
