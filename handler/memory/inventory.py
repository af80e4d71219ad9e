"""Compares what an invocation has judged with what is remembered, and remembers what was told.

The order of the writes loses nothing whenever a function dies between two of them, because a record is acknowledged
after the last: the server with its news as pending; SNS; the causes; the server with its news as told. What counts as
told by its cause is a member of the cause before its server says so, and leaves the cause before its closing is told.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from msgspec.structs import replace

from handler import finding
from handler.errors import MemoryUnavailableError
from handler.memory import daily, quiet
from handler.memory.causes import Causes
from handler.memory.comparison import Compared, Entry, in_flight, uncompared, unite, unmarked
from handler.memory.daily import Daily
from handler.memory.expansions import further, timely
from handler.memory.notices import Notices, about
from handler.memory.observing import Observed, observed
from handler.memory.quiet import Quiet
from handler.memory.servers import Servers, Terms
from handler.memory.state import Server
from handler.memory.store import Key, Table
from handler.outcome import Outcome

_WRITERS = 8

T = TypeVar("T")
R = TypeVar("R")


class Inventory:
    """The memory of one invocation. `token` is its own, `deadline` the time by which it has told its news."""

    def __init__(self, table: Table, terms: Terms, *, token: str, at: str, deadline: str, policy: str) -> None:  # noqa: PLR0913
        self._table = table
        self._terms = terms
        self._token = token
        self._at = at
        self._policy = policy
        self._servers = Servers(table=table, terms=terms, token=token, at=at, deadline=deadline)
        self._notices = Notices(table=table, token=token, at=at, deadline=deadline)
        self._causes = Causes(table=table, token=token, at=at, deadline=deadline, retention=terms.retention)

    @property
    def observes(self) -> bool:
        """Whether nothing is told but the digest of the day."""
        return self._terms.observe

    def compare(
        self, outcomes: Sequence[Outcome], elsewhere: Iterable[Outcome] = (), *, again: bool = False
    ) -> Compared:
        """Remember what was judged, or judged again as it was remembered, and return what of it is news.

        `elsewhere` is that of `Judged`.
        """
        servers = observed(outcomes, self._policy, elsewhere, again=again)
        undecidable = unite(self._each(_undecided(outcomes), self._undecidable))
        try:
            rows = self._table.read(servers, self._at)
            servers = timely(servers, rows)
            servers |= (beside := further(servers, rows))
            rows |= self._table.read(beside, self._at)
            differences = {key: self._servers.difference(server, rows[key]) for key, server in servers.items()}
            counted = self._causes.count({key: each.news.opened for key, each in differences.items()})
        except MemoryUnavailableError as error:
            decided = [outcome for server in servers.values() for outcome in server.outcomes]
            return unite([undecidable, uncompared(decided, str(error))])
        compared = self._each(
            differences, lambda key: self._servers.compare(key, differences[key], counted.get(key, ()))
        )
        return self._ended(unite([undecidable, *compared]))

    def _ended(self, compared: Compared) -> Compared:
        """Let what has closed leave its causes, and tell of it only what no other server has."""
        closed = {entry.key: entry.news.closed for entry in compared.entries if entry.news.closed}
        try:
            announced = [entry for entry in compared.entries if entry.news.kind != "observed"]
            told = {entry.key: entry.server.told for entry in announced}
            ended = self._causes.leave(closed, told)
        except MemoryUnavailableError as error:
            problem = f"what it closes could not be remembered: {error}"
            records = {record for entry in compared.entries if entry.key in closed for record in entry.records}
            entries = tuple(
                replace(entry, news=replace(entry.news, closed=()))
                for entry in compared.entries
                if entry.key not in closed or entry.news.opened
            )
            given_back = {**compared.given_back, **dict.fromkeys(records, problem)}
            return replace(compared, entries=entries, given_back=given_back)
        entries = tuple(
            replace(entry, closed=ended[entry.key][0], gone=ended[entry.key][1]) if entry.key in ended else entry
            for entry in compared.entries
        )
        return replace(compared, entries=entries)

    def remember(
        self, told: Iterable[tuple[Entry, tuple[str, ...]]], undecidable: Iterable[tuple[Key, Outcome]] = ()
    ) -> dict[str, str]:
        """Remember what was told, and by which messages; return by record why that failed."""
        told, notices = tuple(told), dict(undecidable)
        failures: dict[str, str] = {}
        try:
            self._notices.mark(notices)
        except MemoryUnavailableError as error:
            failures |= {record: unmarked(str(error)) for outcome in notices.values() for record in outcome.records}
        try:
            self._causes.settle((entry.key, entry.news.opened, entry.news.closed) for entry, _ in told)
            rows = self._table.read([entry.key for entry, _ in told], self._at)
        except MemoryUnavailableError as error:
            return failures | {record: unmarked(str(error)) for entry, _ in told for record in entry.records}
        for entry, problem in self._each(told, lambda pair: (pair[0], self._servers.mark(*pair, rows[pair[0].key]))):
            failures |= dict.fromkeys(entry.records, problem) if problem else {}
        return failures

    def day(self, until: float) -> Daily | None:
        """Return what is to be told once a day, and take it upon us; nothing where somebody else is about to tell it.

        It is empty where it has been told. `until` is a time of `time.monotonic()` after which nothing more is read.
        """
        notice = self._notices.take(self._notices.digest_key())
        if notice.told:
            return Daily()
        if not self._notices.is_ours(notice):
            return None
        rows = self._table.scan(self._at, ("server", "cause", "notice"), until)
        return daily.gather(rows, self._at, self._terms.rules, self._terms.remind)

    def quiet_day(self, until: float) -> Quiet | None:
        """Return what is to be told once a day by a function that only observes. See `day`."""
        notice = self._notices.take(self._notices.digest_key())
        if notice.told:
            return Quiet()
        if not self._notices.is_ours(notice):
            return None
        rows = self._table.scan(self._at, ("server", "notice"), until)
        gathered = quiet.gather(rows, self._at, self._token, self._terms.rules)
        return replace(gathered, entries=self._ended(Compared(entries=gathered.entries)).entries)

    def announce(self, entries: Iterable[Entry]) -> None:
        """Remember what is about to be told of servers, as it was found; raises `MemoryUnavailableError`."""
        entries = tuple(entries)
        rows = self._table.read([entry.key for entry in entries], self._at)
        self._each(entries, lambda entry: self._servers.announce(entry, rows[entry.key]))

    def mark_quiet_day(self, entries: Iterable[Entry], message: str) -> None:
        """Remember what the day's digest has told; of what cannot be written nobody knows then whether it was told."""
        self._notices.mark([self._notices.digest_key()])
        self.remember((entry, (message,) if entry.tells else ()) for entry in entries)

    def settle(self, settled: Mapping[Key, Server]) -> Compared:
        """Return how flapping ended on servers that have come to rest."""
        rows = self._table.read(settled, self._at)
        differences = {key: self._servers.difference(_unobserved(server), rows[key]) for key, server in settled.items()}
        return self._ended(unite([self._servers.compare(key, each) for key, each in differences.items()]))

    def mark_day(self, told: Daily, until: float) -> None:
        """Remember what the day's digest has told; what is not written by `until` is told again the next day."""
        self._notices.mark([self._notices.digest_key()])
        daily.mark(self._table, told, self._at, retention=self._terms.retention, each=self._each, until=until)

    def accept(self, by: str) -> tuple[list[Entry], dict[str, str]]:
        """Count what is open and denied as told, without a message; return it, and by server why that failed.

        `by` says who does so, and stands in the place of the message.
        """
        gathered = quiet.gather(self._table.scan(self._at, ("server",)), self._at, self._token, self._terms.rules)
        entries = [
            replace(entry, news=replace(entry.news, closed=()), closed=(), records=frozenset({entry.server.id}))
            for entry in gathered.entries
            if entry.news.opened
        ]
        self.announce(entries)
        return entries, self.remember((entry, (by,)) for entry in entries)

    def _undecidable(self, outcome: Outcome) -> Compared:
        """Take upon us what could not be judged, unless somebody has told it today; who only observes counts it."""
        key = self._notices.key_of(outcome)
        try:
            if self.observes and not outcome.asked:
                self._notices.count(key, *about(outcome))
                return Compared()
            notice = self._notices.take(key, *about(outcome))
        except MemoryUnavailableError as error:
            return Compared(uncompared=(outcome,), problem=str(error))
        if self._notices.is_ours(notice) or outcome.asked:
            return Compared(undecidable=((key, outcome),))
        running = [pending for pending in notice.pending if not notice.told]
        return Compared(given_back=dict.fromkeys(outcome.records, in_flight(running[0])) if running else {})

    def _each(self, values: Iterable[T], work: Callable[[T], R]) -> list[R]:
        values = tuple(values)
        if len(values) < 2:  # noqa: PLR2004  one needs no thread
            return [work(value) for value in values]
        with ThreadPoolExecutor(min(_WRITERS, len(values))) as pool:
            return [*pool.map(work, values)]


def _undecided(outcomes: Iterable[Outcome]) -> list[Outcome]:
    return [outcome for outcome in outcomes if outcome.kind == "undecidable"]


def _unobserved(server: Server) -> Observed:
    """Return a server of which nothing new is said."""
    known: dict[str, Any] = {"kind": server.kind, "id": server.id, "account": server.account, "region": server.region}
    return Observed(server=finding.Server(**known, tags={}, tags_known=False))
