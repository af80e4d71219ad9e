"""Compares what an invocation has judged with what is remembered, and remembers what was told.

The order of the writes loses nothing whenever a function dies between two of them, because a record is acknowledged
after the last: the server with its news as pending; SNS; the causes; the server with its news as told. What counts as
told by its cause is a member of the cause before its server says so, and leaves the cause before its closing is told.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar

from msgspec import UNSET, Struct
from msgspec.structs import replace

from handler import finding
from handler.errors import MemoryUnavailableError
from handler.memory import daily, news
from handler.memory.causes import Causes
from handler.memory.claims import observe
from handler.memory.daily import Daily
from handler.memory.expansions import further
from handler.memory.news import News, Rules
from handler.memory.notices import Notices
from handler.memory.observing import Observed, digest, evidence_key, judged_here, narrowed, observed
from handler.memory.parts import Part, read_since
from handler.memory.state import Episode, Pending, Server, later
from handler.memory.store import Key, Row, Table
from handler.outcome import Outcome

_WRITERS = 8

T = TypeVar("T")
R = TypeVar("R")


class Terms(Struct, frozen=True, kw_only=True):
    """What the memory goes by: for how long it keeps what is closed and bears with look-ups that fail, and `Rules`."""

    retention: timedelta = timedelta(days=90)
    patience: timedelta = timedelta(hours=3)
    remind: timedelta | None = None
    team_tag: str = "Team"
    rules: Rules = Rules()


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
        return bool(self.news.opened or self.closed or self.news.kind in {"flapping", "settled"})

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


class Inventory:
    """The memory of one invocation. `token` is its own, `deadline` the time by which it has told its news."""

    def __init__(self, table: Table, terms: Terms, *, token: str, at: str, deadline: str, policy: str) -> None:  # noqa: PLR0913
        self._table = table
        self._terms = terms
        self._token = token
        self._at = at
        self._deadline = deadline
        self._policy = policy
        self._notices = Notices(table=table, token=token, at=at, deadline=deadline)
        self._causes = Causes(table=table, token=token, at=at, deadline=deadline, retention=terms.retention)

    def compare(self, outcomes: Sequence[Outcome]) -> Compared:
        """Remember what was judged, and return what of it is news."""
        servers = observed(outcomes, self._policy)
        undecidable = _united(self._each(_undecided(outcomes), self._undecidable))
        try:
            rows = self._table.read(servers, self._at)
            servers |= (beside := further(servers, rows))
            rows |= self._table.read(beside, self._at)
            counted = self._counted(servers, rows)
        except MemoryUnavailableError as error:
            return _united([undecidable, _uncompared(servers.values(), error)])
        compared = self._each(
            servers.items(), lambda item: self._server(*item, rows[item[0]], counted.get(item[0], ()))
        )
        return self._ended(_united([undecidable, *compared]))

    def _ended(self, compared: Compared) -> Compared:
        """Let what has closed leave its causes, and tell of it only what no other server has."""
        closed = {entry.key: entry.news.closed for entry in compared.entries if entry.news.closed}
        try:
            ended = self._causes.leave(closed)
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
            failures |= {record: _unmarked(error) for outcome in notices.values() for record in outcome.records}
        try:
            self._causes.settle((entry.key, entry.news.opened, entry.news.closed) for entry, _ in told)
            rows = self._table.read([entry.key for entry, _ in told], self._at)
        except MemoryUnavailableError as error:
            return failures | {record: _unmarked(error) for entry, _ in told for record in entry.records}
        for entry, problem in self._each(told, lambda pair: (pair[0], self._mark(*pair, rows[pair[0].key]))):
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
        rows = self._table.scan(self._at, ("server", "cause"), until)
        return daily.gather(rows, self._at, self._terms.rules, self._terms.remind)

    def settle(self, settled: Mapping[Key, Server]) -> Compared:
        """Return how flapping ended on servers that have come to rest."""
        rows = self._table.read(settled, self._at)
        servers = [self._server(key, _unobserved(server), rows[key], ()) for key, server in settled.items()]
        return self._ended(_united(servers))

    def mark_day(self, told: Daily, until: float) -> None:
        """Remember what the day's digest has told; what is not written by `until` is told again the next day."""
        self._notices.mark([self._notices.digest_key()])
        daily.mark(
            self._table,
            told,
            self._at,
            retention=self._terms.retention,
            each=self._each,
            until=until,
        )

    def _undecidable(self, outcome: Outcome) -> Compared:
        """Take upon us what could not be judged, unless somebody has told it today."""
        key = self._notices.key_of(outcome)
        try:
            notice = self._notices.take(key)
        except MemoryUnavailableError as error:
            return Compared(uncompared=(outcome,), problem=str(error))
        if self._notices.is_ours(notice) or outcome.asked:
            return Compared(undecidable=((key, outcome),))
        running = [pending for pending in notice.pending if not notice.told]
        return Compared(given_back=dict.fromkeys(outcome.records, _given_back(running[0])) if running else {})

    def _each(self, values: Iterable[T], work: Callable[[T], R]) -> list[R]:
        values = tuple(values)
        if len(values) < 2:  # noqa: PLR2004  one needs no thread
            return [work(value) for value in values]
        with ThreadPoolExecutor(min(_WRITERS, len(values))) as pool:
            return [*pool.map(work, values)]

    def _counted(self, servers: Mapping[Key, Observed], rows: Mapping[Key, Row]) -> dict[Key, tuple[Part, ...]]:
        """Return what of each server's news counts as told by its causes."""
        opened = {}
        for key, seen in servers.items():
            before, after = self._after(seen, rows[key].item)
            found = news.compare(
                before, after, self._at, token=self._token, judged=judged_here(seen), rules=self._terms.rules
            )
            opened[key] = found.opened
        return self._causes.count(opened, {key: _name(seen.server) for key, seen in servers.items()})

    def _after(self, seen: Observed, item: object) -> tuple[Server, Server]:
        """Return a server as it was, and as it is by what was observed."""
        before = item if isinstance(item, Server) else _new(seen)
        after = before
        for observation in seen.observations:
            after = observe(after, observation, self._at, self._terms.patience)
        if after != before:
            name = seen.server.name if seen.server.name is not UNSET else ""
            team = seen.server.tags.get(self._terms.team_tag, "").strip() if seen.server.tags_known else after.team
            after = replace(after, name=name or after.name, team=team)
        return before, replace(after, told=read_since(after.told, after.denied))

    def _server(self, key: Key, seen: Observed, row: Row, counted: tuple[Part, ...]) -> Compared:
        """Compare one server, and write it with its news as pending."""
        result = News(kind="new")

        def step(item: Server | None) -> Server | None:
            nonlocal result
            before, after = self._after(seen, item)
            after = news.count(after, counted, self._at)
            result = news.compare(
                before,
                after,
                self._at,
                token=self._token,
                counted=counted,
                judged=judged_here(seen),
                rules=self._terms.rules,
            )
            changed = news.touch(before, after, self._at, self._terms.rules)
            changed = news.announce(changed, result, self._at, self._token, self._deadline)
            return self._pruned(changed) if changed != before else item

        try:
            self._write_evidence(seen, row.item)
            server = self._table.update(key, row, self._at, step, keep=self._keep)
            others = [pending for pending in (server.pending if server else ()) if self._is_others(pending)]
            given_back = dict.fromkeys(seen.records, _given_back(others[0])) if others else {}
            entries = (self._entry(key, server, result, seen),) if server and result else ()
        except MemoryUnavailableError as error:
            return _uncompared([seen], error)
        return Compared(entries=entries, given_back=given_back)

    def _is_others(self, pending: Pending) -> bool:
        return pending.token != self._token and pending.is_running(self._at)

    def _entry(self, key: Key, server: Server, found: News, seen: Observed) -> Entry:
        """Return what is to be told of a server, before what has closed has left its causes."""
        causes = {part.cause for part in found.opened}
        outcomes = [cut for outcome in seen.outcomes if (cut := narrowed(outcome, found.opened)) is not None]
        return Entry(
            key=key,
            at=self._at,
            server=server,
            news=found,
            outcomes=tuple(outcomes),
            records=seen.records,
            cause=causes.pop() if len(causes) == 1 else "",
        )

    def _mark(self, entry: Entry, messages: tuple[str, ...], row: Row) -> str:
        """Remember that the news of a server was told; return what went wrong."""
        episode: Episode | None = None

        def step(item: Server | None) -> Server:
            nonlocal episode
            marked, episode = news.mark(item or entry.server, entry.news, self._token, self._at, messages)
            return self._pruned(marked)

        try:
            self._table.update(entry.key, row, self._at, step, keep=self._keep)
            if episode is not None:
                name = f"episode#{entry.key[1].removeprefix('server#')}#{episode.closed}#{self._token}"
                self._table.put((entry.key[0], name), episode, self._at, self._terms.retention)
        except MemoryUnavailableError as error:
            return _unmarked(error)
        return ""

    def _write_evidence(self, seen: Observed, item: object) -> None:
        """Keep the reports that say something new, as they were before the look-ups; drop those that have closed."""
        claims = item.claims if isinstance(item, Server) else {}
        contents = {observation.claim: observation.evidence for observation in seen.observations}
        for claim, report in seen.evidence.items():
            known = claims.get(claim)
            if known is None or known.evidence != contents[claim]:
                self._table.put(evidence_key(report.server, claim), report, self._at)
        after = self._after(seen, item)[1].claims
        for claim, known in claims.items():
            if known.evidence and not after[claim].open:
                self._table.delete(evidence_key(seen.server, claim))

    def _pruned(self, server: Server) -> Server:
        """Drop the closed claims that no late report can reopen any more."""
        claims = {
            key: claim
            for key, claim in server.claims.items()
            if claim.open or self._at < later(claim.since, self._terms.retention)
        }
        return replace(server, claims=claims)

    def _keep(self, server: Server) -> timedelta | None:
        return self._terms.retention if server.is_over else None


