"""The pure part of the memory against a plain reading of what it promises: sets of (port, address) points.

Functions take records, compare, tell and remember, interleaved step by step as the inventory drives them; each may die
between any two steps, and what it did not acknowledge is delivered again. The model keeps what each report says, and
what a person knows from the messages alone.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec.structs import replace

from handler.finding import UNKNOWN
from handler.memory import news
from handler.memory.claims import Observation, observe
from handler.memory.flapping import Rules, touch
from handler.memory.news import News
from handler.memory.parts import Part, read_since
from handler.memory.state import Server, spelled
from tests.memory.points import ADDRESSES, EVERYTHING, completed

_PATIENCE = timedelta(hours=3)
_DEADLINE = timedelta(minutes=5)
_NEVER_FLAPS = Rules(changes=1000)
_PORTS = range(80, 84)
CLAIMS = ("inspector", "prowler", "classic")
_PICKS = st.integers(0, 11)
_SOURCES = ("0.0.0.0/0", "::/0", "10.0.0.0/8", "10.0.0.0/9", "10.128.0.0/9", "sg-1", UNKNOWN)

Point = tuple[int, str]
"""A port and an address."""

Sources = dict[int, frozenset[tuple[str, bool]]]
"""By port the sources, each with whether it is denied."""


@dataclass
class Record:
    """A report: what it opens, or nothing where it has closed, and whether it is acknowledged."""

    claim: str
    number: int
    opens: tuple[Part, ...] | None
    confirmed: bool = True
    acknowledged: bool = False

    @property
    def observation(self) -> Observation:
        """What the memory gets of it."""
        date = spelled(datetime(2026, 11, 1, tzinfo=UTC) + timedelta(seconds=self.number))
        return Observation(
            claim=self.claim,
            reporter=self.claim,
            report=self.claim,
            observed=date,
            parts=self.opens,
            confirmed=self.confirmed,
        )


@dataclass(eq=False)
class Function:
    """An invocation: its records, and what it has come to."""

    token: str
    at: str
    deadline: datetime
    records: tuple[Record, ...]
    news: News | None = None
    gives_back: bool = False
    is_told: bool = False
    repeats: dict[tuple[int, str], set[Point]] = field(default_factory=dict)

    @property
    def named(self) -> set[Point]:
        """The points that it tells of."""
        return _points((*self.news.opened, *self.news.closed)) if self.news else set()


@dataclass
class Claim:
    """What a report says, read plainly."""

    number: int = -1
    is_open: bool = False
    sources: Sources = field(default_factory=dict)
    unread_since: datetime | None = None


@dataclass
class Person:
    """What a person knows: the addresses told by port, and the ports that were told as open to `unknown`."""

    known: dict[int, frozenset[str]] = field(default_factory=dict)
    unread: set[int] = field(default_factory=set)

    def believes(self, port: int) -> frozenset[str]:
        """Return the addresses that a person takes for open."""
        return EVERYTHING if port in self.unread else completed(self.known.get(port, ()))

    def is_owed(self, port: int, source: str) -> bool:
        """Return whether a person takes any of a source for open, and is to hear that it has closed."""
        return port in self.unread or bool(ADDRESSES[source] & self.believes(port))

    def hears(self, told: News, wider: Iterable[Part] = ()) -> None:
        """Take what a message says: what closes, but for what it says is still open, and then what opens.

        `wider` is what was found open after it and told before it: that is open, whatever closes within it.
        """
        still = _points((*told.before, *wider))
        for port, source in _places(told.closed):
            kept = completed(self.known.get(port, ())) & {address for place, address in still if place == port}
            self.unread -= {port} if source == UNKNOWN else set()
            self.known[port] = (self.known.get(port, frozenset()) - frozenset(ADDRESSES[source])) | kept
        for port, source in _places(told.opened):
            if source == UNKNOWN:
                self.unread.add(port)
            else:
                self.known[port] = self.known.get(port, frozenset()) | ADDRESSES[source]
                self.unread -= {port} if completed(self.known[port]) == EVERYTHING else set()


def _places(parts: Iterable[Part]) -> list[tuple[int, str]]:
    return [(port, part.source) for part in parts for port in range(part.from_port, part.to_port + 1)]


def _place(port: int, source: str) -> Part:
    return Part("tcp", port, port, source)


def _points(parts: Iterable[Part]) -> set[Point]:
    """Return the points of some parts."""
    addresses: dict[int, set[str]] = {}
    for port, source in _places(parts):
        addresses.setdefault(port, set()).update(ADDRESSES[source])
    return {(port, address) for port, here in addresses.items() for address in completed(here)}


@st.composite
def opened(draw: st.DrawFn) -> tuple[Part, ...]:
    """Draw what a scanner reports: for up to three ranges a source, and whether the gate allows it."""
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        low, high = sorted((draw(st.sampled_from(_PORTS)), draw(st.sampled_from(_PORTS))))
        source = draw(st.sampled_from(_SOURCES))
        severity = draw(st.sampled_from(["high", "high", "high", ""]))
        parts.append(Part("tcp", low, high, source, severity=severity))
    return tuple(parts)


class Memory(RuleBasedStateMachine):
    """One server, three scanners and up to three functions at a time."""

    limits = _NEVER_FLAPS

    def __init__(self) -> None:
        super().__init__()
        self.now = datetime(2026, 12, 1, tzinfo=UTC)
        self.server = Server(kind="instance", id="i-0abc", account="111122223333", region="eu-west-1")
        self.records: list[Record] = []
        self.functions: list[Function] = []
        self.tokens = 0
        self.dates = 0
        self.claims = {name: Claim() for name in CLAIMS}
        self.person = Person()
        self.announced: list[Function] = []
        self.telling: set[tuple[str, int]] = set()
        self.faults: list[set[Point]] = []
        self.repeats: Counter[tuple[int, str]] = Counter()

    # What happens outside

    @rule(claim=st.sampled_from(CLAIMS), parts=opened(), count=st.integers(0, 1))
    def report(self, claim: str, parts: tuple[Part, ...], count: int) -> None:
        """Let a scanner report what is open, at times twice."""
        self.dates += 1
        self.records += [Record(claim, self.dates, parts) for _ in range(1 + count)]

    @rule(
        claim=st.sampled_from(CLAIMS),
        later=st.sampled_from([1, 1, 1, 0]),
        confirmed=st.sampled_from([True, True, False]),
    )
    def close(self, claim: str, later: int, *, confirmed: bool) -> None:
        """Let a scanner close its report, at times by the date of its last one."""
        self.dates += later
        self.records.append(Record(claim, self.dates, None, confirmed))

    @rule(minutes=st.sampled_from([1, 4, 20, 100, 240]))
    def wait(self, minutes: int) -> None:
        """Let time pass; a function that is past its deadline is dead."""
        self.now += timedelta(minutes=minutes)
        for function in [function for function in self.functions if self.now > function.deadline]:
            self._die(function)

    @precondition(lambda self: not self.functions)
    @rule()
    def jump_back(self) -> None:
        """Let the clock jump back a day."""
        self.now -= timedelta(days=1)

    # What functions do, a step at a time

    @precondition(lambda self: self.records and len(self.functions) < 3)
    @rule(picks=st.lists(_PICKS, min_size=1, max_size=3), again=st.none() | _PICKS)
    def invoke(self, picks: list[int], again: int | None) -> None:
        """Deliver records to a function: new ones and, once in a while, one that was acknowledged."""
        waiting = [record for record in self.records if not record.acknowledged] or self.records
        records = {id(record): record for record in (waiting[pick % len(waiting)] for pick in picks)}
        repeated = [self.records[again % len(self.records)]] if again is not None else []
        self._invoke([*records.values(), *repeated])

    @precondition(lambda self: self.functions)
    @rule(pick=_PICKS)
    def go_on(self, pick: int) -> None:
        """Let a function take its next step."""
        self._step(self.functions[pick % len(self.functions)])

    @precondition(lambda self: self.functions)
    @rule(pick=_PICKS)
    def go_further(self, pick: int) -> None:
        """Let a function take its next step, which is more likely than death."""
        self._step(self.functions[pick % len(self.functions)])

    @precondition(lambda self: self.functions)
    @rule(pick=_PICKS)
    def die(self, pick: int) -> None:
        """Let a function die before its next step."""
        self._die(self.functions[pick % len(self.functions)])

    @rule()
    def come_to_rest(self) -> None:
        """Let everything be delivered: what is open is known to a person, and nothing else is."""
        while self.functions:
            self._step(self.functions[0])
        for _ in range(4):
            self.now += timedelta(minutes=20)
            for record in self.records:
                if not record.acknowledged:
                    self._invoke([record])
                    while self.functions:
                        self._step(self.functions[0])
        assert all(record.acknowledged for record in self.records)
        self._settle()
        self._check_at_rest()

    def teardown(self) -> None:
        """Come to rest in the end."""
        self.come_to_rest()

    def _settle(self) -> None:
        """Let what is held back be told."""

    def _check_at_rest(self) -> None:
        assert not self.server.pending
        for port in _PORTS:
            denied, believed = self._denied(port), self.person.believes(port)
            assert denied <= believed, f"{port} is open to {sorted(denied - believed)}, and nobody was told"
            if not (port in self.person.unread and denied):
                assert believed <= denied, f"{port} is open to {sorted(believed - denied)} no more; nobody was told"

    @invariant()
    def what_is_open_is_the_union_of_the_claims(self) -> None:
        """Compare what the memory takes for denied with the reports, read plainly."""
        denied = self.server.denied
        for port in _PORTS:
            here = {source for place, source in _places(denied) if place == port}
            assert completed(address for source in here for address in ADDRESSES[source]) == self._denied(port)

    # A function's steps

    def _invoke(self, records: list[Record]) -> None:
        self.tokens += 1
        function = Function(f"token-{self.tokens}", spelled(self.now), self.now + _DEADLINE, tuple(records))
        self.functions.append(function)

    def _step(self, function: Function) -> None:
        if function.news is None:
            self._compare(function)
        elif function.news and not function.is_told:
            self._tell(function, function.news)
            function.is_told = True
        else:
            self._mark(function, function.news)

    def _compare(self, function: Function) -> None:
        """Observe, compare and announce in one write, as the inventory does."""
        before, after = self._observed(function)
        judged = tuple(part for record in function.records for part in record.opens or () if part.denied)
        found = news.compare(before, after, function.at, token=function.token, judged=judged, rules=self.limits)
        changed = touch(before, after, function.at, self.limits)
        self.server = news.announce(changed, found, function.at, function.token, spelled(function.deadline))
        self._announced(function, found)
        function.gives_back = any(pending.token != function.token for pending in self.server.pending)

    def _observed(self, function: Function) -> tuple[Server, Server]:
        """Return the server as it was, and as it is by the records of a function."""
        after = self.server
        for record in function.records:
            observed = observe(after, record.observation, function.at, _PATIENCE)
            assert observed is not after or observed == after
            after = observed
            self._observe(record, function.at)
        return self.server, replace(after, told=read_since(after.told, after.denied))

    def _announced(self, function: Function, found: News) -> None:
        """Take up what a function is about to tell."""
        self._narrow()
        function.repeats = self._repeats(found)
        function.news = found
        self.announced.append(function)

    def _repeats(self, told: News) -> dict[tuple[int, str], set[Point]]:
        """Return what a person knows already, or by what others are about to tell, with where a fault accounts for it.

        That is any point of a port that is taken for open to everything: what it is made of may not be remembered.
        """
        person = Person(dict(self.person.known), set(self.person.unread))
        for other in self.announced:
            if other in self.functions and other.news and not other.is_told:
                person.hears(other.news)
        again = {place for place in _places(told.opened) if completed(ADDRESSES[place[1]]) <= person.believes(place[0])}
        not_owed = {place for place in _places(told.closed) if not person.is_owed(*place)}
        return {
            place: _points(
                [_place(*place), *([_place(place[0], UNKNOWN)] if person.believes(place[0]) == EVERYTHING else [])]
            )
            for place in again | not_owed
        }

    def _tell(self, function: Function, told: News) -> None:
        """Hear a message: whatever it repeats, a fault must have struck."""
        self.repeats.update(list(function.repeats))
        for place, reach in function.repeats.items():
            struck = sum(not fault.isdisjoint(reach) for fault in self.faults)
            assert self.repeats[place] <= struck, f"{place} was told again without a fault"
        self.telling |= {(function.token, port) for port, source in _places(told.opened) if source == UNKNOWN}
        later = [
            other.news for other in self.announced[self.announced.index(function) :] if other.is_told and other.news
        ]
        closed = _points(told.closed)
        self.person.hears(
            told,
            [
                _place(*place)
                for message in later
                for place in _places(message.opened)
                if not _points([_place(*place)]) <= closed
            ],
        )

    def _mark(self, function: Function, told: News) -> None:
        if told:
            self.server, _ = news.mark(self.server, told, function.token, function.at, (function.token,))
            self.telling = {(token, port) for token, port in self.telling if token != function.token}
        for record in function.records:
            record.acknowledged = not function.gives_back
        self.functions.remove(function)

    def _die(self, function: Function) -> None:
        self.faults.append(function.named)
        for record in function.records:
            record.acknowledged = False
        self.functions.remove(function)

    # The plain reading

    def _observe(self, record: Record, at: str) -> None:
        """Read a report plainly: the newest of a scanner counts, and open wins where two are of one time."""
        claim = self.claims[record.claim]
        if record.number < claim.number:
            return
        if record.opens is None:
            if record.confirmed and not (claim.is_open and record.number == claim.number):
                self.claims[record.claim] = Claim(number=record.number)
            return
        sources = {
            port: frozenset((part.source, part.denied) for part in record.opens if port in _span(part))
            for port in _PORTS
        }
        self.claims[record.claim] = self._read(claim, record.number, sources, at)

    def _read(self, claim: Claim, number: int, sources: Sources, at: str) -> Claim:
        """Read a report's sources: those that could not be looked up are what they were, and are borne with a while."""
        before = claim.sources if claim.is_open else {}
        failing = False
        result: Sources = {}
        for port, here in sources.items():
            unread = {pair for pair in here if pair[0] == UNKNOWN}
            earlier = before.get(port, frozenset())
            known = {pair for pair in earlier if pair[0] != UNKNOWN}
            was_unread = any(name == UNKNOWN for name, _ in earlier)
            result[port] = here
            if unread and known:
                result[port] = (here - unread) | known | (unread if was_unread else set())
                failing = failing or not was_unread or claim.unread_since is not None
        now = datetime.fromisoformat(at)
        since = min(claim.unread_since or now, now) if failing else None
        if since is not None and now - since >= _PATIENCE:
            result = {
                port: result[port] | {pair for pair in here if pair[0] == UNKNOWN} for port, here in sources.items()
            }
        return Claim(number=number, is_open=True, sources=result, unread_since=since)

    def _denied(self, port: int) -> frozenset[str]:
        """Return the addresses that are denied at a port by any report."""
        here = [pair for claim in self.claims.values() if claim.is_open for pair in claim.sources.get(port, ())]
        return completed(address for source, denied in here if denied for address in ADDRESSES[source])

    def _narrow(self) -> None:
        """Let what was told as `unknown` be what has been read since, unless a function is about to remember it."""
        running = {pending.token for pending in self.server.pending}
        for port in self.person.unread - {port for token, port in self.telling if token in running}:
            denied, known = self._denied(port), self.person.known.get(port, frozenset())
            if denied and denied != EVERYTHING:
                self.person.known[port] = known | (denied - completed(known))
                self.person.unread.discard(port)


