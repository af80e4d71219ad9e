"""The figures of a run, per exposure, and how they are printed."""

from collections.abc import Callable, Sequence
from statistics import median

from msgspec import Struct
from rich.table import Table

from simulate.ledger import GRACE, Exposure, Ledger
from simulate.world import HOUR


class Figures(Struct, frozen=True, kw_only=True):
    """What became of the exposures of a run. Lists, so that a test can name what it finds in them."""

    exposures: list[Exposure]
    untold: list[Exposure]
    twice: list[Exposure]
    missed: list[Exposure]
    false: list[object]
    by_event: list[float]
    otherwise: list[float]
    closed: list[float]


def figures(ledger: Ledger, end: float) -> Figures:
    """Count what a ledger has at the end of a run; times are hours since the scanner saw it."""
    real = [exposure for exposure in ledger.exposures if exposure.is_real and exposure.due is not None]
    told = [exposure for exposure in real if exposure.told is not None and not exposure.kept]
    return Figures(
        exposures=real,
        untold=[exposure for exposure in real if exposure.is_untold(end)],
        twice=[exposure for exposure in real if len(exposure.tellings) > 1],
        missed=[exposure for exposure in ledger.exposures if exposure.is_missed],
        false=list(ledger.false_closings),
        by_event=_hours(told, lambda exposure: exposure.by_event),
        otherwise=_hours(told, lambda exposure: not exposure.by_event),
        closed=[
            (exposure.closed - exposure.closable) / HOUR
            for exposure in ledger.exposures
            if exposure.closed is not None and exposure.closable is not None
        ],
    )


def _hours(told: Sequence[Exposure], chosen: Callable[[Exposure], bool]) -> list[float]:
    return [
        max(0.0, exposure.told - exposure.due) / HOUR
        for exposure in told
        if exposure.told is not None and exposure.due is not None and chosen(exposure)
    ]


def table(ledger: Ledger, end: float, days: int) -> Table:
    """Lay the figures out, beside those of the scanner's events and of the founding script."""
    found = figures(ledger, end)
    rows = Table("", "Portcullis", "the scanner's events", "a list of ports", box=None)
    lasting = [exposure for exposure in found.exposures if exposure.lasted(end) > GRACE]
    zero = [sum(not getattr(exposure, name) for exposure in lasting) for name in ("by_stream", "by_script")]
    twice = [sum(getattr(exposure, name) > 1 for exposure in found.exposures) for name in ("by_stream", "by_script")]
    rows.add_row("told zero times", *(_share(number, len(lasting)) for number in (len(found.untold), *zero)))
    rows.add_row("told twice or more", *(_share(number, len(found.exposures)) for number in (len(found.twice), *twice)))
    rows.add_row("closings missed", _share(len(found.missed), len(found.closed) + len(found.missed)), "", "")
    rows.add_row("closings false", str(len(found.false)), "", "")
    rows.add_row("told when it was over", str(len(ledger.needless)), "", "")
    rows.add_row("hours to being told, by an event", _spread(found.by_event), "", "")
    rows.add_row("hours to being told, without one", _spread(found.otherwise), "", "")
    rows.add_row("hours to being closed", _spread(found.closed), "", "")
    daily = [[messages[day] for day in range(days)] for messages in ledger.messages.values()]
    rows.add_row("messages", *(f"{sum(numbers):,}" for numbers in daily))
    rows.add_row("messages a day", *(f"{median(numbers):g}, worst {max(numbers):,}" for numbers in daily))
    return rows


def _share(number: int, whole: int) -> str:
    return f"{number:,} ({number / max(whole, 1):.2%})"


def _spread(hours: Sequence[float]) -> str:
    return f"{median(hours):.2f}, worst {max(hours):.1f}" if hours else "none"
