"""The `portcullis` command: the function's own parts from a shell."""

import argparse
import io
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from handler import __version__
from handler.errors import PortcullisError
from handler.opa_binary import find

COMMANDS = {
    "allowed": "list what a folder of policies allows and prohibits",
    "baseline": "propose allowances for what is denied today",
    "check": "check a folder of policies and run its tests",
    "decide": "judge recorded events and send nothing",
    "engine": "print the folders that plain OPA needs beside a team's folder",
    "forget": "take a server out of the memory",
    "history": "list what was told of a server and has closed again",
    "init": "make a folder of policies, with tests and a workflow that checks them",
    "open": "list what is open, as the function remembers it",
    "sweep": "judge again what is open, as the function remembers it, and tell what is news",
}
"""What each command does. The module of that name has `add_to(parser)`, for its arguments, and `run(arguments)`, which
returns the exit status; it is imported only to run, so that no command needs what another imports."""

DENIED, UNREAD, INTERRUPTED = 1, 2, 130
"""The exit status when something is denied, when something is undecidable, unreadable or cannot be told, and after
Ctrl-C, as of any command in a shell."""


def main(words: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    return guarded(lambda: _run(sys.argv[1:] if words is None else words))


def guarded(run: Callable[[], int]) -> int:
    """Run what prints and return its exit status, which is the same whether or not its output is read to the end.

    What ends it, and an output that could not be written, are said in a line on standard error, with status 2.
    """
    if sys.stdout is None:
        print("the output cannot be written: standard output is closed", file=sys.stderr)
        return UNREAD
    output, encoding = _Output(1, "w", closefd=False), sys.stdout.encoding
    if sys.stdout is sys.__stdout__:
        sys.stdout = _text(output, encoding)
        sys.stderr = _text(_Output(2, "w", closefd=False), encoding) if sys.stderr else io.StringIO()
    try:
        status = run()
        sys.stdout.flush()
    except (PortcullisError, OSError) as error:
        print(error, file=sys.stderr)
        return UNREAD
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    if output.problem:
        print(f"the output cannot be written: {output.problem}", file=sys.stderr)
        return UNREAD
    return status


class _Output(io.FileIO):
    """A stream that raises nothing when it can be written no longer, and keeps the reason as `problem`.

    That its reader has read enough and left, as `head` does, is none.
    """

    problem: str | None = None
    _open = True

    def write(self, data: Any) -> int:
        try:
            if self._open:
                return super().write(data) or 0
        except OSError as error:
            self._open = False
            self.problem = None if isinstance(error, BrokenPipeError) else error.strerror
        return memoryview(data).nbytes


def _text(output: _Output, encoding: str) -> io.TextIOWrapper:
    """Wrap a stream in text; what its encoding does not have is spelled out."""
    buffer = io.BufferedWriter(output)
    return io.TextIOWrapper(buffer, encoding, errors="backslashreplace", line_buffering=output.isatty())


def _run(words: Sequence[str]) -> int:
    arguments = _parse(words)
    status: int = arguments.run(arguments)
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


def executable() -> str:
    """Return the path of the OPA to run. Raises `PortcullisError` when there is none of the pinned version."""
    return str(find())