def _span(part: Part) -> range:
    return range(part.from_port, part.to_port + 1)


class FlappingMemory(Memory):
    """The same where two changes in two hours are as many as are told."""

    limits = Rules(changes=2, window=timedelta(hours=2))

    def __init__(self) -> None:
        super().__init__()
        self.held: set[Point] = set()
        """Ports and sources of which nothing is told."""
        self.changes: list[tuple[str, set[Point]]] = []
        """When which points changed, as messages named them, or as they would have if nothing were held back."""
        self.flapped: dict[str, set[Point]] = {}
        """By function what its message says to flap, or to have come to rest."""

    def _settle(self) -> None:
        for _ in range(2):
            self.now += self.limits.window
            self._invoke([])
            while self.functions:
                self._step(self.functions[0])
        assert not self.server.flapped
        assert not self.held

    def _compare(self, function: Function) -> None:
        """Compare, and hold that back which has changed twice by itself, until it has been quiet, and nothing else."""
        before, claims, told = self._sources(), self.server.claims, self.server.told
        quiet = {place for place in self.held if not self._times(function.at, place, set.isdisjoint)}
        settled_by_others = any(other.news and other.news.kind == "settled" for other in self.functions)
        super()._compare(function)
        assert function.news is not None
        named = {*_places(function.news.opened), *_places(function.news.closed)}
        if quiet and not settled_by_others:
            self.flapped[function.token], kind = quiet, "settled"
        else:
            often = {place for place in named if self._times(function.at, place, _lacks) >= self.limits.changes}
            self.flapped[function.token], kind = often, "flapping"
        assert set(_places(function.news.flapped)) == self.flapped[function.token]
        assert (function.news.kind == kind) == bool(self.flapped[function.token])
        held = self.held - quiet
        silent = held if kind == "settled" else self.held
        assert not _within(named, silent), "it was told, though a message has said that it flaps"
        if self.server.claims != claims or read_since(told, self.server.denied) != told:
            self.changes = [change for change in self.changes if self._is_recent(change[0], function.at)]
            after = self._sources()
            changed = _gone(before, after, held) | _gone(after, before, held)
            self.changes += [(function.at, _points([_place(*place) for place in changed]))] if changed else []

    def _mark(self, function: Function, told: News) -> None:
        super()._mark(function, told)
        if told:
            self.changes.append((function.at, function.named))
            flapped = self.flapped[function.token]
            self.held = self.held - flapped if told.kind == "settled" else self.held | flapped
        assert set(_places(self.server.flapped)) == self.held

    def _times(self, at: str, place: Point, lacks: Callable[[set[Point], set[Point]], bool]) -> int:
        """Return how many of the changes in the window do not lack a port and source."""
        points = _points([_place(*place)])
        return sum(self._is_recent(when, at) and not lacks(points, changed) for when, changed in self.changes)

    def _is_recent(self, when: str, at: str) -> bool:
        return timedelta() <= datetime.fromisoformat(at) - datetime.fromisoformat(when) < self.limits.window

    def _sources(self) -> set[Point]:
        """Return the ports and sources that are denied by any report."""
        return {
            (port, source)
            for claim in self.claims.values()
            if claim.is_open
            for port, here in claim.sources.items()
            for source, denied in here
            if denied
        }


def _lacks(points: set[Point], changed: set[Point]) -> bool:
    return not points <= changed


def _within(places: set[Point], cover: set[Point]) -> set[Point]:
    """Return the ports and sources all points of which are among those of others."""
    covered = _points([_place(*place) for place in cover])
    return {place for place in places if _points([_place(*place)]) <= covered}


def _gone(old: set[Point], new: set[Point], held: set[Point]) -> set[Point]:
    """Return what of some held ports and sources, and of what lies in them, was open and is not as a whole any more."""
    before = _within(held, old) | _within(old, held)
    return before - _within(before, new)


_EXAMPLES = int(os.environ.get("EXAMPLES", "0"))
SETTINGS = settings(
    max_examples=_EXAMPLES or 100, stateful_step_count=40, deadline=None, derandomize=not _EXAMPLES, print_blob=True
)
"""The same sequences in every run; EXAMPLES=2000 runs so many others."""

Memory.TestCase.settings = SETTINGS
FlappingMemory.TestCase.settings = SETTINGS
TestMemory = Memory.TestCase
TestFlappingMemory = FlappingMemory.TestCase
