"""A sweep, from its start until every account and Region was looked at, over as many invocations as that takes."""

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from handler.invocation import Gate
from handler.lookup import LookUp
from handler.memory.state import LONGEST, Run, later
from handler.memory.store import Key, Table
from handler.sweep.again import Again
from handler.sweep.clock import Clock
from handler.sweep.summary import Summary
from handler.sweep.teller import Means, Teller

_KEY: Key = ("all", "run#sweep")

_LEAST_SECONDS = 10.0
"""What a batch needs in any case: look-ups, the decision, and their news."""


def sweep(  # noqa: PLR0913  what judging and telling take
    means: Means,
    gate: Gate,
    look_up: LookUp | None,
    name: str,
    clock: Clock,
    *,
    watch: Callable[[list[str]], Iterable[str]] = iter,
) -> Summary:
    """Look at everything that is remembered as open, and tell what of it is news.

    `name` is the invocation's, `watch` gives the places and may count them. What no time is left for is done by
    the next sweep. Raises `MemoryUnavailableError` where the table cannot be read at all.
    """
    summary, table = Summary(), means.memory.table
    teller = Teller(means, name, clock, summary)
    run = _begin(table, name, clock)
    summary.started, summary.places, summary.left = run.started, run.places, len(run.waiting)
    if run.is_others(name, clock.at):
        summary.note = f"the sweep of {run.started} is still at work, until {run.until} at the latest: nothing was done"
        return summary
    again = Again(table, gate, look_up, teller, clock, summary)
    for place in watch([*run.waiting]):
        for cursor in again.judge(place, run.waiting[place]):
            run = _went_on(run, place, cursor)
            if teller.is_empty:
                _write(table, run, clock)
            if clock.seconds < _LEAST_SECONDS:
                break
        else:
            run = _went_on(run, place, None)
        if clock.seconds < _LEAST_SECONDS:
            break
    teller.flush()
    _write(table, run, clock, is_over=True)
    summary.left = len(run.waiting)
    if summary.left:
        summary.problems["no time was left for all of it: the next sweep goes on there"] += 1
    return summary


def _begin(table: Table, name: str, clock: Clock) -> Run:
    """Take the sweep that is not done upon us, or begin a new one; return that of others where they are at work."""
    row = table.read([_KEY], clock.at)[_KEY]
    before = row.item if isinstance(row.item, Run) else None
    if before is not None and before.is_others(name, clock.at):
        return before
    places = dict.fromkeys(sorted(table.partitions()), "") if before is None or not before.waiting else {}

    def take(run: Run | None) -> Run:
        if run is not None and run.is_others(name, clock.at):
            return run
        if run is None or not run.waiting:
            run = Run(started=clock.at, places=len(places), waiting=places)
        return replace(run, token=name, until=later(clock.at, LONGEST))

    return table.update(_KEY, row, clock.at, take) or Run(started=clock.at, places=0)


def _went_on(run: Run, place: str, cursor: str | None) -> Run:
    """Return how far a sweep is once a place was looked at until there, or is done."""
    waiting = {name: after for name, after in run.waiting.items() if name != place or cursor is not None}
    return replace(run, waiting=waiting if cursor is None else {**waiting, place: cursor})


def _write(table: Table, run: Run, clock: Clock, *, is_over: bool = False) -> None:
    """Write how far a sweep is and, but where it is over, for how long it has; unless somebody else has taken it."""
    row = table.read([_KEY], clock.at)[_KEY]
    changed = replace(run, until="" if is_over else later(clock.at, LONGEST))
    table.update(_KEY, row, clock.at, lambda now: changed if isinstance(now, Run) and now.token == run.token else now)
