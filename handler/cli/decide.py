"""`portcullis decide`: judges recorded events or API answers and sends nothing."""

import argparse
import json
import logging
import os
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

from handler import settings
from handler.alert.text import printable
from handler.cli import UNREAD, check, executable, files, table
from handler.cli.progress import Progress
from handler.cli.summary import Line, Summary
from handler.errors import PortcullisError
from handler.outcome import Engine, Outcome, Told
from handler.process import Process

if TYPE_CHECKING:
    from handler.events import Record
    from handler.finding import Finding
    from handler.lookup import LookUp
    from handler.opa import Opa

T = TypeVar("T")

FILES = (
    "a Lambda event, an answer of list_findings or describe_findings, an array of those, or JSON lines; "
    "- is standard input"
)
"""What a FILE may hold."""

_CHUNK = 500
"""The records of `--stream` that are folded with each other."""

_ASKED, _AHEAD = 250, 3
"""The outcomes of one query, and how many queries wait or are answered while others are printed."""

_MEMORY = 2048
"""MB of which OPA takes half before it collects its garbage often, which saves it a fifth of its time."""


def add_to(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = (
        "Judge recorded events and send nothing.\n\n"
        "In a terminal the verdicts are a table, or below 100 columns a block a server. In a pipe each is a line of\n"
        f"{len(table.Row.__struct_fields__)} fields with tabs between them: {', '.join(table.Row.__struct_fields__)};\n"
        "one that is not known is a dash, and the counts go to standard error.\n\n"
        "Exit status: 0 nothing denied, 1 something denied, 2 something undecidable or unreadable."
    )
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print one JSON object a report and line")
    output.add_argument(
        "--stream",
        action="store_true",
        help=f"print JSON as with --json, {_CHUNK} records at a time as they are judged; a report is folded only with "
        "the others of these",
    )
    output.add_argument(
        "--sort", choices=table.SORTS, default="severity", help="what the verdicts are sorted by (%(default)s)"
    )
    parser.add_argument("--denied", action="store_true", help="print only what is denied or could not be judged")
    add_judging_to(parser)
    parser.add_argument("files", metavar="FILE", nargs="+", help=FILES)


def add_judging_to(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say by what, with what and as of when to judge."""
    parser.add_argument(
        "--policies", metavar="DIR", default=".", help="the folder of the policies, or one that holds `policies`"
    )
    parser.add_argument(
        "--look-up",
        action="store_true",
        help="read from AWS what the reports do not say, with the credentials of this shell and as LOOK_UP_... say; "
        "everything if they say nothing",
    )
    parser.add_argument("--now", metavar="RFC3339", type=_time, default=datetime.now(UTC), help="judge as of this time")


def run(arguments: argparse.Namespace) -> int:
    """Judge the files; each is an invocation of its own."""
    start = time.monotonic()
    try:
        busy = (arguments.json or arguments.stream) and sys.stdout.isatty()
        with judging(arguments, shown=not busy) as (judge, engine):
            lines = _judged(judge, arguments.files, stream=arguments.stream)
            if arguments.json or arguments.stream:
                status = _print_json(lines, denied=arguments.denied)
            else:
                status = _print_table(lines, arguments.sort, denied=arguments.denied)
    except PortcullisError as error:
        print(*map(printable, str(error).split("\n")), sep="\n", file=sys.stderr)
        return UNREAD
    if arguments.stream:
        print(f"Reports are folded within {_CHUNK} records only: an exposure may come again", file=sys.stderr)
    elif not arguments.json:
        milliseconds = round(1000 * (time.monotonic() - start))
        print(f"Policy {engine.policy}, OPA {engine.opa}, {milliseconds:,} ms", file=sys.stderr)
    return status


@contextmanager
def judging(arguments: argparse.Namespace, *, shown: bool) -> "Iterator[tuple[Judge, Engine]]":
    """Start what judges as the arguments say, and say what it is; with `shown` a terminal shows how far it is."""
    logging.getLogger("handler.lookup").addHandler(logging.NullHandler())  # the findings' notes say what failed
    look_ups = settings.read_look_ups() if arguments.look_up else settings.LookUps()
    process = Process(str(check.folders(arguments.policies, None)[0]), executable(), _MEMORY)
    from handler import lookup  # noqa: PLC0415  they load while OPA starts
    from handler.opa import Opa  # noqa: PLC0415

    with Opa(process) as gate, Progress(shown=shown) as progress:
        engine = gate.ready()
        look_up = lookup.prepare(look_ups.all_on() if arguments.look_up and not look_ups.looks_up else look_ups)
        yield Judge(arguments.now, gate, look_up, progress), engine


class Judge(NamedTuple):
    """What judges the records of a file: as of `now`, with the gate and the look-ups, showing its progress."""

    now: datetime
    gate: "Opa"
    look_up: "LookUp | None"
    progress: Progress

    def lines(self, name: str, records: "Iterable[Record]") -> Iterator[Line]:
        """Judge records together: those that tell one exposure are folded. `name` is the file's."""
        from handler import aws, invocation  # noqa: PLC0415  they load while OPA starts

        read = self.progress.of(records, f"Reading {name}")
        return self._decided(name, invocation.read(read, self._at, aws.fetcher, None, self.look_up))

    def lines_again(self, name: str, reports: "Iterable[tuple[str, Finding]]") -> Iterator[Line]:
        """Judge reports that were read before, together, each with what names it. `name` is where they are kept."""
        from handler import invocation  # noqa: PLC0415  it loads while OPA starts

        return self._decided(name, invocation.read_again(reports, self._at, None, self.look_up))

    @property
    def _at(self) -> str:
        return f"{self.now.replace(microsecond=0, tzinfo=None).isoformat()}Z"

    def _decided(self, name: str, outcomes: list[Outcome]) -> Iterator[Line]:
        from handler import invocation  # noqa: PLC0415  it loads while OPA starts

        decided = (pair for chunk in self._asked(outcomes) for pair in invocation.decide(chunk, self.gate))
        for outcome, failure in self.progress.of(decided, f"Judging {name}", len(outcomes)):
            yield from _lines(name, outcome, failure)

    def _asked(self, outcomes: list[Outcome]) -> Iterator[list[Outcome]]:
        """Give the outcomes in chunks; while one is decided and printed, OPA is asked about the next."""
        from handler.finding import Finding  # noqa: PLC0415  it loads while OPA starts

        waiting = _chunks(outcomes, _ASKED)
        ahead: deque[list[Outcome]] = deque()
        for chunk in waiting if (os.cpu_count() or 1) > 1 else ():
            self.gate.ask_ahead([outcome.report for outcome in chunk if isinstance(outcome.report, Finding)])
            ahead.append(chunk)
            if len(ahead) > _AHEAD:
                yield ahead.popleft()
        yield from chain(ahead, waiting)


def _judged(judge: Judge, names: Iterable[str], *, stream: bool) -> Iterator[Line]:
    """Judge the files one after the other."""
    for name in names:
        records = files.read(name)
        for part in _chunks(records) if stream else (records,):
            yield from judge.lines(name, part)
            sys.stdout.flush()


def _lines(name: str, outcome: Outcome, failure: str | None) -> Iterator[Line]:
    """Give the line of an outcome, then one for each report that is folded into it."""
    told = outcome.told()
    if failure is not None:
        told = msgspec.structs.replace(told, reason=failure)
    yield Line(file=name, record=outcome.records[0], told=told, reported=bool(outcome.reports))
    for record in outcome.reports[1:]:
        reason = f"it tells again what record {outcome.records[0]} tells"
        repeated = Told(outcome="repeated", reporter=told.reporter, reason=reason, finding=None, decision=None)
        yield Line(file=name, record=record, told=repeated)


def _chunks(items: Iterable[T], size: int = _CHUNK) -> Iterator[list[T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def _print_json(lines: Iterable[Line], *, denied: bool) -> int:
    """Print the lines as they come, if so only what is denied or could not be judged; return the exit status."""
    status = 0
    for line in lines:
        status = max(status, line.status)
        if line.status or not denied:
            print(json.dumps({"file": line.file, "record": line.record, **msgspec.to_builtins(line.told)}))
        if line.told.outcome == "undecidable":
            print(printable(f"{line.file}: record {line.record}: {line.told.reason}"), file=sys.stderr)
    return status


def _print_table(lines: Iterable[Line], sort: str, *, denied: bool) -> int:
    """Print the verdicts in their order and the summary below, in a pipe beside them; return the exit status."""
    summary = Summary()
    rows: list[table.Row] = []
    for line in lines:
        summary.add(line)
        rows += (row for row in table.rows(line) if row.verdict != "allow" or not denied)
    rows.sort(key=table.SORTS[sort])
    if sys.stdout.isatty():
        console = table.terminal()
        table.print_rows(rows, console)
        table.print_paragraphs(summary.paragraphs(), console)
    else:
        table.print_fields(rows)
        print(*map(printable, summary.paragraphs()), sep="\n", file=sys.stderr)
    return summary.status


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is not None:
            return time.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    msg = f"{text} is no time with a time zone; write it like 2026-11-24T06:12:00Z"
    raise argparse.ArgumentTypeError(msg)
