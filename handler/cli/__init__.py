"""The `portcullis` command: the function's own parts from a shell."""

import argparse
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

from handler import __version__
from handler.opa_binary import find

DENIED, UNREAD = 1, 2
"""The exit status when something is denied, and when something is undecidable, unreadable or cannot be told."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; give its exit status."""
    from handler.cli import decide  # noqa: PLC0415  it needs rich; what checks the policies in the image has none

    parser = argparse.ArgumentParser(prog="portcullis", description="A gate for network-exposure findings on AWS.")
    parser.add_argument("--version", action="version", version=f"portcullis {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    decide.add_to(commands)
    given = parser.parse_args(arguments)
    if sys.stdout is None:
        print("the output cannot be written: standard output is closed", file=sys.stderr)
        return UNREAD
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        status: int = given.run(given)
        sys.stdout.flush()
    except OSError as error:
        return _unwritten(error)
    return status


def _unwritten(error: OSError) -> int:
    """Say why nothing more could be written, but to a reader that has read enough, as `head` has."""
    if not isinstance(error, BrokenPipeError):
        print(f"the output cannot be written: {error.strerror}", file=sys.stderr)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # where Python flushes the rest at its end
    return UNREAD


def executable() -> str:
    """Return the path of the OPA to run. Raises `PortcullisError` when there is none of the pinned version."""
    return str(find())
