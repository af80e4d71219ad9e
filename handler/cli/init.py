"""`portcullis init`: makes a folder of policies that passes its check as soon as the account ids are filled in."""

import argparse
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from handler import __version__
from handler.cli import UNREAD
from handler.opa_binary import pinned

PLACEHOLDER = "000000000000"
"""Stands for the id of an account until somebody writes it; the check refuses it."""

_FILES = Path(__file__).with_name("init_files")
_TERM = timedelta(days=365)
"""How long the first allowance holds."""


def add_to(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("folder", metavar="DIR", type=Path, help="the folder, best an empty repository's; it is made")


def run(arguments: argparse.Namespace) -> int:
    """Write every file or, where one of them exists, none."""
    folder: Path = arguments.folder
    texts = _texts()
    existing = [name for name in texts if os.path.lexists(folder / name)]
    if existing:
        names = "".join(f"\n  {folder / name}" for name in existing)
        print(f"nothing is written, for these are there already:{names}", file=sys.stderr)
        return UNREAD
    for name, text in texts.items():
        try:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            with (folder / name).open("x", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            print(f"{folder / name} cannot be written: {error.strerror}", file=sys.stderr)
            return UNREAD
    print(*(folder / name for name in texts), sep="\n")
    print(
        f"\nFill in the ids of your accounts, in the place of {PLACEHOLDER}: {folder / 'policies/accounts/data.yaml'}\n"
        f"and where Portcullis comes from, PORTCULLIS: {folder / '.github/workflows/policies.yaml'}\n"
        f"Then run `portcullis check` in {folder}"
    )
    return 0


def _texts() -> dict[str, str]:
    """Return the content of every file by its path in the folder."""
    expires = (datetime.now(UTC) + _TERM).date().isoformat()
    texts = {}
    for file in sorted(file for file in _FILES.rglob("*") if file.is_file()):
        text = file.read_text(encoding="utf-8")
        for mark, value in (("@EXPIRES@", expires), ("@OPA@", pinned()), ("@VERSION@", __version__)):
            text = text.replace(mark, value)
        texts[file.relative_to(_FILES).as_posix()] = text
    return texts
