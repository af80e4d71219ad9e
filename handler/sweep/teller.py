"""Tells what a sweep has found, gathered from many batches: one cause, or one policy release, is one message."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from msgspec import Struct
from msgspec.structs import replace

from handler import alert, log
from handler.alert import notices
from handler.alert.notices import Noticed
from handler.finding import Closed, Finding
from handler.invocation import Gate, Judged
from handler.lookup import LookUp
from handler.memory.comparison import Compared, uncompared, unite
from handler.memory.observing import key_of
from handler.memory.state import Notice, Server
from handler.memory.store import Key
from handler.outcome import Engine, Outcome
from handler.settings import Settings
from handler.sweep.clock import Clock
from handler.sweep.noticing import key_of as notice_key
from handler.sweep.noticing import of_decision
from handler.sweep.summary import Summary
from handler.sweep.unread import borne
from handler.sweep.unused import allowing
from handler.telling import Remembering, send

_MOST, _LONGEST = 200, 60
"""Servers that one message can name, and seconds that news may wait."""

_TOLD_FOR = timedelta(days=90)
"""For how long it is remembered that something noticed was told."""

_LOGGER = logging.getLogger(__name__)


class Means(Struct, frozen=True, kw_only=True):
    """What judging and telling takes."""

    settings: Settings
    gate: Gate
    look_up: LookUp | None
    engine: Engine
    publisher: alert.Publisher
    memory: Remembering


class Teller:
    """What a sweep has found and not told yet. `name` is the invocation's, `summary` counts what is done.

    `used` are the allowances by which something is open of what was judged.
    """

    def __init__(self, means: Means, name: str, clock: Clock, summary: Summary) -> None:
        self.means = replace(means, look_up=means.memory.with_tags(means.look_up, required=True))
        self._name = name
        self.clock = clock
        self.summary = summary
        self._patience = timedelta(hours=means.settings.memory_unread_hours)
        self.used: set[str] = set()
        self._noticed: dict[Key, Noticed] = {}
        self._number = 0
        self._begin()

    def _begin(self) -> None:
        """Begin to gather. News that is not told within a while is anybody's, so each gathering has its own time."""
        self._number += 1
        seconds = min(self.clock.send_until - self.clock.judge_until + self.clock.seconds, 10 * _LONGEST)
        token = f"{self._name}.sweep{self._number}"
        self._inventory = self.means.memory.inventory(token, self.clock.now, seconds)
        self._since = self.clock.seconds
        self._compared: list[Compared] = []
        self._servers: set[Key] = set()

    def notice(self, noticed: Iterable[Noticed]) -> None:
        """Have something told, unless it was told before."""
        self._noticed |= {notice_key(each): each for each in noticed}

    def tell_noticed(self) -> None:
        """Tell what was noticed, one message a team; what one had no room for is told by the next sweep."""
        table, settings, at = self.means.memory.table, self.means.settings, self.clock.at
        rows = table.read(self._noticed, at) if self._noticed and settings.mode == "alert" else {}
        by_team: dict[str, list[tuple[str, Noticed]]] = {}
        keys = {" ".join(key): key for key, row in rows.items() if row.item is None}
        for name, key in keys.items():
            by_team.setdefault(notices.team(self._noticed[key], settings), []).append((name, self._noticed[key]))
        alerts = alert.Alerts(settings, self.means.engine, self.means.publisher, self.clock.send_until)
        for told in by_team.values():
            message = notices.message(told, at, settings, self.means.engine)
            failures = alerts.publish([message])
            self.summary.problems.update({*failures.values()})
            for name in [entry["episode"] for entry in message.data["news"]] if not failures else ():
                table.update(keys[name], rows[keys[name]], at, lambda _: Notice(told=True), keep=lambda _: _TOLD_FOR)
        self.summary.messages += alerts.count
        self.summary.noticed += sum(map(len, by_team.values()))

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits to be told."""
        return not self._compared

    def add(self, judged: Judged, *, again: bool = False) -> None:
        """Remember what was judged; what of it is news is told sooner or later."""
        self._renew()
        self.summary.problems.update(judged.failures.values())
        at, days = self.clock.at, self.means.settings.sweep_expiring_days
        judged = borne(judged, self.means.memory.table, at, self._patience)
        for outcome in judged.outcomes:
            if outcome.decision is not None:
                self.notice(of_decision(outcome.decision, at, days))
        self.used |= allowing(judged.outcomes)
        touched = _touched(judged.outcomes)
        if touched & self._servers or any(key[1].startswith("server#security_group#") for key in touched):
            self.flush()  # the same server is compared again only after what it had to tell was told
        try:
            compared = self._inventory.compare(judged.outcomes, judged.elsewhere, again=again)
        except Exception as error:
            _LOGGER.exception("the memory has an error")
            compared = uncompared(judged.outcomes, repr(error))
        self._gather(compared)

    def settle(self, servers: Mapping[Key, Server]) -> None:
        """Tell what is pending, overdue or owed of servers of which nothing is judged."""
        self._renew()
        if servers.keys() & self._servers:
            self.flush()
        if servers:
            self._gather(self._inventory.settle(servers))

    def _gather(self, compared: Compared) -> None:
        if compared.uncompared:  # it is known, and not told as if it were new: the next sweep looks again
            self.summary.problems[f"{compared.problem}: what is open there was not compared"] += 1
        compared = replace(compared, uncompared=(), given_back={})
        if compared.entries or compared.undecidable:
            self._compared.append(compared)
            self._servers |= {entry.key for entry in compared.entries}
        if len(self._servers) >= _MOST:
            self.flush()

    def _renew(self) -> None:
        """Tell what has waited for long, and begin anew."""
        if self._since - self.clock.seconds > _LONGEST:
            self.flush()

    def flush(self) -> None:
        """Tell what has gathered."""
        compared, inventory = unite(self._compared), self._inventory
        if self._compared:
            outcomes = [outcome for entry in compared.entries for outcome in entry.outcomes]
            alerts = alert.Alerts(self.means.settings, self.means.engine, self.means.publisher, self.clock.send_until)
            told, failures = send(outcomes, compared, alerts, inventory)
            self.summary.problems.update(failures.values())
            self.summary.messages += alerts.count
            entries = [entry for entry in compared.entries if entry.key in told]
            self.summary.told += sum(bool(entry.news.opened) for entry in entries)
            self.summary.closed += sum(bool(entry.closed) for entry in entries)
            for outcome in (*outcomes, *(outcome for _, outcome in compared.undecidable)):
                alerted = failures.keys().isdisjoint(outcome.records)
                _LOGGER.info(outcome.kind, extra={"fields": {**log.fields(outcome), "alerted": alerted, "by": "sweep"}})
        self._begin()


def _touched(outcomes: Sequence[Outcome]) -> set[Key]:
    """Return the servers that outcomes are about, and those that their reports name."""
    reports = [report for outcome in outcomes for report in (outcome.report, *outcome.claims)]
    return {key_of(report.server) for report in reports if isinstance(report, Finding | Closed)}
