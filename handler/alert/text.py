"""Texts from outside, made fit to be read: no tag and no report may forge a line, move a cursor or fill a screen."""

import re
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from msgspec import Struct

from handler.finding import UNKNOWN
from handler.outcome import Engine
from handler.printable import spelled

T = TypeVar("T")

WIDTH = 70
"""Columns of a mail."""

_NAME = 10
"""Columns of the name of a row."""

_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)\S*Z")
_PLAIN = re.compile(r"[\w.:/@+=,-]+")


class Room(Struct, frozen=True):
    """How much a text may say: entries of each list, characters of each value, characters of what is quoted whole."""

    entries: int
    characters: int
    verbatim: int


ROOMS = (
    Room(100, 200, 200_000),
    Room(100, 200, 80_000),
    Room(50, 200, 30_000),
    Room(50, 150, 10_000),
    Room(20, 100, 4_000),
    Room(10, 80, 1_000),
    Room(5, 60, 400),
    Room(2, 40, 100),
    Room(0, 30, 0),
)
"""From the most that is worth reading to the least that still says what happened."""

DIGEST_ROOMS = (
    Room(3000, 200, 200_000),
    Room(3000, 200, 30_000),
    *(Room(entries, 200, 4_000) for entries in (3000, 2000, 1300, 900, 600, 400, 270, 180)),
    *ROOMS[3:],
)
"""A digest rather names one server more than that it quotes an event whole."""

SUMMARY = Room(5, 100, 0)
"""For a line that says all of an entry."""


class Block(Struct, frozen=True):
    """A sentence, and the commands or the policy that it speaks of, to be copied as they stand."""

    prose: str
    code: str = ""


def short(text: str, characters: int) -> str:
    """Make a text printable and cut it, saying how much is missing."""
    if len(text) <= characters and text.isprintable():
        return text
    shown = ""
    for index, mark in enumerate(text):
        more = spelled(mark)
        if len(shown) + len(more) > characters:
            return f"{shown}... and {len(text) - index} more characters"
        shown += more
    return shown


def quoted(text: str, characters: int) -> str:
    """Set a name or a tag apart from the sentence around it where it is more than one plain word."""
    cut = short(text, characters)
    return cut if _PLAIN.fullmatch(cut) else '"' + cut.replace('"', "'") + '"'


def first(entries: Sequence[T], most: int, spell: Callable[[T], str] = str) -> list[str]:
    """Spell the first entries and say how many more there are."""
    more = len(entries) - most
    return [spell(entry) for entry in entries[:most]] + ([f"... and {more} more"] if more > 0 else [])


def wrapped(text: str, indent: str = "", hanging: str | None = None) -> list[str]:
    """Break a printable text into lines of a mail; what has no spaces stays whole, so that it can be copied."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent if hanging is None else hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )


def row(name: str, value: str) -> list[str]:
    """Spell a printable value with its name before it; nothing where there is none."""
    lines = wrapped(value, " " * _NAME)
    return [f"{name:<{_NAME}}{lines[0][_NAME:]}", *lines[1:]] if lines else []


def rows(name: str, values: Iterable[str]) -> list[str]:
    """Spell printable values below one another, with their name before the first."""
    return [line for number, value in enumerate(values) for line in row("" if number else name, value)]


def blocks(entries: Sequence[Block], room: Room) -> list[str]:
    """Spell blocks as lines; code stands at the margin, whole or not at all."""
    return "\n\n".join(first(entries, room.entries, lambda block: _block(block, room))).split("\n")


def _block(block: Block, room: Room) -> str:
    fits = len(block.code) <= room.verbatim
    code = block.code if fits else f"(left out here: {len(block.code)} characters)"
    return "\n".join([*wrapped(block.prose), *([code] if code else [])])


def count(number: int, one: str, many: str) -> str:
    """Spell a number of things."""
    return f"{number} {one if number == 1 else many}"


def ports(protocol: str, from_port: int, to_port: int) -> str:
    """Spell a port range, as policies and the command line do."""
    return f"{protocol} {from_port}" if from_port == to_port else f"{protocol} {from_port}-{to_port}"


def sources(addresses: Sequence[str], room: Room) -> str:
    """Spell the addresses that can reach a port; the unknown one in plain words."""
    return ", ".join(
        first(
            addresses,
            min(max(room.entries, 1), ROOMS[0].entries),
            lambda source: "an unknown address" if source == UNKNOWN else short(source, room.characters),
        )
    )


def time(text: str) -> str:
    """Spell a time of the contract (RFC 3339 in UTC) for a person; any other text stays what it is."""
    read = _TIME.fullmatch(text)
    return f"{read[1]} {read[2]} UTC" if read else short(text, 40)


def footer(engine: Engine, judged: Iterable[str] = ()) -> list[str]:
    """Say when it was judged, and by what."""
    times = ", ".join(first(list(dict.fromkeys(judged)), 2, time))
    return row("Judged", ", ".join(part for part in (times, f"policy {engine.policy}", f"OPA {engine.opa}") if part))
