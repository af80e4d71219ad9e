"""What a report changes in what is open. Pure: what is known of a server, an observation and the time go in.

A report is ordered by its own dates alone: an older one neither reopens nor closes, and where two dates are equal or
one cannot be read, open wins.
"""

from datetime import timedelta

from msgspec import Struct
from msgspec.structs import replace

from handler.finding import UNKNOWN
from handler.memory.parts import Part, inside, outside, segments, united
from handler.memory.state import Claim, Server, later

LOOKS_AGAIN = timedelta(hours=24)
"""After which a scanner that still reports a port has looked since nobody was known to come in to it."""


class Observation(Struct, frozen=True, kw_only=True):
    """What one report says of one server: what was judged on it, or nothing where the report has closed.

    `confirmed` is false where it has closed without evidence. `again` is true of what was judged again as it was
    remembered: nobody has reported it anew. `partial` is true where the report says more than was judged here: what it
    opened before and is not in this is not closed. `unreached` are the ports to which nobody is known to come in, as
    parts from `unknown`. `unlisted` is that of the claim which a second listing closes. The other fields are those of
    `Claim`.
    """

    claim: str
    reporter: str
    report: str
    observed: str | None
    parts: tuple[Part, ...] | None = None
    confirmed: bool = True
    again: bool = False
    partial: bool = False
    unreached: tuple[Part, ...] = ()
    unlisted: str | None = None
    reported: str = ""
    expanded: tuple[str, ...] = ()
    policy: str = ""
    evidence: str = ""


def observe(server: Server, observation: Observation, at: str, patience: timedelta) -> Server:
    """Return what is known of a server after an observation; the same value where it changes nothing.

    An older one adds servers that what is open stands for, and nothing else: those were looked up now, whatever its
    date. `patience` is for how long a look-up may fail before that counts.
    """
    known = server.claims.get(observation.claim)
    if known is not None and is_outdated(known, observation):
        expanded = tuple(sorted({*known.expanded, *observation.expanded})) if known.open else known.expanded
        claim: Claim | None = replace(known, expanded=expanded)
    elif observation.parts is None:
        claim = _closed(known, observation, at)
    else:
        claim = _opened(known, observation, at, patience)
    if claim is None or claim == known:
        return server
    return replace(server, claims={**server.claims, observation.claim: claim})


def is_outdated(known: Claim, observation: Observation) -> bool:
    """Return whether what is known is newer, or open at the same or an unknown time.

    What is judged again never opens what has closed meanwhile. What is listed no more closes unless something was said
    of it since the first of the two listings.
    """
    if observation.unlisted is not None:
        return not known.open or known.unlisted != observation.unlisted
    if observation.again and not known.open and observation.observed == known.observed:
        return True
    dated = known.observed is not None and observation.observed is not None
    if observation.parts is not None:
        return dated and str(observation.observed) < str(known.observed)
    if known.open and observation.confirmed:
        return not dated or str(observation.observed) <= str(known.observed)
    return dated and str(observation.observed) < str(known.observed)


def _closed(known: Claim | None, observation: Observation, at: str) -> Claim | None:
    """Return a claim that has closed, or is marked as unconfirmed; nothing where there is nothing to remember."""
    if not observation.confirmed:
        return replace(known, unconfirmed=known.unconfirmed or at) if known is not None and known.open else None
    if known is None and observation.observed is None:
        return None
    return Claim(
        reporter=observation.reporter,
        report=observation.report,
        observed=observation.observed or (known.observed if known is not None else None),
        since=known.since if known is not None and not known.open else at,
        open=False,
        unlisted=observation.unlisted,
        reported=observation.reported,
    )


def _opened(known: Claim | None, observation: Observation, at: str, patience: timedelta) -> Claim:
    """Return a claim as the observation has it, with the sources that are known where none could be read."""
    before = known if known is not None and known.open else None
    judged = united(observation.parts or ())
    parts, unknown = _remembered(before, judged) if before else (judged, ())
    unread, unreached = outside(unknown, observation.unreached), inside(unknown, observation.unreached)
    unread_since = min(before.unread_since or at, at) if before and unread else None
    is_unreached = before is not None and unknown and (unreached or before.unreached_since)
    unreached_since = min(before.unreached_since or at, at) if before and is_unreached else None
    for since, wait in ((unread_since, patience), (unreached_since, LOOKS_AGAIN)):
        if since is not None and at >= later(since, wait):
            parts = united((*parts, *judged))
    if before and observation.partial:
        parts = united((*parts, *before.parts))
    keeps_servers = before is not None and bool(observation.parts or observation.partial)
    return Claim(
        reporter=observation.reporter,
        report=observation.report,
        observed=observation.observed,
        since=before.since if before else at,
        parts=parts,
        unconfirmed=before.unconfirmed if before and observation.again else None,
        unlisted=before.unlisted if before and observation.again else None,
        unread_since=unread_since,
        unreached_since=unreached_since,
        reported=observation.reported,
        expanded=tuple(sorted({*observation.expanded, *(before.expanded if before and keeps_servers else ())})),
        policy=observation.policy,
        evidence=observation.evidence,
    )


def _remembered(before: Claim, parts: tuple[Part, ...]) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """Add what is known of a port's sources where they are unknown now; return those ports that were read in full too.

    `unknown` itself is kept where nothing is known, and where it stood beside what is known before.
    """
    kept: list[Part] = []
    unknown: list[Part] = []
    for part in parts:
        if part.source != UNKNOWN:
            kept.append(part)
            continue
        known = [old for old in before.parts if old.protocol == part.protocol]
        for low, high, sources in segments(part, known):
            kept += [
                replace(old, from_port=low, to_port=high)
                for old in known
                if old.from_port <= low and high <= old.to_port and old.source != UNKNOWN
            ]
            if not sources or UNKNOWN in sources:
                kept.append(replace(part, from_port=low, to_port=high))
            if sources - {UNKNOWN} and (before.unread_since or before.unreached_since or UNKNOWN not in sources):
                unknown.append(Part(part.protocol, low, high, UNKNOWN))
    return united(kept), united(unknown)
