"""A sweep, from its start until every account and Region was looked at, over as many invocations as that takes.

Without a queue one invocation takes one place (an account and Region) after the other, and the next goes on where it
has ended. With a queue it sends a message for each place, and invocations of the same function take them.
"""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from msgspec import MsgspecError, Struct
from msgspec.structs import replace

from handler import aws
from handler.canary import SWEEP
from handler.errors import MemoryUnavailableError
from handler.memory.state import LONGEST, Run, later
from handler.memory.store import Key, Table
from handler.settings import Settings
from handler.sweep import unused
from handler.sweep.again import Again
from handler.sweep.clock import Clock
from handler.sweep.listing import Listed, Lister
from handler.sweep.places import scanned
from handler.sweep.summary import Summary
from handler.sweep.teller import Means, Teller

_KEY: Key = ("all", "run#sweep")

_LISTED = "server#"
"""How far a place is that was listed, before the first server of it is judged again."""

_ASKED = ("run", "account", "region")
"""What a message about one place of a sweep says."""

_DAY = len("2026-11-24")
_AT_ONCE, _NAMED = 10, 20
"""Messages that SQS takes in one call, and places that a sentence names."""

_LOGGER = logging.getLogger(__name__)


def sweep(means: Means, name: str, clock: Clock, *, watch: Callable[[list[str]], Iterable[str]] = iter) -> Summary:
    """Look at everything that is remembered as open, and tell what of it is news.

    `name` is the invocation's, `watch` gives the places and may count them. What no time is left for is done by
    the next sweep. Raises `MemoryUnavailableError` where the table cannot be read at all.
    """
    summary = Summary()
    run = _begin(means, name, clock, summary)
    summary.show(run)
    if run.is_others(name, clock.at):
        summary.note = f"the sweep of {run.started} is still at work, until {run.until} at the latest: nothing was done"
        return summary
    _Work(means, name, clock, summary, run).look_at(watch([*run.waiting]))
    return summary


def distinct(events: Iterable[Any]) -> list[dict[str, Any]]:
    """Return the events of sweeps, those that ask for the same once: one that begins a sweep has no `run`."""
    asked = {"run" in event and json.dumps([event.get(key) for key in _ASKED]): event for event in events}
    return [*asked.values()]


def run(means: Means, name: str, clock: Clock, event: Mapping[str, Any]) -> Summary:
    """Do what an event of a sweep asks for. Raises `MemoryUnavailableError` where the table cannot be read at all."""
    if "run" in event:
        return sweep_place(means, name, clock, event)
    return hand_out(means, clock) if means.settings.sweep_queue_url else sweep(means, name, clock)


def hand_out(means: Means, clock: Clock) -> Summary:
    """Begin a sweep, and send a message for each place of it; those that the last one has not done come first."""
    summary, table, settings = Summary(), means.memory.table, means.settings
    row = table.read([_KEY], clock.at)[_KEY]
    late = row.item.waiting if isinstance(row.item, Run) else {}
    if late:
        others = f" and {len(late) - _NAMED} more" if len(late) > _NAMED else ""
        where = ", ".join(place.replace("#", " ") for place in [*late][:_NAMED])
        summary.problems[f"the last sweep has not done {len(late)} accounts and Regions: {where}{others}"] += 1
    places = {**late, **dict.fromkeys(sorted(_places(table, settings, summary) - late.keys()), "")}
    run = _new(row.item, clock.at, places, summary)
    table.update(_KEY, row, clock.at, lambda _: run)
    summary.show(run)
    summary.note = f"{len(places)} accounts and Regions are to be looked at by others"
    queue = settings.sweep_queue_url
    client = aws.client("sqs", settings.alert_topic_arn.split(":")[3])
    entries = [{"Id": str(number), "MessageBody": _message(place, run)} for number, place in enumerate(places)]
    for first in range(0, len(entries), _AT_ONCE):
        batch = entries[first : first + _AT_ONCE]
        try:
            failed = client.send_message_batch(QueueUrl=queue, Entries=batch).get("Failed", [])
            problems = [f"{entry['Code']}: {entry.get('Message', '')}" for entry in failed]
        except (BotoCoreError, ClientError) as error:
            problems = [str(error)] * len(batch)
        summary.problems.update(f"SQS did not take a message of the sweep: {problem}" for problem in problems)
    return summary


def _message(place: str, run: Run) -> str:
    account, _, region = place.partition("#")
    return json.dumps({"source": SWEEP, "account": account, "region": region, "run": run.started})


def sweep_place(means: Means, name: str, clock: Clock, event: Mapping[str, Any]) -> Summary:
    """Look at the place that a message names; one that comes again finds how far the place is."""
    summary, place = Summary(), f"{event.get('account')}#{event.get('region')}"
    item = means.memory.table.read([_KEY], clock.at)[_KEY].item
    run = item if isinstance(item, Run) else Run(started="", places=0)
    summary.show(run)
    if run.started != event["run"] or place not in run.waiting:
        why = "another has begun since" if run.started != event["run"] else "it was looked at before"
        summary.note = f"{place} is not looked at for the sweep of {event['run']}: {why}"
        return summary
    summary.place = place
    _Work(means, name, clock, summary, run).look_at([place])
    return summary


