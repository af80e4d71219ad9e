"""Prints, in one run, what a decision takes, what it is made of, and what whole processes take. It asserts nothing."""

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from unittest.mock import patch

from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from bench import generate, look_ups, processes
from bench.generate import Event
from handler import opa, process, reporters
from handler.bundle import ENGINE, Bundle, engine, engine_files
from handler.cli import executable
from handler.finding import Finding
from handler.opa import Opa
from handler.process import Process

SIZES = (10, 10_000)
BATCHES = (1, 10, 1_000)
SHARES = (0, 0.1, 1)
SECONDS = 4.0
"""For so long the gates of one row are asked in turn; the medians count."""
STARTS = 9

ALONE = """package gate.batch

import data.gate

decisions := [decision |
	some finding in input.findings
	ids := [allowance.id | some allowance in gate.allowance] with input as finding
	decision := {
		"id": finding.id,
		"action": "allow",
		"severity": "none",
		"undecidable": false,
		"denied": [],
		"allowed": [{"protocol": "tcp", "from_port": 0, "to_port": 0, "source": "", "by": ids}],
		"allowances": {},
		"prohibitions": {},
		"problems": [],
	}
]
"""
"""In the place of the gate: it finds the allowances of each finding and judges nothing."""

BARE = "import boto3, opa_client; boto3.client('sns', region_name='eu-west-1')"
READY = "import handler.app"


def main() -> None:
    """Measure the decisions, then whole processes, the look-ups and the start."""
    console = Console(width=140)
    other = os.environ.get("GATE")
    console.print("Microseconds a finding through the client; GATE= is the folder of another engine to compare with.")
    with TemporaryDirectory() as folder, patch.dict(os.environ, {"XDG_CACHE_HOME": f"{folder}/cache"}):
        for size in SIZES:
            console.print(_decisions(Path(folder) / str(size), size, other))
        console.print(processes.measure(Path(folder)))
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


def _decisions(policies: Path, size: int, other: str | None) -> Table:
    """Measure one policy with every batch."""
    gates = ["alone", "gate", "no register", *(["other gate"] if other else [])]
    table = Table("allowances", "findings", "denied", *gates, *(f"{name} / alone" for name in gates[1:]), box=None)
    if other:
        table.add_column("gate / other gate")
    random = Random(generate.SEED)  # noqa: S311  the same numbers in every run
    allowances = generate.allowances(size, random)
    generate.write(policies, allowances, "rules")
    with ExitStack() as stack:
        opas = [stack.enter_context(_gate(policies, {**engine_files(), "batch/batch.rego": ALONE.encode()}))]
        without = stack.enter_context(_gate(policies, engine_files()))
        generate.check(policies)
        opas += [stack.enter_context(_gate(policies, engine_files())), without]
        opas += [stack.enter_context(_gate(policies, generate.rego(Path(other))))] if other else []
        for batch in BATCHES:
            for share in SHARES:
                events = generate.events(batch, allowances, share, random)
                findings = [finding(event) for event in events]
                times = _medians([lambda gate=gate: gate.decide(findings) for gate in opas])  # type: ignore[misc]  # noqa: B023
                ratios = [took / times[0] for took in times[1:]] + [times[1] / took for took in times[3:]]
                cells = [f"{took / batch:,.0f}" for took in times] + [f"{ratio:.2f}" for ratio in ratios]
                table.add_row(f"{size:,}", f"{batch:,}", f"{share:.0%}", *cells)
    return table


@contextmanager
def _gate(policies: Path, files: dict[str, bytes]) -> Iterator[Opa]:
    """Start OPA with an engine of these files, and with the register of the policies if there is one by now."""
    packed = Bundle({(engine() / name).as_posix(): content for name, content in files.items()}, [ENGINE])
    with patch.object(process, "packed_engine", lambda: packed):
        started = Process(str(policies), executable(), memory=0)
    with Opa(started) as gate:
        with patch.object(opa, "_START_SECONDS", 60.0):
            gate.ready()
        yield gate


def finding(event: Event) -> Finding:
    """Give the finding of an event with its sources, one exposure each, as the look-ups would."""
    [finding] = reporters.normalize(event.event, generate.NOW)
    if not isinstance(finding, Finding):
        raise TypeError(finding)
    return replace(finding, exposures=tuple(replace(finding.exposures[0], sources=(one,)) for one in event.sources))


def _medians(actions: Sequence[Callable[[], object]]) -> list[float]:
    """Do one after the other again and again, and give the median of what each takes, in microseconds."""
    times: list[list[float]] = [[] for _ in actions]
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end or len(times[0]) < 5:
        for action, took in zip(actions, times, strict=True):
            start = time.perf_counter()
            action()
            took.append(1_000_000 * (time.perf_counter() - start))
    return list(map(statistics.median, times))


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
