"""`portcullis decide`: judges recorded events or API answers and sends nothing."""

import argparse
import json
import logging
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from handler import settings
from handler.alert.text import printable
from handler.cli import DENIED, UNREAD, check, executable, files, table
from handler.cli.table import Line
from handler.errors import PortcullisError
from handler.process import Process


def add_to(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = (
        "Judge recorded events and send nothing. Exit status: 0 nothing denied, 1 something denied, "
        "2 something undecidable or unreadable."
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object a line instead of the table")
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
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        help="a Lambda event, an answer of list_findings or describe_findings, an array of those, or JSON lines; "
        "- is standard input",
    )


def run(given: argparse.Namespace) -> int:
    """Judge the files; each is an invocation of its own."""
    start = time.monotonic()
    logging.getLogger("handler.lookup").addHandler(logging.NullHandler())  # the findings' notes say what failed
    try:
        look_ups = settings.read_look_ups() if given.look_up else settings.LookUps()
        process = Process(str(check.folders(given.policies, None)[0]), executable())
        from handler import lookup  # noqa: PLC0415  they load while OPA starts
        from handler.opa import Opa  # noqa: PLC0415

        with Opa(process) as gate:
            engine = gate.ready()
            look_up = lookup.prepare(look_ups.all_on() if given.look_up and not look_ups.looks_up else look_ups)
            lines = [line for name in given.files for line in _judge(name, given.now, gate, look_up)]
    except PortcullisError as error:
        print(*map(printable, str(error).split("\n")), sep="\n", file=sys.stderr)
        return UNREAD
    if given.json:
        _print_json(lines)
    else:
        table.show(lines, engine, milliseconds=round(1000 * (time.monotonic() - start)))
    if any(line.told.outcome == "undecidable" for line in lines):
        return UNREAD
    return DENIED if any(line.told.decision and line.told.decision.action == "deny" for line in lines) else 0


def _judge(name: str, now: datetime, gate: Any, look_up: Any) -> Iterator[Line]:
    from handler import aws  # noqa: PLC0415  they load while OPA starts
    from handler.invocation import judge  # noqa: PLC0415

    at = f"{now.replace(microsecond=0, tzinfo=None).isoformat()}Z"
    judged = judge(files.read(name), at, gate, aws.fetcher, look_up=look_up)
    for problem in judged.failures.values():
        raise PortcullisError(problem)
    for outcome in judged.outcomes:
        yield Line(file=name, record=outcome.records[0], told=outcome.told())
        for again in outcome.records[1:]:
            reason = f"it tells again what record {outcome.records[0]} tells"
            told = msgspec.structs.replace(
                outcome.told(), outcome="ignored", reason=reason, finding=None, decision=None
            )
            yield Line(file=name, record=again, told=told)


def _print_json(lines: list[Line]) -> None:
    for line in lines:
        print(json.dumps({"file": line.file, "record": line.record, **msgspec.to_builtins(line.told)}))
        if line.told.outcome == "undecidable":
            print(printable(f"{line.file}: record {line.record}: {line.told.reason}"), file=sys.stderr)


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is not None:
            return time.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    msg = f"{text} is no time with a time zone; write it like 2026-11-24T06:12:00Z"
    raise argparse.ArgumentTypeError(msg)
