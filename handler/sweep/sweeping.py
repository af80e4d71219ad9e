"""A sweep, from its start until every account and Region was looked at, over as many invocations as that takes."""

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from handler.memory.state import LONGEST, Run, later
from handler.memory.store import Key, Table
from handler.settings import Settings
from handler.sweep.again import Again
from handler.sweep.clock import Clock
from handler.sweep.listing import Listed, Lister
from handler.sweep.places import scanned
from handler.sweep.summary import Summary
from handler.sweep.teller import Means, Teller

_KEY: Key = ("all", "run#sweep")

_LISTED = "server#"
"""How far a place is that was listed, before the first server of it is judged again."""


def sweep(means: Means, name: str, clock: Clock, *, watch: Callable[[list[str]], Iterable[str]] = iter) -> Summary:
    """Look at everything that is remembered as open, and tell what of it is news.

    `name` is the invocation's, `watch` gives the places and may count them. What no time is left for is done by
    the next sweep. Raises `MemoryUnavailableError` where the table cannot be read at all.
    """
    summary, table = Summary(), means.memory.table
    teller = Teller(means, name, clock, summary)
    run = _begin(table, means.settings, name, clock, summary)
    summary.started, summary.places, summary.left = run.started, run.places, len(run.waiting)
    if run.is_others(name, clock.at):
        summary.note = f"the sweep of {run.started} is still at work, until {run.until} at the latest: nothing was done"
        return summary
    lister, again = Lister(teller), Again(teller)
    for place in watch([*run.waiting]):
        listed = Listed()
        if means.settings.sweep_scanners and not run.waiting[place]:
            listed = lister.look_at(place)
            run = _went_on(run, place, _LISTED)
            if clock.is_over:
                break
        for cursor in again.judge(place, run.waiting[place], listed):
            run = _went_on(run, place, cursor)
            if teller.is_empty:
                _write(table, run, clock)
            if clock.is_over:
                break
        else:
            run = _went_on(run, place, None)
        if clock.is_over:
            break
    teller.flush()
    _write(table, run, clock, is_over=True)
    summary.left = len(run.waiting)
    if summary.left:
        summary.problems["no time was left for all of it: the next sweep goes on there"] += 1
    return summary


def _begin(table: Table, settings: Settings, name: str, clock: Clock, summary: Summary) -> Run:
    """Take the sweep that is not done upon us, or begin a new one; return that of others where they are at work."""
    row = table.read([_KEY], clock.at)[_KEY]
    before = row.item if isinstance(row.item, Run) else None
    if before is not None and before.is_others(name, clock.at):
        return before
    places: dict[str, str] = {}
    if before is None or not before.waiting:
        places = dict.fromkeys(sorted({*table.partitions(), *scanned(settings, summary)}), "")

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
