"""Whatever strikes the function between two of its calls, nobody is left without an alert, and few hear it twice."""

from collections import Counter
from datetime import timedelta
from itertools import count
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from mypy_boto3_dynamodb import DynamoDBClient

from tests.memory.invocations import BEGINNING, SECONDS, Fate, Invocation, Mailbox, Report

_APART = {"a": ("i-0a1", 22, 22), "b": ("i-0a1", 22, 23), "c": ("i-0b2", 22, 22)}
_ALIKE = {"a": ("i-0a1", 22, 22), "b": ("i-0b2", 22, 22), "c": ("i-0c3", 22, 22)}
_ROUNDS = 60
_ACCOUNTS = count(100_000_000_000)


class Queue:
    """Some reports in a queue, up to three functions that take them, and what people were told."""

    def __init__(
        self,
        dynamodb: Any,
        table: str,
        said: list[tuple[str, bool]],
        servers: dict[str, tuple[str, int, int]],
        rule: str = "",
    ) -> None:
        self._dynamodb, self._table = dynamodb, table
        account = str(next(_ACCOUNTS))  # the keys of each example are its own, so that one table serves all
        self.reports = {
            f"record-{date}": Report(name, *servers[name], is_open, date, rule, account)
            for date, (name, is_open) in enumerate(said)
        }
        self.waiting = [*self.reports]
        self.running: dict[int, Invocation] = {}
        self.mailbox = Mailbox()
        self.faults: Counter[str] = Counter()
        self.unremembered: set[str] = set()
        """The servers of which an alert went out while the table refused to remember."""
        self._at = BEGINNING + timedelta(seconds=len(said))

    def move(self, slot: int, calls: int, fate: Fate, *, late: bool) -> None:
        """Let the function of a slot, or a new one, make some calls, and then strike it.

        Before that, where it is `late`, the time of all functions is over.
        """
        if late:
            for other in [*self.running]:
                self._step(other, "die")
            self._at += timedelta(seconds=SECONDS + 30)
        if slot not in self.running and self.waiting:
            self._at += timedelta(seconds=1)
            record = self.waiting.pop(0)
            reports = {record: self.reports[record]}
            self.running[slot] = Invocation(reports, self._at, self._dynamodb, self._table, self.mailbox)
        for _ in range(calls):
            if slot in self.running:
                self._step(slot, "go on")
        if fate != "go on" and slot in self.running:
            self._step(slot, fate)

    def _step(self, slot: int, fate: Fate) -> None:
        invocation = self.running[slot]
        [(record, report)] = invocation.reports.items()
        made = len(invocation.calls)
        invocation.step(fate)
        if fate != "go on":
            self.faults[report.server] += 1
            if fate != "die" and invocation.calls[made] != "publish":
                self.unremembered.add(report.server)
        if invocation.is_over:
            del self.running[slot]
            if invocation.failures is None or invocation.failures:
                self.waiting.append(record)

    def drain(self) -> None:
        """Let everything come to its end, without a fault."""
        for _ in range(_ROUNDS):
            for slot in [*self.running]:
                while slot in self.running:
                    self._step(slot, "go on")
            if not self.waiting:
                return
            self._at += timedelta(seconds=SECONDS + 30)
            self.move(0, 0, "go on", late=False)
        raise AssertionError(self.waiting)

    def open_points(self) -> set[tuple[str, int]]:
        """Give what is open by the newest date of each report."""
        newest = {report.name: report for report in self.reports.values()}
        return {point for report in newest.values() if report.is_open for point in report.points}


SAID = st.lists(st.tuples(st.sampled_from("aaabbc"), st.booleans()), min_size=1, max_size=5)
FATES: list[Fate] = ["go on", "go on", "die", "refuse", "lose"]
MOVES = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 8), st.sampled_from(FATES), st.sampled_from([False, False, True])),
    max_size=10,
)


_OPEN_CLOSED_OPEN = [("a", True), ("a", False), ("a", True)]
_DEATH_AFTER_EACH_WORD: list[tuple[int, int, Fate, bool]] = [
    (0, 6, "go on", False),
    (1, 5, "go on", False),
    (0, 3, "go on", True),
]


@example(said=_OPEN_CLOSED_OPEN, moves=[*_DEATH_AFTER_EACH_WORD, (0, 0, "go on", True)])
@example(said=_OPEN_CLOSED_OPEN, moves=[*_DEATH_AFTER_EACH_WORD, (0, 0, "die", True)])
@given(said=SAID, moves=MOVES)
@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_exposure_is_left_untold(
    dynamodb: DynamoDBClient, shared_table: str, said: list[tuple[str, bool]], moves: list[tuple[int, int, Fate, bool]]
) -> None:
    """What is open was told as open last, what is closed as closed last, and each fault adds one telling at most."""
    queue = Queue(dynamodb, shared_table, said, _APART)
    for slot, calls, fate, late in moves:
        queue.move(slot, calls, fate, late=late)
    queue.drain()
    told = queue.mailbox.told
    for point in queue.open_points():
        words = told.get(point, [False])
        assert True in words if point[0] in queue.unremembered else words[-1], point
    for point, words in told.items():
        server, _ = point
        openings = sum(report.is_open and point in report.points for report in queue.reports.values())
        assert words.count(True) <= openings + queue.faults[server], point
        assert words.count(False) <= openings + queue.faults[server], point
        if server not in queue.unremembered and point not in queue.open_points():
            assert not words[-1], point


@given(said=SAID)
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_without_a_fault_each_word_is_said_once(
    dynamodb: DynamoDBClient, shared_table: str, said: list[tuple[str, bool]]
) -> None:
    """One report after the other, a port is told as open when the first opens it, as closed when the last closes it."""
    queue = Queue(dynamodb, shared_table, said, _APART)
    opened: dict[str, Report] = {}
    expected: dict[tuple[str, int], list[bool]] = {}
    for report in [*queue.reports.values()]:
        before = {point for other in opened.values() for point in other.points}
        opened.pop(report.name, None)
        opened |= {report.name: report} if report.is_open else {}
        after = {point for other in opened.values() for point in other.points}
        for point in before ^ after:
            expected.setdefault(point, []).append(point in after)
    queue.drain()
    assert queue.mailbox.told == expected


@given(said=st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), min_size=1, max_size=6), moves=MOVES)
@settings(
    max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_rule_is_left_untold(
    dynamodb: DynamoDBClient,
    shared_table: str,
    said: list[tuple[str, bool]],
    moves: list[tuple[int, int, Fate, bool]],
) -> None:
    """What is open was told as open last, itself or with its rule; when none is, the last word is that it closed."""
    queue = Queue(dynamodb, shared_table, said, _ALIKE, "sgr-1")
    for slot, calls, fate, late in moves:
        queue.move(slot, calls, fate, late=late)
    queue.drain()
    words = [is_open for _, is_open in queue.mailbox.words]
    for point in queue.open_points():
        assert True in words if queue.unremembered else words[-1] or queue.mailbox.told[point][-1], point
    if words and not queue.open_points() and not queue.unremembered:
        assert not words[-1]
