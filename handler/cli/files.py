"""Reads the files that `portcullis decide` is given into records, numbered from 1 in each file.

A record is read when it is asked for, and nothing is kept of it, so that a file of any length fits.
"""

import os
import stat
import sys
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from handler import events
from handler.events import Record
from handler.finding import Undecidable

_UNDECODED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_Value = list[Raw] | dict[str, Raw] | str | float | bool | None
"""Any JSON value, whose parts are not decoded yet."""

_PAGES = {"findings", "Findings"}
"""Where an answer of an API has its findings."""

_ENVELOPES = {"source", "detail-type", "Records"}
"""What an answer of an API does not have, and an event does."""


def read(name: str) -> Iterator[Record]:
    """Give the records of a file: a Lambda event, an API answer, an array of those, or JSON lines; `-` is stdin.

    Each finding of an answer and each event of an array is a record. What cannot be read is a record with a problem:
    the whole file, or one line of it.
    """
    return (replace(record, id=str(number)) for number, record in enumerate(_read(name), start=1))


def _read(name: str) -> Iterator[Record]:
    if name == "-" and sys.stdin is None:
        yield _unreadable("cannot be read: standard input is closed")
        return
    try:
        with nullcontext(sys.stdin.buffer) if name == "-" else Path(name).open("rb") as file:
            content = _Content(file)
            yield from _records(content)
            if content.grew():
                yield _unreadable("grew while it was read, and what was added is not judged; judge it once it is whole")
    except OSError as error:
        yield _unreadable(f"cannot be read: {error.strerror}")


class _Content:
    """What a file held when it was opened; of a pipe, all that comes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = _size(file)
        self._rest = -1 if self._size is None else self._size

    def line(self) -> bytes:
        """Give the next line with its end, or nothing at the end."""
        line = self._file.readline(self._rest)
        self._rest -= 0 if self._size is None else len(line)
        return line

    def rest(self) -> bytes:
        """Give what has not been read yet."""
        return self._file.read(self._rest)

    def grew(self) -> bool:
        """Say whether there is more in the file by now."""
        return self._size is not None and os.fstat(self._file.fileno()).st_size > self._size


def _size(file: BinaryIO) -> int | None:
    """Give the size of a file, null where it is a pipe or the like."""
    try:
        status = os.fstat(file.fileno())
    except OSError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _records(content: _Content) -> Iterator[Record]:
    """Read JSON lines if the first line is JSON and others follow; else the one value that the file is.

    Where that cannot be read but any line can, they are JSON lines too, and others of them are broken.
    """
    lines = _lines(iter(content.line, b""))
    first = next(lines, (1, b""))
    second = next(lines, None) if _is_record(first[1]) else None
    if second is not None:
        for number, line in chain((first, second), lines):
            yield from _events(line, f"line {number} is")
        return
    text = first[1] + content.rest()
    try:
        values = _values(text)
    except _UNDECODED as error:
        broken = list(_lines(text.splitlines(), first[0]))
        if len(broken) == 1 or not any(_is_record(line) for _, line in broken):
            yield _unreadable(f"is {_problem(error)}", text)
            return
        for number, line in broken:
            yield from _events(line, f"line {number} is")
    else:
        for value in values:
            yield from _events(value, "is")


def _lines(lines: Iterable[bytes], start: int = 1) -> Iterator[tuple[int, bytes]]:
    """Count lines, and leave out what is blank or the byte order mark of the file."""
    for number, line in enumerate(lines, start):
        text = line.removeprefix(BOM_UTF8) if number == 1 else line
        if text.strip():
            yield number, text


def _values(text: bytes) -> Iterator[bytes]:
    """Cut the JSON of a file into events and findings without decoding them. Raises what `_UNDECODED` has.

    The last finding of an answer keeps what stands beside the findings: that pages follow, what AWS could not give.
    """
    whole = msgspec.json.decode(text, type=_Value)
    if isinstance(whole, list) and whole:
        return (b"[%b]" % bytes(event) for event in whole)
    if isinstance(whole, dict) and whole.keys().isdisjoint(_ENVELOPES):
        for key in whole.keys() & _PAGES:
            findings = msgspec.json.decode(whole[key], type=_Value)
            if isinstance(findings, list) and findings and all(bytes(memoryview(raw)[:1]) == b"{" for raw in findings):
                if len(whole) > 1:
                    findings[-1] = Raw(msgspec.json.encode({**whole, key: findings[-1:]}))
                return map(bytes, findings)
    return iter([text])


def _events(text: bytes, what: str) -> Iterator[Record]:
    """Give the records of an event, an answer or an array; `what` begins the sentence about one that is not JSON."""
    try:
        records = events.unwrap(msgspec.json.decode(text), "1").records
    except _UNDECODED as error:
        records = (_unreadable(f"{what} {_problem(error)}", text),)
    yield from records


def _is_record(line: bytes) -> bool:
    try:
        return isinstance(msgspec.json.decode(line, type=_Value), dict | list)
    except _UNDECODED:
        return False


def _problem(error: Exception) -> str:
    return "nested too deep to be read" if isinstance(error, RecursionError) else f"not JSON: {error}"


def _unreadable(problem: str, raw: bytes | None = None) -> Record:
    text = None if raw is None else raw.decode(errors="replace")
    return Record(id="1", problem=Undecidable(shape="file", field="", problem=problem, raw=text))
