"""What whole processes take: `portcullis decide` of raw events, and conftest of what a person would write for it.

conftest gets documents of three fields (server, protocol, port), one file each, and a policy that asks whether the port
is on the server's list: no networks, no prohibitions, no reasons.
"""

import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

from rich.table import Table

from bench import generate
from bench.generate import Event, Json
from handler.cli import executable

WORKS = ((1_000, 1_000), (1_000, 10_000), (20_000, 1_000))
"""Findings and allowances."""
RUNS = 3


def measure(folder: Path) -> Table:
    """Measure each work in turn; conftest is the one on PATH."""
    conftest = shutil.which("conftest")
    table = Table("findings", "allowances", "portcullis decide, s", "conftest, s", "times faster", box=None)
    for findings, size in WORKS:
        random = Random(generate.SEED)  # noqa: S311  the same numbers in every run
        allowances = generate.allowances(size, random)
        events = generate.events(findings, allowances, 0.1, random)
        work = folder / f"{findings}-{size}"
        commands = [_ours(work, allowances, events)]
        commands += [_conftest(conftest, work, allowances, events)] if conftest else []
        times = _seconds(commands)
        compared = [f"{times[1]:.2f}", f"{times[1] / times[0]:.1f}"] if conftest else ["not on PATH", ""]
        table.add_row(f"{findings:,}", f"{size:,}", f"{times[0]:.2f}", *compared)
    return table


def _seconds(commands: Sequence[list[str]]) -> list[float]:
    """Run one after the other several times, and give the median of what each takes; NaN where one fails."""
    times: list[list[float]] = [[] for _ in commands]
    for _ in range(RUNS):
        for command, took in zip(commands, times, strict=True):
            start = time.perf_counter()
            done = subprocess.run(command, stdout=subprocess.PIPE, check=False, env=os.environ | {"OPA_PATH": _opa()})
            took.append(time.perf_counter() - start)
            if done.returncode != 1:
                took[-1] = math.nan
    return list(map(statistics.median, times))


def _opa() -> str:
    return shutil.which(executable()) or executable()


def _ours(work: Path, allowances: list[Json], events: list[Event]) -> list[str]:
    generate.write(work / "policies", allowances, "rules")
    generate.check(work / "policies")
    file = work / "events.jsonl"
    file.write_text("".join(f"{json.dumps(event.event)}\n" for event in events))
    command = [sys.executable, "-m", "handler.cli", "decide", "--json", "--policies", str(work / "policies")]
    return [*command, "--now", generate.NOW, str(file)]


def _conftest(conftest: str, work: Path, allowances: list[Json], events: list[Event]) -> list[str]:
    documents = work / "documents"
    documents.mkdir()
    (work / "policy").mkdir()
    (work / "policy" / "main.rego").write_text(
        'package main\n\ndeny contains sprintf("%s: %d", [input.server, input.port]) if not allowed\n'
        + "".join(map(_rule, allowances))
    )
    for number, event in enumerate(events):
        details = event.event["detail"]["networkReachabilityDetails"]
        document = {
            "server": event.event["detail"]["resources"][0]["tags"]["Service"],
            "protocol": details["protocol"].lower(),
            "port": details["openPortRange"]["begin"],
        }
        (documents / f"{number}.json").write_text(json.dumps(document))
    return [conftest, "test", "--no-color", "--policy", str(work / "policy"), str(documents)]


def _rule(allowance: Json) -> str:
    protocol = "tcp" if "tcp" in allowance else "udp"
    ends = [str(item).partition("-") for item in allowance[protocol]]
    ranges = json.dumps([[int(low), int(high or low)] for low, _, high in ends])
    return (
        f'\nallowed if {{\n\tinput.server == "{allowance["id"]}"\n\tinput.protocol == "{protocol}"\n'
        f"\tsome [low, high] in {ranges}\n\tinput.port >= low\n\tinput.port <= high\n}}\n"
    )
