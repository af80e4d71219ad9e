"""What is news: what is denied now, minus what has been told and is still open. Pure, and without a clock."""

from datetime import timedelta

from msgspec import Struct
from msgspec.structs import replace

from handler.memory.parts import Part, common, ended, inside, outside, united
from handler.memory.state import Episode, Kind, Pending, Server, later

_MESSAGES = 20
"""Of an episode, the ids that are kept: the first ones."""


class Rules(Struct, frozen=True, kw_only=True):
    """When openings and closings are held back: after more than so many changes in a window."""

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
    before: Server, server: Server, at: str, *, token: str, counted: tuple[Part, ...] = (), rules: Rules
) -> News:
    """Return what is to be told of a server that was `before`.

    What somebody else is telling is not told again before their deadline. `counted` is what counts as told by its
    cause.
    """
    running = [pending for pending in server.pending if pending.token != token and pending.is_running(at)]
    told = outside(server.told, [part for pending in running for part in pending.closed])
    denied = server.denied
    opened = outside(denied, [*told, *counted, *(part for pending in running for part in pending.opened)])
    closed = ended(told, denied)
    held = _held_back(server, opened, closed, at, rules)
    if held is not None:
        return held
    kind = _interrupted(server, running, opened) or _kind(before, server, told, opened)
    if (opened or closed) and len(_recent(server, at, rules)) >= rules.changes:
        kind = "flapping"
    return News(kind=kind, opened=opened, closed=closed, before=common(told, denied))


def announce(server: Server, news: News, at: str, token: str, deadline: str) -> Server:
    """Return the server with the news as pending: ours, beside what others are still telling."""
    others = tuple(pending for pending in server.pending if pending.token != token and pending.is_running(at))
    mine = Pending(token=token, deadline=deadline, kind=news.kind, opened=news.opened, closed=news.closed)
    return replace(server, pending=(*others, mine) if news else others)


def count(server: Server, counted: tuple[Part, ...], at: str) -> Server:
    """Return the server with what counts as told by its cause."""
    named = inside(outside(server.denied, server.told), counted)
    return replace(server, told=united((*server.told, *named)), since=server.since or at) if named else server


def mark(server: Server, news: News, token: str, at: str, messages: tuple[str, ...]) -> tuple[Server, Episode | None]:
    """Return the server once the news was told, and the episode that has ended with it, if one has.

    Nothing changes where the news is no longer pending under the token: somebody else has taken it over.
    """
    if all(pending.token != token for pending in server.pending):
        return server, None
    still = common(news.closed, server.denied)
    told = united((*outside(server.told, news.closed), *still, *news.opened))
    opened = server.since or at
    episode = None
    if gone := outside(news.closed, still):
        episode = Episode(opened=opened, closed=at, parts=gone, messages=server.messages, by=closed_by(server, gone))
    flaps = news.kind == "flapping"
    return replace(
        server,
        told=told,
        since=opened if told else None,
        messages=(*server.messages, *messages)[:_MESSAGES] if told else (),
        pending=tuple(pending for pending in server.pending if pending.token != token),
        last=episode if episode and not told else server.last,
        changes=() if news.kind == "settled" else (*server.changes, at),
        flapping=at if flaps else None if news.kind == "settled" else server.flapping,
        flapped=_flapped(server, news),
    ), episode


def _flapped(server: Server, news: News) -> tuple[Part, ...]:
    """Return what is held back while a server flaps: all that was told of it lately."""
    if news.kind == "settled":
        return ()
    if server.flapping is None and news.kind != "flapping":
        return ()
    last = server.last.parts if server.last else ()
    return united((*server.flapped, *server.told, *last, *news.opened))


def _held_back(
    server: Server, opened: tuple[Part, ...], closed: tuple[Part, ...], at: str, rules: Rules
) -> News | None:
    """Return what of a flapping server is told: what is wider than all that was told, and in the end the last state."""
    if server.flapping is None:
        return None
    if not _recent(server, at, rules):
        return News(kind="settled", opened=opened, closed=closed, before=common(server.told, server.denied))
    return News(kind="wider", opened=outside(opened, server.flapped), before=server.told)


def has_settled(server: Server, at: str, rules: Rules) -> bool:
    """Return whether a flapping server has been quiet for a whole window."""
    return server.flapping is not None and not _recent(server, at, rules)


def touch(before: Server, server: Server, at: str, rules: Rules) -> Server:
    """Return a flapping server with the change that is held back, and any server without changes that are too old."""
    recent = _recent(server, at, rules)
    if server.flapping is not None and before.denied != server.denied:
        recent = (*recent, at)
    return replace(server, changes=recent[-rules.changes - 1 :]) if before != server else server


def _recent(server: Server, at: str, rules: Rules) -> tuple[str, ...]:
    return tuple(change for change in server.changes if at < later(change, rules.window))


def _interrupted(server: Server, running: list[Pending], opened: tuple[Part, ...]) -> Kind | None:
    """Return what the news was about when somebody began to tell it and did not come back."""
    stale = (pending for pending in server.pending if pending not in running)
    return next(
        (pending.kind for pending in stale if pending.kind != "flapping" and not outside(opened, pending.opened)), None
    )


def _kind(before: Server, server: Server, told: tuple[Part, ...], opened: tuple[Part, ...]) -> Kind:
    if not opened:
        return "closed"
    if not outside(opened, before.allowed):
        if all(part.verdict == "expired" for part in opened):
            return "expired"
        judged = {claim.policy for claim in before.open}
        return "policy" if any(claim.policy not in judged for claim in server.open) else "no_longer_allowed"
    if common(told, server.denied):
        return "wider"
    return "reopened" if server.last and not outside(opened, server.last.parts) else "new"


def closed_by(server: Server, gone: tuple[Part, ...]) -> str:
    """Say what has closed what was told: an allowance, or the reports that have closed."""
    allowed = sorted({name for part in server.allowed for name in part.by if inside(gone, [part])})
    if allowed:
        return f"allowed by {', '.join(allowed)}"
    reports = sorted({claim.report for claim in server.claims.values() if not claim.open})
    return f"closed at the scanner: {', '.join(reports)}" if reports else "no longer reported on this server"
