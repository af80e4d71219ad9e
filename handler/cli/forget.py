"""`portcullis forget`: takes a server out of the memory, so that whatever is open on it is told as new."""

import argparse
import sys
from datetime import timedelta

from handler.cli import UNREAD
from handler.cli.open import now, opened_table, remembered


def add_to(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = (
        "Take a server out of the table that MEMORY_TABLE names. What is open on it is told as new when a report comes "
        "again; no closing is told. That it was forgotten stays in its history.\n\n"
        "Exit status: 0, or 2 when nothing is remembered of the server, or the table cannot be written."
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("server", metavar="SERVER", help="the id of an instance or a security group")


def run(arguments: argparse.Namespace) -> int:
    """Forget the server; return the exit status."""
    from handler import settings  # noqa: PLC0415  `portcullis --help` needs none of it
    from handler.memory.forgetting import forget  # noqa: PLC0415
    from handler.printable import printable  # noqa: PLC0415

    table = opened_table()
    retention = timedelta(days=settings.read_memory().memory_retention_days)
    found = [(key, server) for key, server in remembered(table) if server.id == arguments.server]
    if not found:
        print(printable(f"nothing is remembered of {arguments.server}"), file=sys.stderr)
        return UNREAD
    for key, server in found:
        forget(table, key, server, now(), retention)
        print(printable(f"forgotten: {server.id} in {key[0].replace('#', ' ')}"))
    return 0
