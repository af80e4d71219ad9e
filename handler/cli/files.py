"""Reads the files that `portcullis decide` is given into records, numbered from 1 in each file."""

import sys
from codecs import BOM_UTF8
from pathlib import Path
from typing import Any

import msgspec

from handler import events
from handler.events import Record
from handler.finding import Undecidable

_UNDECODED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def read(name: str) -> list[Record]:
    """Give the records of a file: a Lambda event, an API answer, an array of those, or JSON lines; `-` is stdin.

    What cannot be read is a record with a problem: the whole file, or one line of it.
    """
    if name == "-" and sys.stdin is None:
        return [_unreadable("1", "cannot be read: standard input is closed", None)]
    try:
        content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        return [_unreadable("1", f"cannot be read: {error.strerror}", None)]
    records = enumerate(_records(content.removeprefix(BOM_UTF8)), start=1)
    return [msgspec.structs.replace(record, id=str(number)) for number, record in records]


def _records(content: bytes) -> list[Record]:
    """Read the one JSON value of a file, or the one of each line where any line is one: others may be broken."""
    try:
        return list(events.unwrap(msgspec.json.decode(content), "1").records)
    except _UNDECODED as error:
        lines = [(number, line) for number, line in enumerate(content.splitlines(), start=1) if line.strip()]
        if len(lines) > 1 and any(_is_record(line) for _, line in lines):
            return [record for number, line in lines for record in _line(number, line)]
        return [_unreadable("1", f"is {_problem(error)}", content.decode(errors="replace"))]


def _line(number: int, line: bytes) -> list[Record]:
    try:
        return list(events.unwrap(msgspec.json.decode(line), "1").records)
    except _UNDECODED as error:
        return [_unreadable("1", f"line {number} is {_problem(error)}", line.decode(errors="replace"))]


def _is_record(line: bytes) -> bool:
    try:
        msgspec.json.decode(line, type=dict[str, Any] | list[Any])
    except _UNDECODED:
        return False
    return True


def _problem(error: Exception) -> str:
    return "nested too deep to be read" if isinstance(error, RecursionError) else f"not JSON: {error}"


def _unreadable(number: str, problem: str, raw: str | None) -> Record:
    unread = Undecidable(shape="file", field="", problem=problem, raw=raw)
    return Record(id=number, event=None, problem=unread)
