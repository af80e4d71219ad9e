"""What whole processes take: `portcullis decide` of raw events, and conftest of what a person would write for it.

conftest gets documents of three fields (server, protocol, port), one file each, and a policy that asks whether the port
is on the server's list: no networks, no prohibitions, no reasons. It is written twice, with a rule for each allowance
and with one list of them that a rule goes through.
"""

import json
import math
import os
import resource
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
    names = ["portcullis decide", "conftest with rules", "conftest with a list"]
    table = Table("findings", "allowances", *names, "times faster than", "and than", box=None)
    table.title = "Whole processes: seconds, and in brackets those of the processors"
    for findings, size in WORKS:
        random = Random(generate.SEED)  # noqa: S311  the same numbers in every run
        allowances = generate.allowances(size, random)
        public = [allowance for allowance in allowances if allowance["sources"] == ["anywhere"]]
        events = generate.events(findings, public, 0.1, random)  # a report that is not looked up names no sources
        work = folder / f"{findings}-{size}"
        commands = [_ours(work, allowances, events)]
        commands += _conftests(conftest, work, allowances, events) if conftest else []
        times = _seconds(commands)
        cells = [f"{wall:.2f} ({cpu:.2f})" for wall, cpu in times] + ([] if conftest else ["not on PATH", ""])
        table.add_row(f"{findings:,}", f"{size:,}", *cells, *(f"{wall / times[0][0]:.1f}" for wall, _ in times[1:]))
    return table


def _seconds(commands: Sequence[list[str]]) -> list[tuple[float, float]]:
    """Run one after the other several times; give the medians of what each takes, by the clock and of the processors.

    They are NaN where one fails.
    """
    times: list[list[tuple[float, float]]] = [[] for _ in commands]
    for _ in range(RUNS):
        for command, took in zip(commands, times, strict=True):
            start, used = time.perf_counter(), _used()
            done = subprocess.run(command, stdout=subprocess.PIPE, check=False, env=os.environ | {"OPA_PATH": _opa()})
            took.append((time.perf_counter() - start, _used() - used) if done.returncode == 1 else (math.nan, math.nan))
    return [
        (statistics.median(wall), statistics.median(cpu)) for took in times for wall, cpu in [zip(*took, strict=True)]
    ]


def _used() -> float:
    """Give the seconds of the processors that ended processes have taken."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _opa() -> str:
    return shutil.which(executable()) or executable()


def _ours(work: Path, allowances: list[Json], events: list[Event]) -> list[str]:
    generate.write(work / "policies", allowances, "rules")
    generate.check(work / "policies")
    file = work / "events.jsonl"
    file.write_text("".join(f"{json.dumps(event.event)}\n" for event in events))
    command = [sys.executable, "-m", "handler.cli", "decide", "--json", "--policies", str(work / "policies")]
    return [*command, "--now", generate.NOW, str(file)]


def _conftests(conftest: str, work: Path, allowances: list[Json], events: list[Event]) -> list[list[str]]:
    documents = work / "documents"
    documents.mkdir()
    texts = {"rules": "".join(map(_rule, allowances)), "list": _LIST % json.dumps(list(map(_entry, allowances)))}
    for name, text in texts.items():
        (work / name).mkdir()
        (work / name / "main.rego").write_text(_DENY + text)
    for number, event in enumerate(events):
        details = event.event["detail"]["networkReachabilityDetails"]
        document = {
            "server": event.event["detail"]["resources"][0]["tags"]["Service"],
            "protocol": details["protocol"].lower(),
            "port": details["openPortRange"]["begin"],
        }
        (documents / f"{number}.json").write_text(json.dumps(document))
    return [[conftest, "test", "--no-color", "--policy", str(work / name), str(documents)] for name in texts]


_DENY = """package main

deny contains sprintf("%s: %d", [input.server, input.port]) if not allowed
"""
_LIST = """
allowances := %s

allowed if {
	some [server, protocol, ranges] in allowances
	server == input.server
	protocol == input.protocol
	some [low, high] in ranges
	input.port >= low
	input.port <= high
}
"""


def _entry(allowance: Json) -> list[object]:
    protocol = "tcp" if "tcp" in allowance else "udp"
    ends = [str(item).partition("-") for item in allowance[protocol]]
    return [allowance["id"], protocol, [[int(low), int(high or low)] for low, _, high in ends]]


def _rule(allowance: Json) -> str:
    server, protocol, ranges = _entry(allowance)
    return (
        f'\nallowed if {{\n\tinput.server == "{server}"\n\tinput.protocol == "{protocol}"\n'
        f"\tsome [low, high] in {ranges}\n\tinput.port >= low\n\tinput.port <= high\n}}\n"
    )
