"""The verdicts as a person reads them in a terminal."""

import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from itertools import zip_longest

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from handler.cli.verdicts import Row
from handler.printable import printable

WIDTH = 100
"""Columns of a table that goes to no terminal."""

_STYLES = {
    "critical": "bold red",
    "high": "red",
    "medium": "yellow",
    "DENY": "bold red",
    "UNREAD": "bold yellow",
    "allow": "green",
}
_HEADER = ("SEVERITY", "SERVER", "PORT", "FROM", "VERDICT")
_LIMITS = (8, 40, 20, 20, 7)
_COLOURED = (True, False, False, False, True)
_GAP = 2
_REASON = 50
"""Columns that a reason needs to stand beside its verdict; where there are fewer, it stands below."""


def terminal() -> Console:
    """Return the terminal, as wide as COLUMNS says or it is; NO_COLOR and TERM=dumb mean no styles of any kind."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return Console(width=width, height=25, highlight=False, color_system=None if plain else "auto")


def print_rows(rows: Sequence[Row], console: Console) -> None:
    """Print rows as a table, or as a block a server where the terminal is too narrow: no identifier is ever broken."""
    cells = [_cells(row) for row in rows]
    widths = [_width(column, limit) for column, limit in zip(zip(_HEADER, *cells, strict=True), _LIMITS, strict=True)]
    if console.width < WIDTH or sum(widths) + _GAP * (len(widths) - 1) > console.width:
        _print_blocks(rows, console)
    elif rows:
        _print_table(rows, widths, console)


def print_paragraphs(paragraphs: Iterable[str], console: Console) -> None:
    """Print texts as wide as the terminal, apart from what stands above."""
    console.print()
    for paragraph in paragraphs:
        for line in _wrapped(printable(paragraph), console.width):
            console.print(Text(line), soft_wrap=True)


def _cells(row: Row) -> tuple[str, ...]:
    return row.severity, row.title, printable(row.port), printable(row.source), row.verdict


def _width(cells: Sequence[str], limit: int) -> int:
    """Return the width of a column: that of its widest cell, or a limit in which every word has its place."""
    words = (word for cell in cells for word in cell.split(" "))
    return min(max(map(cell_len, cells)), max(limit, *map(cell_len, words)))


def _print_table(rows: Sequence[Row], widths: Sequence[int], console: Console) -> None:
    """Print a line a row, with the reason beside it or, where there is no room, below."""
    room = console.width - sum(widths) - _GAP * len(widths)
    beside = room >= _REASON
    console.print(_joined((*_HEADER, "WHY" if beside else ""), widths, header=True), soft_wrap=True)
    for row in rows:
        columns = [_wrapped(cell, width) for cell, width in zip(_cells(row), widths, strict=True)]
        indent = widths[0] + _GAP
        reason = _wrapped(printable(row.reason), room if beside else console.width - indent)
        for parts in zip_longest(*columns, reason if beside else (), fillvalue=""):
            console.print(_joined(parts, widths), soft_wrap=True)
        for line in () if beside else reason:
            console.print(Text(f"{' ' * indent}{line}"), soft_wrap=True)


def _joined(parts: Sequence[str], widths: Sequence[int], *, header: bool = False) -> Text:
    """Join the parts of one line of a table; severity and verdict have their colours."""
    line = Text(style="bold" if header else "")
    for part, width, coloured in zip(parts, (*widths, 0), (*_COLOURED, False), strict=False):
        line.append(part, _STYLES.get(part) if coloured else None)
        line.append(" " * (width - cell_len(part) + _GAP))
    line.rstrip()
    return line


def _print_blocks(rows: Sequence[Row], console: Console) -> None:
    """Print the rows of each server below its name, servers in the order of their first row."""
    blocks: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        blocks.setdefault((row.title, row.account, row.region), []).append(row)
    for names, block in blocks.items():
        title = " ".join(printable(name) for name in names if name != "-")
        for line in _wrapped(title, console.width):
            console.print(Text(line, "bold"), soft_wrap=True)
        for row in block:
            verdict = row.verdict if row.severity == "-" else f"{row.verdict} {row.severity}"
            ports = "" if row.port == "-" else f"{row.port} from {row.source}: "
            text = printable(f"{verdict} {ports}{row.reason}")
            for number, line in enumerate(_wrapped(text, console.width - 4)):
                spelled = Text(f"{'    ' if number else '  '}{line}")
                if not number:
                    spelled.stylize(_STYLES[row.verdict], 2, 2 + len(verdict))
                console.print(spelled, soft_wrap=True)


def _wrapped(text: str, width: int) -> list[str]:
    """Break a text between its words, and never inside of one."""
    lines = [""]
    for word in text.split():
        if lines[-1] and cell_len(lines[-1]) + 1 + cell_len(word) > width:
            lines.append(word)
        else:
            lines[-1] += f" {word}" if lines[-1] else word
    return lines
