"""`portcullis decide`: judges recorded events or API answers and sends nothing."""

import argparse
import gc
import json
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from handler.cli import UNREAD, check, executable
from handler.errors import PortcullisError
from handler.printable import printable
from handler.process import Process

if TYPE_CHECKING:
    from handler.cli.judge import Judge
    from handler.cli.summary import Line

FIELDS = ("severity", "server", "name", "port", "source", "verdict", "reason", "account", "region", "record")
"""What `verdicts.Row` has, and what rows can be sorted by: without `verdicts`, so that OPA starts early."""
SORTS = ("severity", "server", "input")

FILES = (
    "a Lambda event, an answer of list_findings or describe_findings, an array of those, or JSON lines; "
    "- is standard input"
)
"""What a FILE may hold."""

_CHUNK = 500
"""The records of `--stream` that are folded with each other."""


def add_to(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = (
        "Judge recorded events and send nothing.\n\n"
        "In a terminal the verdicts are a table, or below 100 columns a block a server. In a pipe each is a line of\n"
        f"{len(FIELDS)} fields with tabs between them: {', '.join(FIELDS)};\n"
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
    output.add_argument("--sort", choices=SORTS, default=SORTS[0], help="what the verdicts are sorted by (%(default)s)")
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
        with judging(arguments, shown=not busy) as judge:
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
        print(f"Policy {judge.engine.policy}, OPA {judge.engine.opa}, {milliseconds:,} ms", file=sys.stderr)
    return status


@contextmanager
def judging(arguments: argparse.Namespace, *, shown: bool) -> "Iterator[Judge]":
    """Start what judges as the arguments say; with `shown` a terminal shows how far it is.

    Policies that OPA refuses are told when the first answer is needed, but before AWS is asked anything.
    """
    process = Process(str(check.folders(arguments.policies, None)[0]), executable())
    import logging  # noqa: PLC0415  all of this loads while OPA starts

    from handler import lookup, settings  # noqa: PLC0415
    from handler.cli.judge import Judge  # noqa: PLC0415
    from handler.cli.progress import Progress  # noqa: PLC0415
    from handler.opa import Opa  # noqa: PLC0415

    gc.set_threshold(100_000)  # what is read of a report has no cycles
    logging.getLogger("handler.lookup").addHandler(logging.NullHandler())  # the findings' notes say what failed
    with Opa(process) as gate, Progress(shown=shown) as progress:
        look_ups = settings.read_look_ups() if arguments.look_up else settings.LookUps()
        look_up = lookup.prepare(look_ups.all_on() if arguments.look_up and not look_ups.looks_up else look_ups)
        judge = Judge(arguments.now, gate, look_up, progress)
        if look_up is not None:
            _ = judge.engine
        yield judge
        _ = judge.engine


def _judged(judge: "Judge", names: Iterable[str], *, stream: bool) -> "Iterator[Line]":
    """Judge the files one after the other."""
    from handler.cli import files  # noqa: PLC0415
    from handler.cli.judge import chunks  # noqa: PLC0415

    for name in names:
        records = files.read(name)
        for part in chunks(records, _CHUNK) if stream else (records,):
            yield from judge.lines(name, part)
            sys.stdout.flush()


def _print_json(lines: "Iterable[Line]", *, denied: bool) -> int:
    """Print the lines as they come, if so only what is denied or could not be judged; return the exit status."""
    from msgspec import to_builtins  # noqa: PLC0415

    status = 0
    for line in lines:
        status = max(status, line.status)
        if line.status or not denied:
            print(json.dumps({"file": line.file, "record": line.record, **to_builtins(line.told)}))
        if line.told.outcome == "undecidable":
            print(printable(f"{line.file}: record {line.record}: {line.told.reason}"), file=sys.stderr)
    return status


def _print_table(lines: "Iterable[Line]", sort: str, *, denied: bool) -> int:
    """Print the verdicts in their order and the summary below, in a pipe beside them; return the exit status."""
    from handler.cli import verdicts  # noqa: PLC0415
    from handler.cli.summary import Summary  # noqa: PLC0415

    summary = Summary()
    rows: list[verdicts.Row] = []
    for line in lines:
        summary.add(line)
        rows += (row for row in verdicts.rows(line) if row.verdict != "allow" or not denied)
    rows.sort(key=verdicts.SORTS[sort])
    if sys.stdout.isatty():
        from handler.cli import table  # noqa: PLC0415  a pipe does not wait for what draws

        console = table.terminal()
        table.print_rows(rows, console)
        table.print_paragraphs(summary.paragraphs(), console)
    else:
        verdicts.print_fields(rows)
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
