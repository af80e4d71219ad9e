"""What the memory keeps: of each server what is open and what of it people were told, of each cause whom it opens.

All times are RFC 3339 in UTC, to the second, with a Z: as text they are in their order.
"""

from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Literal

import msgspec
from msgspec import Struct

from handler.memory.parts import Part, common, united

FORMAT = 1
"""Of the items in the table; one of another format is not read."""

LONGEST = timedelta(minutes=20)
"""Lambda's longest invocation and a margin: a deadline that is further away was set by a clock that has jumped."""

Kind = Literal[
    "new",
    "wider",
    "reopened",
    "expired",
    "policy",
    "no_longer_allowed",
    "unread",
    "flapping",
    "settled",
    "closed",
    "observed",
]
"""What a message is about: see `docs/memory.md`."""


class Claim(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One report of one scanner about one reported server, and what it opens on the server that has it.

    `observed` is the report's newest date, `since` when it was first remembered as open. `parts` is everything that was
    judged, denied and allowed. A closed claim is kept for as long as an older report may come late. `unconfirmed` is
    since when the report has been gone without evidence, `unread_since` since when its sources could not be looked up
    again, `unreached_since` since when they were read and nobody is known to come in, `unlisted` when the first of the
    complete listings began that did not hold it: the second closes it. `reported` is the key of the reported server,
    and `expanded` the keys of the servers that the reported one (a security group) stood for. `policy` judged it,
    `evidence` is the digest of the report.
    """

    reporter: str
    report: str
    observed: str | None = None
    since: str
    open: bool = True
    parts: tuple[Part, ...] = ()
    unconfirmed: str | None = None
    unlisted: str | None = None
    unread_since: str | None = None
    unreached_since: str | None = None
    reported: str = ""
    expanded: tuple[str, ...] = ()
    policy: str = ""
    evidence: str = ""


class Pending(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """News that somebody is about to tell: nobody else does until the deadline, then whoever finds it."""

    token: str
    deadline: str
    kind: Kind
    opened: tuple[Part, ...] = ()
    closed: tuple[Part, ...] = ()

    def is_running(self, at: str) -> bool:
        """Return whether its owner may still be at work."""
        return at <= self.deadline <= later(at, LONGEST)


class Change(Struct, frozen=True, array_like=True):
    """What of a server opened or closed at a time, as people were told, or would have been if it did not flap.

    Its parts are bare: without what the gate said of them.
    """

    at: str
    parts: tuple[Part, ...]


class Episode(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was told as open and closed again: the audit trail. `by` says who or what closed it."""

    opened: str
    closed: str
    parts: tuple[Part, ...]
    messages: tuple[str, ...] = ()
    by: str = ""


class Server(Struct, frozen=True, kw_only=True, omit_defaults=True, dict=True):
    """What is remembered of a server.

    `tags` are those that a look-up has read last, `untagged_since` is since when they could not be read again.
    `told` is what people were told and is still open for all they know, `openings` when which of it was told, `since`
    when the first of it was, by which `messages`. What somebody is telling as closed is in `pending` and in `told` no
    more. `overdue` is what somebody began to tell and did not come back: whether people know it is not known. `past`
    are its last episodes, the newest first, each cut to what has not closed again since. `changes` are the last ones;
    openings and closings of what lies in `flapped` are held back. `reminded` is the day of the last reminder.
    """

    kind: str
    id: str
    account: str
    region: str
    name: str = ""
    team: str = ""
    tags: dict[str, str] | None = None
    untagged_since: str | None = None
    claims: dict[str, Claim] = {}
    told: tuple[Part, ...] = ()
    openings: tuple[Change, ...] = ()
    since: str | None = None
    messages: tuple[str, ...] = ()
    pending: tuple[Pending, ...] = ()
    overdue: tuple[Pending, ...] = ()
    past: tuple[Episode, ...] = ()
    changes: tuple[Change, ...] = ()
    flapped: tuple[Part, ...] = ()
    reminded: str | None = None

    @property
    def key(self) -> str:
        """The sort key of its item."""
        return f"server#{self.kind}#{self.id}"

    @cached_property
    def open(self) -> tuple[Claim, ...]:
        """The claims that are open."""
        return tuple(claim for claim in self.claims.values() if claim.open)

    @cached_property
    def denied(self) -> tuple[Part, ...]:
        """What is open and denied: the union of its claims."""
        return united(part for claim in self.open for part in claim.parts if part.denied)

    @cached_property
    def allowed(self) -> tuple[Part, ...]:
        """What is open and allowed, by one claim at least."""
        return united(part for claim in self.open for part in claim.parts if not part.denied)

    def told_since(self, parts: tuple[Part, ...]) -> str | None:
        """Return when the first of some parts was told; where nobody knows, when the first of the server was."""
        return min((opening.at for opening in self.openings if common(opening.parts, parts)), default=self.since)

    @property
    def is_over(self) -> bool:
        """Whether nothing is open, and nobody waits for a word."""
        return not (self.open or self.told or self.pending or self.overdue)


class Cause(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An account, a Region and the ids of the rules that open a port, for servers with equal tags.

    `members` is what was told or counted as told by server, `counted` what of it no message has named yet.
    `ending` is what the last of them closed and somebody is about to tell; `gone` is how many have left before it.
    """

    members: dict[str, tuple[Part, ...]] = {}
    counted: dict[str, tuple[Part, ...]] = {}
    ending: tuple[Pending, ...] = ()
    gone: int = 0

    def others(self, server: str) -> tuple[Part, ...]:
        """Return what is told for the servers beside this one."""
        return united(part for key, parts in self.members.items() if key != server for part in parts)


class Notice(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that is told once and then counted: an undecidable report of a day, a day's digest.

    `shape` is that of the report, `server` the server that it is about, or the report itself.
    """

    told: bool = False
    count: int = 0
    shape: str = ""
    server: str = ""
    pending: tuple[Pending, ...] = ()


class Unused(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The allowances by which nothing is open: by id, on which day they were last seen in use, or first seen at all."""

    since: dict[str, str] = {}


class Run(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A sweep, from its start until every place was looked at, over as many invocations as that takes.

    `waiting` has the places (`ACCOUNT#REGION`) that are not done, each with the sort key of the last server that was
    judged again, empty before the first; `places` is how many they were. `unseen` is whether something of them could
    not be listed, `unused_on` the day on which a sweep last looked for allowances that nothing needs. Whoever is at it
    has the `token`, and has ended by `until`.
    """

    started: str
    places: int
    waiting: dict[str, str] = {}
    unseen: bool = False
    unused_on: str = ""
    token: str = ""
    until: str = ""

    def is_others(self, token: str, at: str) -> bool:
        """Return whether somebody else may still be at work."""
        return token != self.token and at <= self.until <= later(at, LONGEST)


Item = Server | Cause | Notice | Episode | Run | Unused


@lru_cache(maxsize=4096)
def later(at: str, by: timedelta) -> str:
    """Return a time that is so much later."""
    return spelled(moment(at) + by)


def moment(at: str) -> datetime:
    """Read a time."""
    return datetime.fromisoformat(at).replace(tzinfo=UTC)


def spelled(at: datetime) -> str:
    """Spell a time."""
    return f"{at.astimezone(UTC).isoformat()[:19]}Z"


def encode(item: Struct) -> str:
    """Spell an item as JSON."""
    return msgspec.json.encode(item).decode()
