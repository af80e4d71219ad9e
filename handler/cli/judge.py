"""Judges records of files and reports that were read before; imported while OPA starts."""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cached_property
from itertools import chain, islice
from typing import TypeVar

import msgspec

from handler import aws, invocation
from handler.cli.progress import Progress
from handler.cli.summary import Line
from handler.events import Record
from handler.finding import Finding
from handler.lookup import LookUp
from handler.opa import CHUNK, Opa
from handler.outcome import Engine, Outcome, Told

T = TypeVar("T")

_AHEAD = 3
"""How many queries wait or are answered while others are printed."""


class Judge:
    """What judges the records of a file: as of `now`, with the gate and the look-ups, showing its progress."""

    def __init__(self, now: datetime, gate: Opa, look_up: LookUp | None, progress: Progress) -> None:
        self._now = f"{now.replace(microsecond=0, tzinfo=None).isoformat()}Z"
        self._gate = gate
        self._look_up = look_up
        self.progress = progress

    @cached_property
    def engine(self) -> Engine:
        """What is running, once OPA answers. Raises what `Opa.ready` does."""
        return self._gate.ready()

    def lines(self, name: str, records: Iterable[Record]) -> Iterator[Line]:
        """Judge records together: those that tell one exposure are folded. `name` is the file's."""
        read = self.progress.of(records, f"Reading {name}")
        return self._decided(name, invocation.read(read, self._now, aws.fetcher, None, self._look_up))

    def lines_again(self, name: str, reports: Iterable[tuple[str, Finding]]) -> Iterator[Line]:
        """Judge reports that were read before, together, each with what names it. `name` is where they are kept."""
        return self._decided(name, invocation.read_again(reports, self._now, None, self._look_up))

    def _decided(self, name: str, outcomes: list[Outcome]) -> Iterator[Line]:
        """Judge what was read while OPA started."""
        _ = self.engine
        decided = (pair for chunk in self._asked(outcomes) for pair in invocation.decide(chunk, self._gate))
        for outcome, failure in self.progress.of(decided, f"Judging {name}", len(outcomes)):
            yield from _lines(name, outcome, failure)

    def _asked(self, outcomes: list[Outcome]) -> Iterator[list[Outcome]]:
        """Give the outcomes in chunks; while one is decided and printed, OPA is asked about the next."""
        waiting = chunks(outcomes, CHUNK)
        ahead: deque[list[Outcome]] = deque()
        for chunk in waiting if (os.cpu_count() or 1) > 1 else ():
            self._gate.ask_ahead([outcome.report for outcome in chunk if isinstance(outcome.report, Finding)])
            ahead.append(chunk)
            if len(ahead) > _AHEAD:
                yield ahead.popleft()
        yield from chain(ahead, waiting)


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Cut items into lists of a size."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def _lines(name: str, outcome: Outcome, failure: str | None) -> Iterator[Line]:
    """Give the line of an outcome, then one for each report that is folded into it."""
    told = outcome.told()
    if failure is not None:
        told = msgspec.structs.replace(told, reason=failure)
    yield Line(file=name, record=outcome.records[0], told=told, reported=bool(outcome.reports))
    for record in outcome.reports[1:]:
        reason = f"it tells again what record {outcome.records[0]} tells"
        repeated = Told(outcome="repeated", reporter=told.reporter, reason=reason, finding=None, decision=None)
        yield Line(file=name, record=record, told=repeated)
