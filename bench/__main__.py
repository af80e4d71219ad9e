"""Prints, in one run, what a decision takes, what it is made of, and what the start takes. It asserts nothing."""

import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import msgspec
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from bench import generate, look_ups
from bench.generate import Event, Form
from handler import reporters
from handler.cli import executable
from handler.finding import Finding
from handler.opa import Opa
from handler.process import Process

SIZES = (10, 1_000, 10_000)
BATCHES = (1, 10, 1_000)
FORMS: tuple[Form, ...] = ("rules", "rows")
SHARES = (0.1, 1.0)
SECONDS = 1.0
"""For so long the whole way is repeated; the median counts."""
STARTS = 9

ALLOWANCES = (
    "[given | some finding in input.findings; given := {a | some a in data.gate.allowance with input as finding}]"
)
GATE = "data.gate.batch.decisions"
BARE = "import boto3, opa_client; boto3.client('sns', region_name='eu-west-1')"
READY = "import handler.app"


def main() -> None:
    """Measure the decisions, then the start."""
    console = Console(width=100)
    decisions = Table("form", "allowances", "batch", "denied", "allowances alone", "gate", "whole way", box=None)
    decisions.add_column("gate / allowances")
    decisions.add_column("whole way / gate")
    console.print(
        "Microseconds a finding: OPA for the allowances alone, OPA for the whole gate, and event to decision."
    )
    with TemporaryDirectory() as folder:
        for form in FORMS:
            for size in SIZES:
                _decisions(Path(folder) / f"{form}-{size}", form, size, decisions)
    console.print(decisions)
    console.print(_look_ups())
    bare, ready = _starts()
    console.print(f"Start, median of {STARTS} in turn: bare imports {bare:.0f} ms, ready {ready:.0f} ms, ", end="")
    console.print(f"{ready / bare:.2f} times")


def _look_ups() -> Table:
    """Measure what asking AWS takes, at 50 ms a call, in a function of 30 seconds."""
    table = Table("findings looked up", "target groups", "calls", "ms", "unknown", box=None)
    for findings in (100, 500, 1_000):
        for groups in (10, 1_000):
            calls, took, unknown = look_ups.measure(findings, groups)
            table.add_row(f"{findings:,}", f"{groups:,}", f"{calls:,}", f"{took:,.0f}", f"{unknown:,}")
    return table


def _decisions(policies: Path, form: Form, size: int, table: Table) -> None:
    """Measure one policy with every batch."""
    random = Random(generate.SEED)  # noqa: S311  the same numbers in every run
    allowances = generate.allowances(size, random)
    generate.write(policies, allowances, form)
    with Opa(Process(str(policies), executable())) as gate:
        gate.ready(time.monotonic() + 60)
        for batch in BATCHES:
            for share in SHARES if batch == BATCHES[-1] else SHARES[:1]:
                events = generate.events(batch, allowances, share, random)
                findings = [finding(event) for event in events]
                given = policies.parent / "input.json"
                given.write_bytes(msgspec.json.encode({"findings": findings}))
                alone, whole = (_bench(policies, given, query) / batch for query in (ALLOWANCES, GATE))
                way = _median(lambda: _way(events, findings, gate)) / batch  # noqa: B023  called at once
                figures = (alone, whole, way, whole / alone, way / whole)
                spelled = [f"{figure:.0f}" for figure in figures[:3]] + [f"{ratio:.2f}" for ratio in figures[3:]]
                table.add_row(form, f"{size:,}", f"{batch:,}", f"{share:.0%}", *spelled)


def finding(event: Event) -> Finding:
    """Give the finding of an event with its sources, one exposure each, as the look-ups would."""
    [finding] = reporters.normalize(event.event, generate.NOW)
    if not isinstance(finding, Finding):
        raise TypeError(finding)
    return replace(finding, exposures=tuple(replace(finding.exposures[0], sources=(one,)) for one in event.sources))


def _way(events: Sequence[Event], findings: Sequence[Finding], gate: Opa) -> None:
    for event in events:
        reporters.normalize(event.event, generate.NOW)
    gate.decide(findings)


def _bench(policies: Path, given: Path, query: str) -> float:
    """Give what `opa bench` says, in microseconds."""
    arguments = (
        "bench",
        "--benchmem=false",
        "--metrics=false",
        "--format",
        "json",
        "--bundle",
        policies,
        "--input",
        given,
    )
    command = [shutil.which(executable()) or executable(), *map(str, arguments), query]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    return float(told["T"]) / float(told["N"]) / 1000


def _median(action: Callable[[], None]) -> float:
    """Give the median of what an action takes, in microseconds."""
    times: list[float] = []
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end or len(times) < 5:
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1_000_000


def _starts() -> tuple[float, float]:
    """Give what the bare imports take and what the function takes until it is ready, in milliseconds."""
    environment = {
        "ALERT_TOPIC_ARN": "arn:aws:sns:eu-west-1:111122223333:alerts",
        "OPA_PATH": shutil.which(executable()) or executable(),
    }
    found: dict[str, list[float]] = {BARE: [], READY: []}
    for _ in range(STARTS):
        for program, times in found.items():
            start = time.perf_counter()
            command = [sys.executable, "-c", program]
            subprocess.run(command, check=True, env=environment, cwd=generate.POLICIES.parent, capture_output=True)
            times.append(1000 * (time.perf_counter() - start))
    return statistics.median(found[BARE]), statistics.median(found[READY])


if __name__ == "__main__":
    main()