def _name(server: finding.Server) -> str:
    return f"{server.name} ({server.id})" if server.name is not UNSET and server.name else server.id


def _undecided(outcomes: Iterable[Outcome]) -> list[Outcome]:
    return [outcome for outcome in outcomes if outcome.kind == "undecidable"]


def _united(compared: Sequence[Compared]) -> Compared:
    """Return several comparisons as one."""
    return Compared(
        entries=tuple(entry for one in compared for entry in one.entries),
        undecidable=tuple(pair for one in compared for pair in one.undecidable),
        uncompared=_each_once(outcome for one in compared for outcome in one.uncompared),
        problem=next((one.problem for one in compared if one.problem), ""),
        given_back={record: why for one in compared for record, why in one.given_back.items()},
    )


def _unobserved(server: Server) -> Observed:
    """Return a server of which nothing new is said."""
    known: dict[str, Any] = {"kind": server.kind, "id": server.id, "account": server.account, "region": server.region}
    return Observed(server=finding.Server(**known, tags={}, tags_known=False))


def _new(seen: Observed) -> Server:
    server = seen.server
    return Server(kind=server.kind, id=server.id, account=server.account, region=server.region)


def _uncompared(servers: Iterable[Observed], error: MemoryUnavailableError) -> Compared:
    """Return what is told as if it were new; what may close something, since nothing of it alerts, is given back."""
    outcomes = _each_once(outcome for seen in servers for outcome in seen.outcomes)
    given_back = {
        record: f"what it closes could not be remembered: {error}"
        for outcome in outcomes
        if not outcome.alerts
        for record in outcome.records
    }
    return Compared(uncompared=outcomes, problem=str(error), given_back=given_back)


def _each_once(outcomes: Iterable[Outcome]) -> tuple[Outcome, ...]:
    """Return each outcome once: one about a group's report may be of several servers."""
    return tuple({id(outcome): outcome for outcome in outcomes}.values())


def _given_back(pending: Pending) -> str:
    return f"another invocation is telling news of the same server until {pending.deadline}"


def _unmarked(error: MemoryUnavailableError) -> str:
    return f"it was told, and that could not be remembered: {error}"
