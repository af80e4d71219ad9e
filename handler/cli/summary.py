"""What `portcullis decide` says below its verdicts: the counts, the notes of the findings, the policies' problems."""

import re
from collections import Counter
from collections.abc import Iterator

from msgspec import Struct

from handler.cli import DENIED, UNREAD
from handler.outcome import Told

_READ = re.compile("([a-z]+) of .+ read at (.+)")
"""A note that says what was read, and when."""

_EFFECTS = {
    "allowance": "it covers nothing until this is mended",
    "prohibition": "see that it forbids what you mean",
}


class Line(Struct, frozen=True, kw_only=True):
    """The outcome of one record of one file; `record` counts the file's records from 1.

    `reported` is false of an exposure that a look-up has added to what the reports tell.
    """

    file: str
    record: str
    told: Told
    reported: bool = True

    @property
    def status(self) -> int:
        """Its exit status: 2 where it could not be judged, 1 where it is denied, else 0."""
        if self.told.outcome == "undecidable":
            return UNREAD
        return DENIED if self.told.decision is not None and self.told.decision.action == "deny" else 0


def unread(file: str, record: str, reason: str) -> Line:
    """Return the line of what could not be judged, since there is no report of it."""
    told = Told(outcome="undecidable", reporter=None, reason=reason, finding=None, decision=None)
    return Line(file=file, record=record, told=told)


class Summary:
    """Counts lines, and keeps what they have to say below the table."""

    def __init__(self) -> None:
        self.status = 0
        """The worst exit status of the lines."""
        self._lines: Counter[str] = Counter()
        self._records: set[tuple[str, str]] = set()
        self._reasons: dict[str, Counter[str | None]] = {"closed": Counter(), "ignored": Counter()}
        self._servers: dict[str, dict[str, None]] = {}
        self._first_note: dict[tuple[str, ...], str] = {}
        self._problems: dict[str, None] = {}

    def add(self, line: Line) -> None:
        """Count a line."""
        outcome, decision = line.told.outcome, line.told.decision
        self.status = max(self.status, line.status)
        self._lines["reported" if line.reported else "added"] += 1
        self._records.add((line.file, line.record))
        if outcome in self._reasons:
            self._reasons[outcome][line.told.reason] += 1
        if outcome == "decided" and decision is not None:
            self._lines[decision.action] += 1
            self._lines["critical"] += decision.severity == "critical"
        else:
            self._lines[outcome] += 1
        self._add_notes(line.told)
        for fault in decision.problems if decision is not None else ():
            if fault.kind != "finding":
                effect = _EFFECTS.get(fault.kind, "it declares nothing")
                self._problems[f"{fault.kind} {fault.id}: {fault.field} {fault.problem}; {effect}"] = None

    def paragraphs(self) -> Iterator[str]:
        """Give each note and each problem once, then the reasons and the counts."""
        yield from self._notes()
        yield from self._problems
        yield from self.counts()

    def counts(self) -> Iterator[str]:
        """Give a line for each reason for which something is closed or ignored, and as the last the counts."""
        for kind, reasons in self._reasons.items():
            for reason, count in reasons.most_common():
                yield f"{count:,} {kind}: {reason}"
        yield self._counts()

    def _counts(self) -> str:
        """Say what became of the reports: they are the exposures, those repeated, closed and ignored."""
        lines, records = self._lines, len(self._records)
        origin = "" if records == lines["reported"] else f" in {number(records, 'record')}"
        added = f" and {number(lines['added'], 'more server')} behind a group" if lines["added"] else ""
        exposures = lines["deny"] + lines["allow"] + lines["undecidable"]
        return (
            f"{number(lines['reported'], 'report')}{origin}{added}: "
            f"{number(exposures, 'exposure')} ({lines['repeated']:,} repeated): "
            f"{lines['deny']:,} denied ({lines['critical']:,} critical), {lines['allow']:,} allowed, "
            f"{lines['undecidable']:,} could not be judged; {lines['closed']:,} closed, {lines['ignored']:,} ignored"
        )

    def _add_notes(self, told: Told) -> None:
        """Keep the notes of a finding with its server; of what was read only the first."""
        if told.finding is None:
            return
        server = told.finding.server
        for note in told.finding.notes:
            read = _READ.fullmatch(note)
            first = self._first_note.setdefault(read.groups(), note) if read else note
            self._servers.setdefault(first, {})[server.name or server.id] = None

    def _notes(self) -> Iterator[str]:
        for note, servers in self._servers.items():
            first, *others = servers
            if others and _READ.fullmatch(note):
                yield f"{first}: {note}, and of {number(len(others), 'more server')}"
            else:
                yield f"{first}{f' and {len(others):,} more' if others else ''}: {note}"


def number(count: int, noun: str) -> str:
    """Spell a number of things."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
