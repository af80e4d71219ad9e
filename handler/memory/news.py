"""What is news: what is denied now, minus what has been told and is still open. Pure, and without a clock."""

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from handler.finding import UNKNOWN
from handler.memory.flapping import Rules, at_rest, too_often
from handler.memory.parts import Part, bare, common, ended, inside, outside, read_since, united
from handler.memory.state import Change, Episode, Kind, Pending, Server

_MESSAGES = 20
"""Of an episode, the ids that are kept: the first ones."""

_PAST = 20
"""Of a server, the episodes that are kept: the last ones. A reopening of others is told as new."""


class News(Struct, frozen=True, kw_only=True):
    """What is to be told of a server: what has opened, what has closed, and what was told before and is still open.

    `flapped` is what of it is held back from now on, or, where the kind is `settled`, what is held back no more.
    """

    kind: Kind
    opened: tuple[Part, ...] = ()
    closed: tuple[Part, ...] = ()
    before: tuple[Part, ...] = ()
    flapped: tuple[Part, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.opened or self.closed or self.flapped)


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
    settled = () if any(pending.kind == "settled" for pending in running) else at_rest(server, at, rules)
    held = [*outside(server.flapped, settled), *_named(pending for pending in running if pending.kind == "flapping")]
    opened, closed = outside(opened, held), outside(closed, held)
    if settled:
        return News(kind="settled", opened=opened, closed=closed, before=still, flapped=settled)
    opened = opened if judged is None else inside(opened, judged)
    flapping = too_often(server, (*opened, *closed), at, rules)
    kind = "flapping" if flapping else _interrupted(overdue, opened) or _kind(before, server, opened)
    return News(kind=kind, opened=opened, closed=closed, before=still, flapped=flapping)


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
    named = inside(outside(server.denied, server.told), counted) if counted else ()
    return _with_told(server, united((*server.told, *named)), named, at) if named else server


def mark(server: Server, news: News, token: str, at: str, messages: tuple[str, ...]) -> tuple[Server, Episode | None]:
    """Return the server once the news was told, and the episode that has ended with it, if one has.

    What was pending as closed and is not in the news, because no message had room for it, is still owed. Nothing
    changes where the news is no longer pending under the token: somebody else has taken it over.
    """
    mine = next((pending for pending in server.pending if pending.token == token), None)
    if mine is None:
        return server, None
    told = united((*server.told, *outside(mine.closed, news.closed), *news.opened))
    episode = _episode(server, news.closed, at) if news.closed else None
    settled = news.kind == "settled"
    marked = replace(
        server,
        messages=(*server.messages, *messages)[:_MESSAGES] if told else (),
        pending=tuple(pending for pending in server.pending if pending.token != token),
        past=_past(server.past, episode) if episode else server.past,
        changes=(*server.changes, Change(at, bare((*news.opened, *news.closed)))),
        flapped=outside(server.flapped, news.flapped) if settled else united((*server.flapped, *news.flapped)),
    )
    return _with_told(marked, told, news.opened, at), episode


def _with_told(server: Server, told: tuple[Part, ...], opened: tuple[Part, ...], at: str) -> Server:
    """Return the server with other parts as told, of which some have just been."""
    opened = bare(opened)
    before = [replace(opening, parts=_unnamed(opening.parts, opened)) for opening in server.openings]
    openings = [replace(opening, parts=bare(common(opening.parts, told))) for opening in (*before, Change(at, opened))]
    since = server.since or at if told else None
    return replace(server, told=told, since=since, openings=tuple(opening for opening in openings if opening.parts))


def _episode(server: Server, closed: tuple[Part, ...], at: str) -> Episode:
    opened = server.told_since(closed) or at
    return Episode(opened=opened, closed=at, parts=closed, messages=server.messages, by=closed_by(server, closed))


def _past(past: tuple[Episode, ...], episode: Episode) -> tuple[Episode, ...]:
    older = [replace(before, parts=outside(before.parts, episode.parts)) for before in past]
    return (replace(episode, messages=()), *(before for before in older if before.parts))[:_PAST]


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
    """Return what was told without what has closed: of a wide source, the narrower ones that are still open.

    These count for the cause for which they were told, or the wide one was.
    """
    if not closed:
        return server.told
    rest = outside(server.told, closed)
    narrower = outside(inside(server.denied, server.told), rest)
    return united((*rest, *(replace(part, cause=_told_cause(part, server.told)) for part in narrower)))


def _told_cause(part: Part, told: Iterable[Part]) -> str:
    """Return the cause for which a part was told."""
    holding = sorted((held for held in told if inside([part], [held])), key=lambda held: held.source != part.source)
    return holding[0].cause if holding else part.cause


def _interrupted(overdue: tuple[Pending, ...], opened: tuple[Part, ...]) -> Kind | None:
    """Return what the news was about when somebody began to tell it and did not come back."""
    if not opened:
        return None
    kinds = (_again(pending) for pending in overdue if not outside(opened, _named([pending])))
    return next((kind for kind in kinds if kind not in {"flapping", "settled"}), None)


def _again(pending: Pending) -> Kind:
    """Return what it is about to tell of something open once more: where its closing may have been told, it reopens."""
    match pending.kind:
        case "closed":
            return "reopened"
        case "observed":
            return "new"
    return pending.kind


def _is_unread(server: Server, opened: tuple[Part, ...]) -> bool:
    """Return whether all of it is denied because sources that were read before have not been for a while."""
    claims = [claim for claim in server.open if claim.unread_since or claim.unreached_since]
    read = [replace(part, source=UNKNOWN) for claim in claims for part in claim.parts if part.source != UNKNOWN]
    return all(part.source == UNKNOWN for part in opened) and not outside(opened, read)


def _kind(before: Server, server: Server, opened: tuple[Part, ...]) -> Kind:
    if not opened:
        return "closed"
    if _is_unread(server, opened):
        return "unread"
    if not outside(opened, before.allowed):
        if all(part.verdict == "expired" for part in opened):
            return "expired"
        judged = {claim.policy for claim in before.open}
        return "policy" if any(claim.policy not in judged for claim in server.open) else "no_longer_allowed"
    if not outside(opened, [part for episode in server.past for part in episode.parts]):
        return "reopened"
    return "wider" if common(server.told, server.denied) else "new"


def closed_by(server: Server, closed: tuple[Part, ...]) -> str:
    """Say what has closed what was told: an allowance, or the reports that have closed since something was told."""
    allowed = sorted({name for part in server.allowed for name in part.by if not ended(closed, [part])})
    if allowed:
        return f"allowed by {', '.join(allowed)}"
    ports = united(replace(part, source=UNKNOWN) for part in server.denied)
    if not outside(closed, ports):
        return "still reported, and from fewer addresses"
    last = server.changes[-1].at if server.changes else ""
    ended_claims = [claim for claim in server.claims.values() if not claim.open]
    recent = [claim for claim in ended_claims if claim.since > last] or ended_claims
    reports = sorted({claim.report for claim in recent if claim.unlisted is None})
    unlisted = sorted({f"{claim.report} by {claim.reporter}" for claim in recent if claim.unlisted is not None})
    said = [f"closed at the scanner: {', '.join(reports)}"] if reports else []
    said += [f"no longer listed in two complete listings: {', '.join(unlisted)}"] if unlisted else []
    return "; ".join(said) or "no longer reported on this server"
