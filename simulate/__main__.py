"""Prints what a simulated year of an organization comes to, exposure by exposure."""

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.progress import Progress

from simulate.faults import NONE, Rates
from simulate.report import figures, table
from simulate.world import DAY
from simulate.year import Plan, Year


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--servers", type=int, default=200)
    parser.add_argument("--seed", type=int, default=20270101)
    parser.add_argument("--without-faults", action="store_true")
    chosen = parser.parse_args()
    rates = NONE if chosen.without_faults else Rates()
    plan = Plan(servers=chosen.servers, days=chosen.days, seed=chosen.seed, rates=rates)
    console, start = Console(width=120), time.monotonic()
    with TemporaryDirectory() as folder, Progress(console=console, transient=True) as progress:
        task = progress.add_task("days", total=plan.days)
        year = Year(plan, Path(folder))
        year.run(lambda day: progress.update(task, completed=day))
    found = figures(year.ledger, plan.days * DAY)
    console.print(
        f"{plan.servers} servers, {plan.days} days, {len(found.exposures):,} exposures, {year.faults.count:,} faults, "
        f"{year.counts['events']:,} events, {year.counts['invocations']:,} invocations "
        f"in {time.monotonic() - start:.0f} s"
    )
    console.print(table(year.ledger, plan.days * DAY, plan.days))


if __name__ == "__main__":
    main()
