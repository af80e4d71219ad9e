"""The table of decisions that a person reads in a terminal, and what stands below it."""

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from msgspec import Struct
from rich.console import Console
from rich.table import Table
from rich.text import Text

from handler.alert.text import printable
from handler.decision import Allowed, Decision, Denied
from handler.outcome import Engine, Told

_STYLES = {"allow": "green", "DENY": "bold red", "UNREAD": "bold yellow"}
_COLUMNS = {"SERVER": 19, "PORT": 16, "FROM": 20, "VERDICT": 7}
"""The widest that each is where there is little room: an id, two ranges, a network. What is left is for the reason."""

_READ = re.compile("([a-z]+) of .+ read at (.+)")
"""A note that says what was read, and when."""

_WIDTH = 100
"""Columns, where the output is no terminal."""


class Line(Struct, frozen=True, kw_only=True):
    """The outcome of one record of one file; `record` counts the file's records from 1."""

    file: str
    record: str
    told: Told


class Row(Struct, frozen=True, kw_only=True):
    """One line of the table."""

    server: str
    port: str = "-"
    source: str = "-"
    verdict: str
    why: str


def show(lines: list[Line], engine: Engine, milliseconds: int) -> None:
    """Print the table, the policies' problems and the counts; widths follow the terminal."""
    console = Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False, soft_wrap=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, width in _COLUMNS.items():
        table.add_column(name, overflow="fold", max_width=width if console.width <= _WIDTH else None)
    table.add_column("WHY", overflow="fold")
    for row in (row for line in lines for row in rows(line)):
        verdict = Text(row.verdict, style=_STYLES[row.verdict])
        table.add_row(_text(row.server), _text(row.port), _text(row.source), verdict, _text(row.why))
    if table.row_count:
        console.print(table)
    for paragraph in (_notes(lines), _problems(lines), _counts(lines, engine, milliseconds)):
        for text in paragraph:
            console.print(_text(text))


def _text(text: str) -> Text:
    """Give what a terminal may show: no tag and no report draws a row or moves the cursor."""
    return Text(printable(text))


def rows(line: Line) -> Iterator[Row]:
    """Give the table's rows of a line: what is denied, then what is allowed; none for what is closed or ignored."""
    finding, decision = line.told.finding, line.told.decision
    if finding is not None and decision is not None:
        server = f"{finding.server.name}  {finding.server.id}" if finding.server.name else finding.server.id
        yield from _entries(server, decision)
    if line.told.outcome == "undecidable":
        record, why = f"{line.file} record {line.record}", line.told.reason or "it could not be judged"
        label, why = (server, f"{record}: {why}") if finding is not None else (record, why)
        yield Row(server=label, verdict="UNREAD", why=why)


def _entries(server: str, decision: Decision) -> Iterator[Row]:
    """Give what is denied, then what is allowed; ports that fare alike share a row."""
    both: tuple[tuple[Sequence[Denied | Allowed], str], ...] = (decision.denied, "DENY"), (decision.allowed, "allow")
    for entries, verdict in both:
        alike: dict[tuple[str, str], list[Denied | Allowed]] = {}
        for _, same in groupby(entries, key=lambda entry: (ports([entry]), _why(entry, decision))):
            given = list(same)
            alike.setdefault((sources(given), _why(given[0], decision)), []).append(given[0])
        for (source, why), together in alike.items():
            yield Row(server=server, port=ports(together), source=source, verdict=verdict, why=why)


def ports(entries: Iterable[Denied | Allowed]) -> str:
    """Spell the ports of entries: `tcp 443, 8000-8100; udp 53`."""
    spelled: dict[str, list[str]] = {}
    for entry in entries:
        span = f"-{entry.to_port}" if entry.to_port != entry.from_port else ""
        spelled.setdefault(entry.protocol, []).append(f"{entry.from_port}{span}")
    return "; ".join(f"{protocol} {', '.join(ranges)}" for protocol, ranges in spelled.items())


def sources(entries: Iterable[Denied | Allowed]) -> str:
    """Spell the sources of entries; both families' whole is `anywhere`."""
    given = [entry.source for entry in entries]
    everything = {"0.0.0.0/0", "::/0"}
    if everything <= set(given):
        given = ["anywhere", *(source for source in given if source not in everything)]
    return ", ".join(dict.fromkeys(given))


def _why(entry: Denied | Allowed, decision: Decision) -> str:
    if isinstance(entry, Denied):
        opened = " ".join(part for part in (entry.security_group, *entry.rules) if part)
        return f"{entry.reason}  [{opened}]" if opened else entry.reason
    return "; ".join(
        f"{name} ({decision.allowances[name].owner}, until {decision.allowances[name].expires})" for name in entry.by
    )


def _notes(lines: list[Line]) -> Iterator[str]:
    """Give each note of a finding once, with the servers that it is about; of what was read only the first."""
    servers: dict[str, dict[str, None]] = {}
    alike: dict[tuple[str, ...], str] = {}
    for finding in (line.told.finding for line in lines if line.told.finding):
        for note in finding.notes:
            read = _READ.fullmatch(note)
            first = alike.setdefault(read.groups(), note) if read else note
            servers.setdefault(first, {})[finding.server.name or finding.server.id] = None
    for note, named in servers.items():
        first, *more = named
        if more and _READ.fullmatch(note):
            yield f"{first}: {note}, and of {_number(len(more), 'more server')}"
        else:
            yield f"{first}{f' and {len(more)} more' if more else ''}: {note}"


def _problems(lines: list[Line]) -> Iterator[str]:
    """Give each problem of a policy or a tag once."""
    found = [fault for line in lines if line.told.decision for fault in line.told.decision.problems]
    effects = {
        "allowance": "it covers nothing until this is mended",
        "prohibition": "see that it forbids what you mean",
    }
    for fault in dict.fromkeys(fault for fault in found if fault.kind != "finding"):
        effect = effects.get(fault.kind, "it declares nothing")
        yield f"{fault.kind} {fault.id}: {fault.field} {fault.problem}; {effect}"


def _counts(lines: list[Line], engine: Engine, milliseconds: int) -> Iterator[str]:
    judged = [line.told.decision for line in lines if line.told.outcome == "decided" and line.told.decision]
    denied = sum(decision.action == "deny" for decision in judged)
    unread = sum(line.told.outcome == "undecidable" for line in lines)
    yield (
        f"{_number(len(judged) + unread, 'report')} judged: {len(judged) - denied} allowed, {denied} denied, "
        f"{unread} could not be judged. Policy {engine.policy}, OPA {engine.opa}, {milliseconds} ms."
    )
    for kind in ("closed", "ignored"):
        reasons = Counter(line.told.reason for line in lines if line.told.outcome == kind)
        for reason, count in reasons.items():
            yield f"{_number(count, 'record')} {kind}: {reason}"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
