"""What comes of comparing outcomes with the memory: what is to be told, and what could not be compared."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from handler.memory import news
from handler.memory.news import News
from handler.memory.observing import digest
from handler.memory.parts import Part
from handler.memory.state import Pending, Server
from handler.memory.store import Key
from handler.outcome import Outcome


class Entry(Struct, frozen=True, kw_only=True):
    """What is to be told of a server: its news, and the outcomes that say why, cut to what is new.

    `closed` is what of its closings is to be told: what others of its cause survive is remembered only; `gone` is how
    many servers of its cause have closed before. `cause` is the key of the one cause of all that has opened, where
    there is one.
    """

    key: Key
    at: str
    server: Server
    news: News
    closed: tuple[Part, ...] = ()
    gone: int = 0
    outcomes: tuple[Outcome, ...] = ()
    records: frozenset[str] = frozenset()
    cause: str = ""

    @property
    def identity(self) -> tuple[str, ...]:
        """What makes its server the same server."""
        return (self.server.account, self.server.region, self.server.kind, self.server.id)

    @property
    def why(self) -> str:
        """Who or what has closed it."""
        return news.closed_by(self.server, self.closed)

    @property
    def tells(self) -> bool:
        """Whether anybody needs to hear of it."""
        return bool(self.news.opened or self.closed or self.news.flapped)

    def told_since(self, parts: tuple[Part, ...]) -> str:
        """Return since when some parts are told as open: now, where they are not yet."""
        return self.server.told_since(parts) or self.at

    @property
    def episode(self) -> str:
        """What names the episode in messages: the server, and since when something was told of it."""
        return digest(*self.key, self.server.since or self.at)


class Compared(Struct, frozen=True, kw_only=True):
    """What is to be told, by server; which outcomes could not be compared; why a record is to be given back.

    `undecidable` are the outcomes that could not be judged and that nobody has heard of today, each with the key of its
    notice. `uncompared` are those of servers that could not be read or written, with the reason `problem`.
    """

    entries: tuple[Entry, ...] = ()
    undecidable: tuple[tuple[Key, Outcome], ...] = ()
    uncompared: tuple[Outcome, ...] = ()
    problem: str = ""
    given_back: Mapping[str, str] = {}


def unite(comparisons: Sequence[Compared]) -> Compared:
    """Return several comparisons as one."""
    return Compared(
        entries=tuple(entry for compared in comparisons for entry in compared.entries),
        undecidable=tuple(pair for compared in comparisons for pair in compared.undecidable),
        uncompared=_each_once(outcome for compared in comparisons for outcome in compared.uncompared),
        problem=next((compared.problem for compared in comparisons if compared.problem), ""),
        given_back={record: why for compared in comparisons for record, why in compared.given_back.items()},
    )


def uncompared(outcomes: Iterable[Outcome], problem: str) -> Compared:
    """Return what is told as if it were new; what may close something, since nothing of it alerts, is given back."""
    outcomes = _each_once(outcome for outcome in outcomes if outcome.kind != "ignored")
    given_back = {
        record: f"what it closes could not be remembered: {problem}"
        for outcome in outcomes
        if not outcome.alerts
        for record in outcome.records
    }
    return Compared(uncompared=outcomes, problem=problem, given_back=given_back)


def _each_once(outcomes: Iterable[Outcome]) -> tuple[Outcome, ...]:
    """Return each outcome once: one about a group's report may be of several servers."""
    return tuple({id(outcome): outcome for outcome in outcomes}.values())


def in_flight(pending: Pending) -> str:
    """Say why a record is given back while somebody else is telling news of its server."""
    return f"another invocation is telling news of the same server until {pending.deadline}"


def unmarked(problem: str) -> str:
    """Say why a record is given back though it was told."""
    return f"it was told, and that could not be remembered: {problem}"
