"""The `portcullis` command: the function's own parts from a shell."""

import argparse
from collections.abc import Sequence

from handler import __version__
from handler.cli import decide


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; give its exit status."""
    parser = argparse.ArgumentParser(prog="portcullis", description="A gate for network-exposure findings on AWS.")
    parser.add_argument("--version", action="version", version=f"portcullis {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    decide.add_to(commands)
    given = parser.parse_args(arguments)
    status: int = given.run(given)
    return status
