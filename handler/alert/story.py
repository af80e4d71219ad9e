"""What the memory adds to an alert: that a server is new, wider, reopened, and what was told of it before."""

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from handler.alert.text import ports
from handler.alert.text import time as spelled
from handler.finding import UNKNOWN
from handler.memory.comparison import Entry
from handler.memory.parts import Part, common, inside, outside, united
from handler.memory.state import moment

_HOUR, _DAY = 3600, 86400
_LISTED = 6


class Story(Struct, frozen=True, kw_only=True):
    """What there is to say of one server beside the decision.

    `word` begins the subject, empty for what is new. `prose` are sentences for the mail. `group` is shared by servers
    that are told in one message: their cause, or the policies that deny them since; empty where each stands alone.
    `why` says why they are one message. `data` is the entry of `news` in the JSON: `server`, `account`, `region`,
    `state`, `episode`, `since`, and the parts `opened`, `closed` and `before`, each `{protocol, from_port, to_port,
    source, severity}`.
    """

    word: str
    prose: tuple[str, ...]
    group: str
    why: str
    data: dict[str, Any]


_SHARED = "because the same rule opens it on all of them. Further servers behind it stand in the digest of the day"

FLAPPING = (
    "{flapped} keeps opening and closing. Further changes of that are held back until it has been quiet for a while; "
    "then one message says how it ended."
)
SETTLED = "{flapped} kept opening and closing, and has been quiet for a while. This is how it ended."


def story(entry: Entry, policy: str) -> Story:
    """Return the story of an entry; `policy` names the policies that have judged it."""
    kind = entry.news.kind
    word, sentence = _SAID.get(kind if kind != "unread" else _unread(entry), ("", ""))
    return Story(
        word=word,
        prose=tuple(filter(None, (_said(sentence, entry, policy), _before(entry)))),
        group=f"policy {policy}" if kind == "policy" else f"cause {entry.cause}" if entry.cause else "",
        why=f"because policy {policy} denies what was allowed before" if kind == "policy" else _SHARED,
        data=data(entry),
    )


_SAID = {
    "wider": ("wider", "Only what is new is listed above."),
    "reopened": ("reopened", "It is open again{before}."),
    "expired": ("expired", "It was allowed until the allowance expired."),
    "policy": ("policy changed", "It was open and allowed before, and is denied since policy {policy}."),
    "no_longer_allowed": ("no longer allowed", "It was open and allowed before."),
    "sources": ("sources unread", "Who can reach it could be read before, and could not since {unread}."),
    "nobody": ("nobody known", "Nobody is known to reach it since {unreached}, and the scanner still reports it."),
    "tags": (
        "tags unread",
        "Its tags could be read before, and could not since {untagged}: it is judged without them.",
    ),
    "flapping": ("flapping", FLAPPING),
    "settled": ("settled", f"{SETTLED} Open now: {{opened}}."),
}


def data(entry: Entry) -> dict[str, Any]:
    """Return what the JSON of a message says of an entry."""
    return {
        "server": entry.server.id,
        "account": entry.server.account,
        "region": entry.server.region,
        "state": entry.news.kind if entry.news.opened or entry.news.flapped else "closed",
        "episode": entry.episode,
        "since": entry.told_since(entry.closed or entry.news.before or entry.news.opened),
        "opened": _parts(entry.news.opened),
        "closed": _timed(entry, entry.closed),
        "before": _timed(entry, entry.news.before),
        **({"flapped": _parts(entry.news.flapped)} if entry.news.flapped else {}),
    }


def _timed(entry: Entry, parts: tuple[Part, ...]) -> list[dict[str, Any]]:
    """Spell parts for the JSON, each with when it was told."""
    timed: list[dict[str, Any]] = []
    for opening in sorted(entry.server.openings, key=lambda opening: opening.at):
        timed += [part | {"since": opening.at} for part in _parts(inside(parts, opening.parts))]
        parts = outside(parts, opening.parts)
    timed += [part | {"since": entry.told_since(())} for part in _parts(parts)]
    return sorted(timed, key=lambda part: (part["protocol"], part["from_port"], part["to_port"], part["source"]))


def _parts(parts: Iterable[Part]) -> list[dict[str, Any]]:
    """Spell parts for the JSON: what is open in several ways once."""
    bare = united(
        Part(part.protocol, part.from_port, part.to_port, part.source, severity=part.severity) for part in parts
    )
    return [
        {
            "protocol": part.protocol,
            "from_port": part.from_port,
            "to_port": part.to_port,
            "source": part.source,
            "severity": part.severity,
        }
        for part in bare
    ]


def _unread(entry: Entry) -> str:
    """Return what could be read before, and cannot any more; `nobody` where sources were read and there are none."""
    if all(part.source == UNKNOWN for part in entry.news.opened):
        if any(claim.unread_since for claim in entry.server.open):
            return "sources"
        if any(claim.unreached_since for claim in entry.server.open):
            return "nobody"
    return "tags"


def _said(sentence: str, entry: Entry, policy: str) -> str:
    """Fill in a sentence; where the last closing may not have been told, there is no last episode."""
    last = next((episode for episode in entry.server.past if common(episode.parts, entry.news.opened)), None)
    before = f": it was open from {spelled(last.opened)} to {spelled(last.closed)}" if last else ""
    unread = min((claim.unread_since for claim in entry.server.open if claim.unread_since), default=entry.at)
    unreached = min((claim.unreached_since for claim in entry.server.open if claim.unreached_since), default=entry.at)
    untagged = spelled(entry.server.untagged_since or entry.at)
    times = {"unread": spelled(unread), "unreached": spelled(unreached), "untagged": untagged}
    return sentence.format(
        policy=policy, before=before, flapped=listed(entry.news.flapped), opened=listed(entry.news.opened), **times
    )


def _before(entry: Entry) -> str:
    """Say what was told before and is still open."""
    if not entry.news.before or not entry.news.opened:
        return ""
    since = spelled(entry.told_since(entry.news.before))
    return f"Told before (since {since}) and still open: {listed(entry.news.before)}."


def listed(parts: Sequence[Part]) -> str:
    """Spell parts in a line: each port range with its sources."""
    sources: dict[str, list[str]] = {}
    for part in united(Part(part.protocol, part.from_port, part.to_port, part.source) for part in parts):
        source = "an unknown address" if part.source == UNKNOWN else part.source
        sources.setdefault(ports(part.protocol, part.from_port, part.to_port), []).append(source)
    said = [f"{opened} from {', '.join(dict.fromkeys(names))}" for opened, names in sources.items()]
    more = f"; and {len(said) - _LISTED} more" if len(said) > _LISTED else ""
    return "; ".join(said[:_LISTED]) + more


def duration(since: str, until: str) -> str:
    """Spell how long something took, in its two largest units."""
    seconds = max(0, int((moment(until) - moment(since)).total_seconds()))
    days, hours, minutes = seconds // _DAY, seconds % _DAY // _HOUR, seconds % _HOUR // 60
    units = [(days, "day"), (hours, "hour"), (minutes, "minute")]
    first = next((place for place, (number, _) in enumerate(units) if number), len(units) - 1)
    said = [f"{number} {unit}{'' if number == 1 else 's'}" for number, unit in units[first : first + 2] if number]
    return " ".join(said) or "less than a minute"
