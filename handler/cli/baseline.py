"""`portcullis baseline`: proposes allowances for what is denied today, as Rego in which owner and reason are blank."""

import argparse
import os
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from handler.cli import DENIED, UNREAD, check, decide, executable, files
from handler.cli import open as remembered
from handler.cli.summary import Line, Summary, number, unread
from handler.errors import PortcullisError
from handler.printable import printable

if TYPE_CHECKING:
    from handler.bundle import Folder
    from handler.cli.judge import Judge

_TERM = timedelta(days=30)
"""How long a proposed allowance holds."""

_MISSING = "the table remembers that it is open, and has no report of it to judge"
_NEXT = (
    "Fill in owner and reason of what is meant to be open, delete what is to be closed, and run `portcullis check`: it "
    "refuses this file until no blank is left. Every allowance ends in 30 days; give those that you keep an end of "
    "their own."
)
_ONLY_LISTED = "No allowance is proposed: what is denied is listed below, with the reason."
_NOTHING = "Nothing is denied."


def add_to(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = (
        "Propose allowances for what is denied today: Rego for a file in policies/allow, in which owner and reason\n"
        "are to be filled in. Equal servers of an account and a team share one. What is prohibited, open to an\n"
        "unknown address or could not be judged is listed in comments. Administrative ports open to\n"
        "anywhere come last.\n\n"
        "Exit status: 0 all that is denied is proposed, 1 something is not, 2 something could not be judged or read."
    )
    decide.add_judging_to(parser)
    parser.add_argument(
        "--by-tag",
        metavar="TAG",
        default="Team",
        help="servers with different values of this tag get allowances of their own (%(default)s)",
    )
    parser.add_argument(
        "--tests", metavar="FILE", type=Path, help="also write a test for each allowance, into a file that is not there"
    )
    reports = parser.add_mutually_exclusive_group(required=True)
    reports.add_argument(
        "--open", action="store_true", help="judge what the table of MEMORY_TABLE holds as open, from its reports"
    )
    reports.add_argument(
        "--sweep", action="store_true", help="judge what the scanners of SWEEP_SCANNERS list, as a sweep does"
    )
    reports.add_argument(
        "--accept",
        action="store_true",
        help="propose nothing: let all that is open and denied in the table of MEMORY_TABLE count as told, so that it "
        "does not alert; what changes still does",
    )
    reports.add_argument("files", metavar="FILE", nargs="*", default=[], help=decide.FILES)


def run(arguments: argparse.Namespace) -> int:
    """Print the proposals, or what is accepted; return the exit status."""
    if arguments.accept:
        return _accept()
    from handler.bundle import Folder  # noqa: PLC0415  `portcullis --help` needs none of it
    from handler.cli import proposal_tests  # noqa: PLC0415
    from handler.cli.proposals import Baseline, text  # noqa: PLC0415

    path, _ = check.folders(arguments.policies, None)
    _refuse_output_within(path)
    folder = Folder(path)
    baseline, summary = Baseline(arguments.by_tag), Summary()
    with decide.judging(arguments, shown=True) as judge:
        for line in _judged(judge, arguments):
            summary.add(line)
            baseline.add(line)
    today = arguments.now.date()
    expires = (today + _TERM).isoformat()
    proposals = baseline.proposals(_ids(folder, arguments))
    if arguments.tests:
        with arguments.tests.open("x", encoding="utf-8") as file:
            file.write(proposal_tests.text(proposals, arguments.tests.stem.removesuffix("_test")))
    number_listed = sum(map(len, baseline.left_out.values()))
    advice = _NEXT if proposals else _ONLY_LISTED if number_listed else _NOTHING
    heading = [f"By `portcullis baseline` on {today}, policy {judge.engine.policy}.", advice]
    print(text(proposals, baseline.left_out, folder, heading, expires), end="")
    servers = len({server.id for proposal in proposals for server in proposal.servers})
    counts = f"{number(len(proposals), 'allowance')} proposed for {number(servers, 'server')}"
    listed = f", {number_listed:,} not proposed: the comments in the file say why" if number_listed else ""
    print(*map(printable, [*summary.paragraphs(), counts + listed]), sep="\n", file=sys.stderr)
    if summary.status == UNREAD:
        return UNREAD
    return DENIED if number_listed else 0


def _accept() -> int:
    """Let what is open and denied count as told, and print it; return the exit status."""
    import boto3  # noqa: PLC0415  `portcullis --help` needs none of it
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    from handler import settings  # noqa: PLC0415
    from handler.alert.story import listed  # noqa: PLC0415
    from handler.memory.inventory import Inventory  # noqa: PLC0415
    from handler.memory.servers import Terms  # noqa: PLC0415
    from handler.memory.state import later  # noqa: PLC0415

    table, at = remembered.opened_table(), remembered.now()
    terms = Terms(retention=timedelta(days=settings.read_memory().memory_retention_days))
    inventory = Inventory(
        table, terms, token=f"accept-{uuid4()}", at=at, deadline=later(at, timedelta(minutes=5)), policy=""
    )
    try:
        person = boto3.client("sts").get_caller_identity()["Arn"]
    except (BotoCoreError, ClientError) as error:
        msg = f"AWS does not say who accepts it, which the table is to hold: {error}"
        raise PortcullisError(msg) from error
    entries, failures = inventory.accept(f"accepted by {person}")
    accepted = [entry for entry in entries if entry.server.id not in failures]
    for entry in accepted:
        print(printable(f"accepted: {entry.server.name or '-'} {entry.server.id}: {listed(entry.news.opened)}"))
    for server, problem in failures.items():
        print(printable(f"{server}: {problem}"), file=sys.stderr)
    print(f"{number(len(accepted), 'server')} accepted", file=sys.stderr)
    return UNREAD if failures else 0


def _judged(judge: "Judge", arguments: argparse.Namespace) -> Iterator[Line]:
    """Judge the files, what is open, or what the scanners list."""
    for name in arguments.files:
        yield from judge.lines(name, files.read(name))
    if arguments.open:
        reports, missing = remembered.reports(remembered.opened_table())
        yield from judge.lines_again("MEMORY_TABLE", reports)
        for name in missing:
            yield unread("MEMORY_TABLE", name, _MISSING)
    if arguments.sweep:
        from handler.cli import listed  # noqa: PLC0415  `portcullis --help` needs none of it

        yield from listed.lines(judge)


def _ids(folder: "Folder", arguments: argparse.Namespace) -> set[str]:
    """Return the ids of the folder's allowances, which no proposal may have."""
    from handler.check import formats, listing  # noqa: PLC0415  `portcullis --help` needs none of it

    entries, faults = listing.entries(folder, executable(), arguments.now.date())
    if faults:
        raise PortcullisError("\n".join(map(formats.line, faults)))
    return {entry.id for entry in entries if entry.kind == "allowance"}


def _refuse_output_within(policies: Path) -> None:
    """Raise where the output is a file of the policies: the shell has emptied it, and OPA would refuse them."""
    try:
        output = os.fstat(1)
    except OSError:
        return
    for file in policies.rglob("*.rego"):
        if file.is_file() and os.path.samestat(file.stat(), output):
            msg = f"{file} is both read and written: let the output be a file elsewhere, and move it there"
            raise PortcullisError(msg)
