"""`portcullis open`: lists what is open, as the function remembers it."""

import argparse
import json
import sys
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from msgspec import to_builtins

from handler.cli import DENIED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from handler.cli.verdicts import Row
    from handler.finding import Finding
    from handler.memory.parts import Part
    from handler.memory.state import Server
    from handler.memory.store import Key, Table


def add_to(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = (
        "List what is open: since when, denied why or allowed by what, and when it was told. Reads the table that "
        "MEMORY_TABLE names, with the credentials and the Region of this shell.\n\n"
        "In a terminal it is a table, in a pipe lines of the same fields as those of `portcullis decide`.\n\n"
        "Exit status: 0 nothing is open and denied, 1 something is, 2 the table could not be read."
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--denied", action="store_true", help="leave out what is allowed")
    parser.add_argument("--json", action="store_true", help="print one JSON object a server and line")


def run(arguments: argparse.Namespace) -> int:
    """Print what is open; return the exit status."""
    from handler.cli import verdicts  # noqa: PLC0415  `portcullis --help` needs none of it

    servers = [(key, server) for key, server in remembered(opened_table()) if server.open]
    servers = [(key, server) for key, server in servers if server.denied or not arguments.denied]
    denied = any(server.denied for _, server in servers)
    if arguments.json:
        for key, server in servers:
            print(json.dumps({"account": key[0].split("#")[0], "server": server.id, **to_builtins(server)}))
        return DENIED if denied else 0
    rows = [row for key, server in servers for row in _rows(key, server, denied=arguments.denied)]
    rows.sort(key=verdicts.SORTS["severity"])
    if not sys.stdout.isatty():
        verdicts.print_fields(rows)
        return DENIED if denied else 0
    from handler.cli import table  # noqa: PLC0415  a pipe does not wait for what draws

    console = table.terminal()
    table.print_rows(rows, console)
    worst = sum(bool(server.denied) for _, server in servers)
    table.print_paragraphs([f"{len(servers)} servers with something open, {worst} of them denied"], console)
    return DENIED if denied else 0


def opened_table() -> "Table":
    """Return the table that MEMORY_TABLE names. Raises `PortcullisError` where there is none of that kind."""
    import boto3  # noqa: PLC0415  `portcullis --help` needs none of it

    from handler import settings  # noqa: PLC0415
    from handler.errors import MemoryUnavailableError  # noqa: PLC0415
    from handler.memory.store import Table  # noqa: PLC0415

    name = settings.read_memory().memory_table
    try:
        client = boto3.client("dynamodb")
    except Exception as error:
        raise MemoryUnavailableError(name, f"{error}; AWS_DEFAULT_REGION names the Region of the table") from error
    found = Table(client, name)
    found.check()
    return found


def now() -> str:
    """Return the time, as the memory spells it."""
    from handler.memory.state import spelled  # noqa: PLC0415

    return spelled(datetime.now(UTC))


def remembered(table: "Table") -> "Iterator[tuple[Key, Server]]":
    """Return all servers of the table."""
    from handler.memory.state import Server  # noqa: PLC0415

    for key, row in table.scan(now()):
        if isinstance(row.item, Server):
            yield key, row.item


def reports(table: "Table") -> "tuple[list[tuple[str, Finding]], list[str]]":
    """Return the reports that are open, as they were before look-ups, and what names those that the table lacks."""
    from handler.finding import Finding  # noqa: PLC0415  `portcullis --help` needs none of it
    from handler.memory.observing import digest  # noqa: PLC0415
    from handler.memory.state import Server  # noqa: PLC0415

    names: dict[Key, str] = {}
    reports: dict[Key, Finding] = {}
    for key, row in table.scan(now(), ("server", "report")):
        match row.item:
            case Server() as server:
                claims = {claim: known for claim, known in server.claims.items() if known.open}
                names |= {(key[0], f"report#{digest(claim)}"): f"{server.id} {claim}" for claim in claims}
            case Finding() as report:
                reports[key] = report
    found = [(name, reports[key]) for key, name in names.items() if key in reports]
    return found, [name for key, name in names.items() if key not in reports]


def _rows(key: "Key", server: "Server", *, denied: bool) -> "Iterator[Row]":
    """Return the rows of a server: ports that fare alike share one."""
    from handler.cli import verdicts  # noqa: PLC0415
    from handler.memory.parts import inside  # noqa: PLC0415

    known: dict[str, Any] = {
        "server": server.id,
        "name": server.name or "-",
        "account": server.account,
        "region": server.region,
        "record": key[1],
    }
    parts = server.denied if denied else (*server.denied, *server.allowed)
    alike = sorted(parts, key=lambda part: (part.severity, part.verdict, part.by, part.source))
    for (severity, verdict, by, source), same in groupby(
        alike, key=lambda part: (part.severity, part.verdict, part.by, part.source)
    ):
        group = list(same)
        told = (
            f"told {server.told_since(tuple(group))}"
            if severity and inside(group, server.told)
            else "not told"
            if severity
            else ""
        )
        yield verdicts.Row(
            severity=severity or "-",
            port=verdicts.ports(group),
            source=source,
            verdict="DENY" if severity else "allow",
            reason="; ".join(
                filter(
                    None, (_why(verdict, by), f"open since {_since(server, group)}", told, _unconfirmed(server, group))
                )
            ),
            **known,
        )


def _why(verdict: str, by: tuple[str, ...]) -> str:
    named = ", ".join(by)
    return (
        f"{verdict} by {named}" if verdict in {"allowed", "prohibited"} else f"{verdict}{f' ({named})' if by else ''}"
    )


def _since(server: "Server", parts: "list[Part]") -> str:
    """Return since when a report has told the first of some parts."""
    from handler.memory.parts import inside  # noqa: PLC0415

    return min(claim.since for claim in server.open if inside(parts, claim.parts))


def _unconfirmed(server: "Server", parts: "list[Part]") -> str:
    """Return since when all reports of some parts have been gone without evidence; nothing while one has not."""
    from handler.memory.parts import common  # noqa: PLC0415

    gone = [claim.unconfirmed for claim in server.open if common(parts, claim.parts)]
    since = [at for at in gone if at is not None]
    return f"unconfirmed since {max(since)}" if since and len(since) == len(gone) else ""
