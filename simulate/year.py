"""Lets time pass: what happens in the world, what the scanner says of it, and what the function makes of that."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from msgspec import Struct

from simulate.faults import Faults, Rates
from simulate.function import Function
from simulate.ledger import Ledger
from simulate.scanner import PERIOD, Reported, Scanner, event
from simulate.table import Table
from simulate.world import ANYWHERE, DAY, HOUR, LIFETIMES, NETWORKS, RISKS, Fleet, Server, World, moment

ADMINISTRATOR = "999988887777"
BATCH, WINDOW, INVISIBLE, RECEIVES = 10, 5, 360, 5
"""The queue as it is deployed: messages a batch, and seconds; then a message rests in the dead-letter queue."""

YEAR = 365 * DAY


class Plan(Struct, frozen=True, kw_only=True):
    """How much there is of everything: servers, days, and how often in a year each thing happens."""

    servers: int = 200
    days: int = 365
    seed: int = 20270101
    opened: int = 700
    widened: int = 250
    replaced: int = 900
    released: int = 24
    touched: int = 200 * 122
    rates: Rates = Rates()


class Year:
    """A run. `table` is the client of the memory's table, `folder` is for the policies."""

    def __init__(self, plan: Plan, folder: Path, client: Any = None, table: str = "portcullis") -> None:
        self.plan = plan
        self._random = Random(plan.seed)  # noqa: S311  the same numbers in every run
        self.faults = Faults(plan.rates, Random(plan.seed + 1))  # noqa: S311
        self.world = World(self._random, plan.servers, plan.days)
        self.scanner = Scanner(self.world, self._random)
        self.ledger = Ledger()
        self.counts: Counter[str] = Counter()
        self._table = Table() if client is None else client
        self._function = Function(self.world, self.faults, folder, self.scanner, self._table, table)
        self._order, self._events = count(), count()
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._queue: list[tuple[float, int, int, str]] = []

    def run(self, passed: Callable[[int], object] = int) -> None:
        """Let the time pass; `passed` gets the number of days after each."""
        self._passed = passed
        plan, end = self.plan, self.plan.days * DAY
        for server in self.world.servers.values():
            self._watch(server)
        for rate, happen in (
            (plan.opened, self._open),
            (plan.widened, self._widen),
            (plan.replaced, self._replace),
            (plan.released, self._release),
            (plan.touched, self._touch),
        ):
            self._often(rate, happen)
        self._later(DAY, self._midnight)
        self._later(HOUR, self._sweep)
        if plan.rates.scanner_off:
            self._later(self._random.uniform(0.3, 0.6) * end, self._switch_off)
        with self._function:
            while self._next() < end:
                if self._queue and (not self._agenda or self._queue[0][0] < self._agenda[0][0]):
                    self._poll()
                else:
                    self.world.now, _, happen = heappop(self._agenda)
                    happen()
        self.world.now = end
        self.ledger.finish(end)

    def _next(self) -> float:
        return min(heap[0][0] for heap in (self._agenda, self._queue) if heap)

    def _later(self, seconds: float, happen: Callable[[], None]) -> None:
        heappush(self._agenda, (self.world.now + seconds, next(self._order), happen))

    def _often(self, rate: float, happen: Callable[[], None]) -> None:
        """Let something happen at random times, so often a year."""

        def happens() -> None:
            happen()
            self._later(self._random.expovariate(rate / YEAR), happens)

        self._later(self._random.expovariate(rate / YEAR), happens)

    # What happens in the world.

    def _changed(self, fleets: Iterable[Fleet]) -> None:
        """Tell the ledger what is true now."""
        for fleet in fleets:
            denied = self.world.denied(fleet)
            opened = {port for rule in fleet.rules.values() for port in rule.ports}
            for server in fleet.servers:
                self.ledger.truth(fleet, server, denied, opened, self.world.now)

    def _open(self) -> None:
        fleet, (low, high) = self._random.choice(self.world.fleets), self._random.choice(RISKS)
        rule = self.world.open(fleet, low, high, self._random.choice([*NETWORKS.values()]))
        self._changed([fleet])

        def close() -> None:
            del fleet.rules[rule.id]
            self._changed([fleet])

        self._later(self._random.choice(LIFETIMES) * self._random.uniform(0.5, 1.5), close)

    def _widen(self) -> None:
        """Widen a rule for a while: from a network to everybody, or by some ports."""
        fleet = self._random.choice(self.world.fleets)
        rule = fleet.rules[self._random.choice([*fleet.rules])] if fleet.rules else None
        if rule is None:
            return
        if rule.source != ANYWHERE:
            wider = type(rule)(rule.id, rule.low, rule.high, ANYWHERE)
        else:
            wider = type(rule)(rule.id, rule.low, rule.high + self._random.randint(1, 4), rule.source)
        fleet.rules[rule.id] = wider
        self._changed([fleet])

        def narrow() -> None:
            if fleet.rules.get(rule.id) == wider:
                fleet.rules[rule.id] = rule
                self._changed([fleet])

        self._later(self._random.choice(LIFETIMES) * self._random.uniform(0.5, 1.5), narrow)

    def _replace(self) -> None:
        server = self._random.choice([*self.world.servers.values()])
        self.world.terminate(server)
        self.ledger.truth(server.fleet, server.id, {}, set(), self.world.now)
        self._watch(self.world.launch(server.fleet))

    def _release(self) -> None:
        self.world.release_policies()
        self._function.release_policies()
        self._changed(self.world.fleets)

    def _touch(self) -> None:
        """Restart a server, or give it another name."""
        server = self._random.choice([*self.world.servers.values()])
        if self._random.random() < 0.2:
            server.tags["Name"] = f"{server.fleet.name}-{moment(self.world.now):%m%d%H%M}"
        self._say(self.scanner.touch(server, self.world.now))

    def _midnight(self) -> None:
        """Let a day begin: allowances may have expired, and DynamoDB deletes what has."""
        if self.world.has_just_expired():
            self._function.forget_decisions()
        self._changed(self.world.fleets)
        self.scanner.forget(self.world.now)
        if isinstance(self._table, Table):
            self._table.expire(moment(self.world.now).timestamp())
        self._passed(self.world.day())
        self._later(DAY, self._midnight)

    # What the scanner says.

    def _watch(self, server: Server) -> None:
        """Let the scanner look at a server from its launch on, and once after its end."""
        self._changed([server.fleet])

        def look() -> None:
            self._look_at(server)
            if server.id in self.world.servers or self.scanner.seen(server.id):
                self._later(PERIOD, look)

        self._later(self._random.uniform(60, PERIOD), look)

    def _look_at(self, server: Server) -> None:
        self._say(self.scanner.scan(server, self.world.now))
        if server.fleet.account not in self.scanner.off:
            self.ledger.seen(server.id, self.scanner.seen(server.id), self.world.now)

    def _switch_off(self) -> None:
        account = self._random.choice(self.world.fleets).account
        self.scanner.switch_off(account)
        self._later(DAY, lambda: self.scanner.off.discard(account))

    def _say(self, findings: Iterable[Reported]) -> None:
        """Publish what has changed, in the account's bus and in the administrator's."""
        for finding in findings:
            for account in (finding.server.fleet.account, ADMINISTRATOR):
                self.counts["events"] += 1
                if not self.faults.happens(self.plan.rates.lost):
                    body = json.dumps(event(finding, next(self._events), account))
                    self._put(self.world.now + self.faults.delay(), 0, body)
                    self._deliver(finding)

    def _deliver(self, finding: Reported) -> None:
        """Tell the ledger what people would have got without the function."""
        server, low, high = finding.range
        ports = [("tcp", port) for port in range(low, high + 1)]
        is_listed = self.world.lists(finding.server.fleet.role, low, high)
        self.ledger.deliver(server, ports, is_open=finding.is_open, is_listed=is_listed, at=self.world.now)

    # What the function gets.

    def _put(self, at: float, receives: int, body: str) -> None:
        heappush(self._queue, (at, next(self._order), receives, body))

    def _poll(self) -> None:
        """Take a batch from the queue, and give it to the function."""
        self.world.now = self._queue[0][0] + WINDOW
        batch: list[tuple[float, int, int, str]] = []
        while self._queue and self._queue[0][0] <= self.world.now and len(batch) < BATCH:
            batch.append(heappop(self._queue))
        records = [{"messageId": str(number), "eventSource": "aws:sqs", "body": body} for _, number, _, body in batch]
        answer = self._invoke({"Records": records})
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]} if answer is not None else None
        for _, number, receives, body in batch:
            if failed is None or str(number) in failed:
                if receives + 1 < RECEIVES:
                    self._put(self.world.now + INVISIBLE, receives + 1, body)
                else:
                    self.counts["dead letters"] += 1

    def _invoke(self, given: dict[str, Any]) -> Any:
        """Invoke the function, and take what it has sent."""
        self.counts["invocations"] += 1
        answer, messages = self._function.invoke(given, self.world.now)
        self.ledger.take(messages, self.world.now)
        return answer

    def _sweep(self) -> None:
        self._invoke({"source": "portcullis.sweep"})
        self._later(HOUR, self._sweep)
