"""The `portcullis` command: the function's own parts from a shell."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper

from handler import __version__
from handler.errors import PortcullisError
from handler.opa_binary import find

COMMANDS = {
    "allowed": "list what a folder of policies allows and prohibits",
    "check": "check a folder of policies and run its tests",
    "decide": "judge recorded events and send nothing",
    "engine": "print the folders that plain OPA needs beside a team's folder",
    "init": "make a folder of policies, with tests and a workflow that checks them",
}
"""What each command does. The module of that name has `add_to(parser)`, for its arguments, and `run(arguments)`, which
returns the exit status; it is imported only to run, so that no command needs what another imports."""

DENIED, UNREAD = 1, 2
"""The exit status when something is denied, and when something is undecidable, unreadable or cannot be told."""


def main(words: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    arguments = _parse(sys.argv[1:] if words is None else words)
    if sys.stdout is None:
        print("the output cannot be written: standard output is closed", file=sys.stderr)
        return UNREAD
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        status: int = arguments.run(arguments)
        sys.stdout.flush()
    except PortcullisError as error:
        print(error, file=sys.stderr)
        return UNREAD
    except OSError as error:
        return _unwritten(error)
    return status


def _parse(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="portcullis", description="A gate for network-exposure findings on AWS.")
    parser.add_argument("--version", action="version", version=f"portcullis {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = next((word for word in words if not word.startswith("-")), None)
    for name, summary in COMMANDS.items():
        subparser = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        if name == command:
            module = import_module(f"handler.cli.{name}")
            module.add_to(subparser)
            subparser.set_defaults(run=module.run)
    return parser.parse_args(words)


def _unwritten(error: OSError) -> int:
    """Say why nothing more could be written, but to a reader that has read enough, as `head` has."""
    if not isinstance(error, BrokenPipeError):
        print(f"the output cannot be written: {error.strerror}", file=sys.stderr)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # where Python flushes the rest at its end
    return UNREAD


def executable() -> str:
    """Return the path of the OPA to run. Raises `PortcullisError` when there is none of the pinned version."""
    return str(find())
