"""`portcullis allowed`: lists what a folder of policies allows and prohibits."""

import argparse
import csv
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from handler.cli import UNREAD, check, executable

COLUMNS = (
    *("kind", "id", "tcp", "udp", "sources", "except", "conditions", "owner", "reason", "expires", "days_left"),
    *("labels", "bound", "declared_in", "where_unknown", "malformed", "file", "line"),
)
"""The columns of `--format csv`, and the keys of an entry of `--format json`."""


def add_to(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = (
        "List every allowance and prohibition: what, from where, for whom, by whom, until when, and where "
        "it is written. Exit status: 0, or 2 when the folder cannot be listed."
    )
    check.add_folder_to(parser)
    parser.add_argument(
        "--expiring",
        metavar="DAYS",
        type=_days,
        help="only what expires within so many days, or has expired, soonest first",
    )
    parser.add_argument("--format", choices=("text", "json", "csv"), default="text", help="%(default)s")
    parser.add_argument(
        "--now", metavar="RFC3339", type=check.day, default=datetime.now(UTC).date(), help="as of this time"
    )


def run(given: argparse.Namespace) -> int:
    """Print the list; return the exit status."""
    from handler.bundle import Folder  # noqa: PLC0415  `portcullis --help` needs none of it
    from handler.check import formats, listing  # noqa: PLC0415
    from handler.check.workspace import shown  # noqa: PLC0415

    policies, _ = check.folders(given.folder, None)
    opa = executable()
    entries, faults = listing.entries(Folder(policies), opa, given.now)
    if faults:
        print(*map(formats.line, faults), sep="\n", file=sys.stderr)
        return UNREAD
    if given.expiring is not None:
        entries = [entry for entry in entries if entry.days_left is not None and entry.days_left <= given.expiring]
    entries.sort(key=lambda entry: (entry.days_left or 0 if given.expiring is not None else 0, entry.kind, entry.id))
    rows = [_row(entry, shown(entry.file) if entry.file else None) for entry in entries]
    match given.format:
        case "json":
            print(json.dumps({"now": given.now.isoformat(), "statements": rows}, indent=2))
        case "csv":
            writer = csv.DictWriter(sys.stdout, COLUMNS)
            writer.writeheader()
            writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
        case _:
            print("\n\n".join("\n".join(_block(row)) for row in rows) or "nothing is allowed or prohibited")
    return 0


def _days(text: str) -> int:
    """Read a number of days."""
    if not (text.isascii() and text.isdecimal()):
        msg = f"{text} is no number of days; write it like 30"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def _row(entry: Any, file: str | None) -> dict[str, Any]:
    own = {name: getattr(entry, name) for name in ("kind", "id", "days_left", "malformed", "line")}
    row = {**entry.value, **own, "conditions": list(entry.conditions), "file": file}
    return {name: row.get(name) for name in COLUMNS}


def _block(row: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of a statement: its id, what it is about, for whom, by whom, and where it is written."""
    verb = "allows" if row["kind"] == "allowance" else "forbids"
    ports = " and ".join(f"{protocol} {_cell(row[protocol])}" for protocol in ("tcp", "udp") if row[protocol])
    spared = f", except {_cell(row['except'])}" if row["except"] else ""
    yield f"{row['id']} {verb} {ports} from {_cell(row['sources'])}{spared}"
    if row["malformed"]:
        yield "  malformed: `portcullis check` says why"
    for name, words in (("bound", "only what is bound"), ("declared_in", "only what the server declares in its tag")):
        if row[name]:
            yield f"  {words} {row[name]}"
    unknown = ", not where this is unknown" if row["where_unknown"] else ""
    yield f"  for {'; '.join(row['conditions'])}{unknown}"
    if row["expires"]:
        left = row["days_left"]
        days = "" if left is None else f" (expired {-left} days ago)" if left < 0 else f" ({left} days left)"
        yield f"  until {row['expires']}{days}, {row['owner']}: {row['reason']}"
    else:
        yield f"  {row['reason']}"
    if row["labels"]:
        yield f"  {_cell(row['labels'], ': ')}"
    if row["file"]:
        yield f"  {row['file']}:{row['line']}"


def _cell(value: Any, between: str = "=") -> Any:
    """Spell a list or an object in one cell, with a text between a name and its value."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{name}{between}{text}" for name, text in value.items())
    return value
