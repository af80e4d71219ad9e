"""`portcullis history`: lists what was told of a server and has closed again."""

import argparse
import json
import sys
from typing import TYPE_CHECKING

from msgspec import to_builtins

from handler.cli import UNREAD
from handler.cli.open import now, opened_table

if TYPE_CHECKING:
    from handler.memory.store import Key


def add_to(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = (
        "List the episodes of a server, the last one first: what was told as open, when, by which SNS messages, when "
        "it closed and why. Reads the table that MEMORY_TABLE names.\n\n"
        "Exit status: 0, or 2 when nothing is remembered of the server, or the table cannot be read."
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("server", metavar="SERVER", help="the id of an instance or a security group")
    parser.add_argument("--json", action="store_true", help="print one JSON object an episode and line")


def run(arguments: argparse.Namespace) -> int:
    """Print the episodes; return the exit status."""
    from handler.alert.story import duration, listed  # noqa: PLC0415  `portcullis --help` needs none of it
    from handler.memory.state import Episode, Server  # noqa: PLC0415
    from handler.printable import printable  # noqa: PLC0415

    server: Server | None = None
    episodes: list[tuple[Key, Episode]] = []
    for key, row in opened_table().scan(now()):
        if key[1].split("#")[2:3] != [arguments.server]:
            continue
        match row.item:
            case Server() as found:
                server = found
            case Episode() as episode:
                episodes.append((key, episode))
    if server is None and not episodes:
        print(printable(f"nothing is remembered of {arguments.server}"), file=sys.stderr)
        return UNREAD
    episodes.sort(key=lambda pair: pair[1].closed, reverse=True)
    if arguments.json:
        for key, episode in episodes:
            print(json.dumps({"place": key[0], "server": arguments.server, **to_builtins(episode)}))
        return 0
    if server is not None and server.told:
        openings = (f"open since {opening.at}: {listed(opening.parts)}" for opening in server.openings)
        print(*map(printable, openings), sep="\n")
        print(*map(_message, server.messages), sep="\n")
    for _, episode in episodes:
        print(printable(f"{episode.opened} to {episode.closed} ({duration(episode.opened, episode.closed)})"))
        print(printable(f"  {listed(episode.parts)}"))
        print(printable(f"  {episode.by}"))
        print(*map(_message, episode.messages), sep="\n")
    return 0


def _message(message: str) -> str:
    """Name the message that has told something, or who has accepted it without one."""
    from handler.printable import printable  # noqa: PLC0415  `portcullis --help` needs none of it

    return printable(f"  {message}" if message.startswith("accepted by ") else f"  message {message}")