class _Work:
    """What one invocation does of a sweep, and how far that has come in each place."""

    def __init__(self, means: Means, name: str, clock: Clock, summary: Summary, run: Run) -> None:
        self._table = means.memory.table
        self._clock = clock
        self._summary = summary
        self._run = run
        self._teller = Teller(means, name, clock, summary)
        self._lister = Lister(self._teller) if means.settings.sweep_scanners else None
        self._again = Again(self._teller)
        self._reached: dict[str, str | None] = {}
        self._unused_on = ""

    def look_at(self, places: Iterable[str]) -> None:
        """Look at places for as long as there is time, tell what has gathered, and remember how far this has come."""
        try:
            for number, place in enumerate(places):
                if (number and self._clock.is_over) or not self._tried(place):
                    self._summary.problems["no time was left for all of it: the next sweep goes on there"] += 1
                    break
        except MemoryUnavailableError as error:
            self._summary.problems[f"it ended early: {error}"] += 1
        self._teller.flush()
        self._teller.tell_noticed()
        self._tell_unused(self._keep(is_over=True))

    def _tell_unused(self, run: Run | None) -> None:
        """Tell of allowances that are not used, where this is the end of the day's first sweep that saw everything.

        Only what is listed shows all that is open.
        """
        settings, at = self._teller.means.settings, self._clock.at
        if not settings.sweep_unused_days or self._lister is None:
            return
        try:
            unused.remember_used(self._table, self._teller.used, at)
            if self._clock.is_over or run is None or run.waiting or run.unseen or run.unused_on >= at[:_DAY]:
                return
            days, until = settings.sweep_unused_days, self._clock.judge_until
            self._teller.notice(unused.look(self._table, settings.policies_path, at, days, until))
            self._teller.tell_noticed()
            self._unused_on = at[:_DAY]
            self._keep(is_over=True)
        except (MemoryUnavailableError, MsgspecError) as error:
            self._summary.problems[f"it did not look for allowances that are not used: {error}"] += 1

    def _tried(self, place: str) -> bool:
        """Look at a place; one in which Portcullis has an error is said, and keeps the sweep from no other."""
        try:
            return self._look_at(place)
        except MemoryUnavailableError:
            raise
        except Exception as error:
            _LOGGER.exception("the sweep has an error")
            problem = f"{type(error).__name__}: {error}; this is a bug, please report it"
            self._summary.problems[f"{place.replace('#', ' ')} was looked at in part: {problem}"] += 1
            self._summary.unseen += 1
            self._reached[place] = None
            return True

    def _look_at(self, place: str) -> bool:
        """List a place, unless that was done, and judge again what is remembered of it; return whether that is all."""
        listed, after = None if self._lister else Listed(), self._run.waiting[place]
        if self._lister is not None and not after:
            listed, after = self._lister.look_at(place), _LISTED
            self._reached[place] = after
            if self._clock.is_over:
                return False
        for cursor in self._again.judge(place, after, listed):
            self._reached[place] = cursor
            if self._teller.is_empty:
                self._keep()
            if self._clock.is_over:
                return False
        self._reached[place] = None
        return True

    def _keep(self, *, is_over: bool = False) -> Run | None:
        """Remember how far this has come; not where another invocation has taken the sweep, or begun another."""

        def step(run: Run | None) -> Run | None:
            if run is None or (run.started, run.token) != (self._run.started, self._run.token):
                return run
            waiting = {place: self._reached.get(place, after) for place, after in run.waiting.items()}
            left = {place: after for place, after in waiting.items() if after is not None}
            until = later(self._clock.at, LONGEST) if run.token and not is_over else ""
            return replace(
                run,
                waiting=left,
                unseen=run.unseen or self._summary.unseen > 0,
                unused_on=max(run.unused_on, self._unused_on),
                until=until,
            )

        row = self._table.read([_KEY], self._clock.at)[_KEY]
        run = self._table.update(_KEY, row, self._clock.at, step)
        self._summary.left = len(run.waiting) if run is not None else 0
        return run


def _begin(means: Means, name: str, clock: Clock, summary: Summary) -> Run:
    """Take the sweep that is not done upon us, or begin a new one; return that of others where they are at work."""
    table = means.memory.table
    row = table.read([_KEY], clock.at)[_KEY]
    before = row.item if isinstance(row.item, Run) else None
    if before is not None and before.is_others(name, clock.at):
        return before
    places: set[str] = set()
    if before is None or not before.waiting:
        places = _places(table, means.settings, summary)

    def take(run: Run | None) -> Run:
        if run is not None and run.is_others(name, clock.at):
            return run
        if run is None or not run.waiting:
            run = _new(run, clock.at, dict.fromkeys(sorted(places), ""), summary)
        return replace(run, token=name, until=later(clock.at, LONGEST))

    return table.update(_KEY, row, clock.at, take) or Run(started=clock.at, places=0)


def _new(before: Struct | None, at: str, places: Mapping[str, str], summary: Summary) -> Run:
    """Return a sweep that begins now."""
    unused_on = before.unused_on if isinstance(before, Run) else ""
    return Run(started=at, places=len(places), waiting=dict(places), unseen=summary.unseen > 0, unused_on=unused_on)


def _places(table: Table, settings: Settings, summary: Summary) -> set[str]:
    return {*table.partitions(), *scanned(settings, summary)}
