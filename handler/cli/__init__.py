"""The `portcullis` command: the function's own parts from a shell."""

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from handler import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; give its exit status."""
    from handler.cli import decide  # noqa: PLC0415  it needs rich; what checks the policies in the image has none

    parser = argparse.ArgumentParser(prog="portcullis", description="A gate for network-exposure findings on AWS.")
    parser.add_argument("--version", action="version", version=f"portcullis {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    decide.add_to(commands)
    given = parser.parse_args(arguments)
    status: int = given.run(given)
    return status


def executable() -> str:
    """Give the OPA to run: `OPA_PATH`, else the one beside this Python, else `opa` on PATH."""
    beside = shutil.which("opa", path=str(Path(sys.executable).parent))
    return os.environ.get("OPA_PATH") or beside or "opa"
