"""`portcullis check`: checks a team's folder of policies and runs its tests."""

import argparse
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from handler.cli import executable

FAULTS, UNCHECKED = 1, 2


def add_to(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = (
        "Check a folder of policies and run its tests. Exit status: 0 nothing wrong (there may be "
        "warnings), 1 something to mend, 2 it could not be checked."
    )
    add_folder_to(parser)
    parser.add_argument("--tests", metavar="DIR", help="the folder of the tests (policy_tests beside the policies)")
    parser.add_argument("--format", choices=("text", "json", "sarif", "github"), default="text", help="%(default)s")
    parser.add_argument("--coverage", action="store_true", help="also refuse lines that no test reaches")
    parser.add_argument(
        "--now", metavar="RFC3339", type=day, default=datetime.now(UTC).date(), help="check as of this time"
    )


def add_folder_to(parser: argparse.ArgumentParser) -> None:
    """Add the argument that names the folder of the policies."""
    parser.add_argument(
        "folder",
        metavar="DIR",
        nargs="?",
        default=".",
        help="the folder of the policies, or one that holds `policies`; this one if none is named",
    )


def run(given: argparse.Namespace) -> int:
    """Check the folder and print what is wrong; return the exit status."""
    from handler import readings  # noqa: PLC0415
    from handler.bundle import Folder  # noqa: PLC0415  `portcullis --help` needs none of it
    from handler.check import check, formats  # noqa: PLC0415

    policies, tests = folders(given.folder, given.tests)
    opa = executable()
    unread = [Folder(path, tests=path == tests) for path in (policies, tests) if path]
    if any(not folder.path.is_dir() for folder in unread):
        for folder in unread:
            for name, problem in folder.problems:
                print(f"{folder.shown(name)} {problem}", file=sys.stderr)
        return UNCHECKED
    checked = check(unread[0], unread[1] if tests else None, opa, given.now, coverage=given.coverage)
    if not checked.errors:
        readings.store(unread[0], checked.register)
    root = repository(policies)
    match given.format:
        case "json":
            print(formats.as_json(checked, root), end="")
        case "sarif":
            print(formats.sarif(checked, root), end="")
        case "github":
            print(formats.github(checked, root), end="")
        case _:
            print(formats.text(checked), end="")
    return FAULTS if checked.errors else 0


def day(text: str) -> date:
    """Read a time with its zone, or a day (UTC), of which the day counts."""
    try:
        time = datetime.fromisoformat(text)
        return time.astimezone(UTC).date() if time.tzinfo else date.fromisoformat(text)
    except (ValueError, OverflowError):
        msg = f"{text} is no time with a time zone; write it like 2026-11-24T06:12:00Z or 2026-11-24"
        raise argparse.ArgumentTypeError(msg) from None


def folders(folder: str, tests: str | None) -> tuple[Path, Path | None]:
    """Return the folder of the policies and that of their tests, if there is one, from what a person named."""
    named = Path(folder)
    policies = named / "policies" if (named / "policies").is_dir() else named
    beside = policies.absolute().parent / "policy_tests"
    if tests is None:
        return policies, policies.parent / "policy_tests" if beside.is_dir() else None
    return policies, Path(tests)


def repository(policies: Path) -> Path:
    """Return the root of the repository that holds the policies, or the folder above them where there is none."""
    path = policies.absolute()
    return next((parent for parent in path.parents if (parent / ".git").exists()), path.parent)
