"""The JSON of an alert: whole where it fits, else less of it, and how much was left out."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from handler.alert.case import Judged
from handler.alert.message import Earlier, to_json
from handler.alert.text import first, short
from handler.finding import Closed, Ignored, Undecidable
from handler.outcome import Engine

_SUMMARY_LINES = (10, 3, 0)

_SMALLEST = 300
"""Bytes that no finding and no report goes below."""

_MISSES = 20
"""Findings or reports that do not fit, after which no other is tried: spelling each takes longer than judging it."""

_RAW_CHARACTERS = (20_000, 2_000, 200)
"""Of a raw event that does not fit whole."""

_PARTS = 10
"""Of what has opened or closed on a server, the parts that are listed where they do not all fit."""

_DEEPEST = 100
"""Lists and objects inside one another that are shown: more than a report has, far fewer than Python can spell."""


class Carried(Struct, frozen=True, kw_only=True):
    """What an alert carries: what was denied (worst first), what could not be judged, and both in a line each.

    An answer carries what is allowed, and what there is nothing to judge of; the digest of a slice, what went before.
    """

    kind: str
    judged: Sequence[Judged] = ()
    reports: Sequence[Undecidable | Closed | Ignored] = ()
    summary: Sequence[str]
    news: Sequence[dict[str, Any]] = ()
    earlier: Earlier | None = None


def content(carried: Carried, heading: dict[str, Any], engine: Engine, room: int) -> dict[str, Any]:
    """Give the JSON, as whole as it fits into so many bytes of a message; what is too large is left out."""
    frame = next(
        frame
        for lines in _SUMMARY_LINES
        for frame in [_content(carried, heading, engine, lines)]
        if weight(frame) <= room or not lines
    )
    if carried.news:
        frame["news"] = []
        frame["news"] = _fitting(map(_news, carried.news), (room - weight(frame)) // 2)
    free = room - weight(frame)
    frame["reports"] = _fitting(map(_report, carried.reports), free // 2 if carried.judged else free)
    frame["findings"] = _fitting(map(_finding, carried.judged), room - weight(frame))
    frame["left_out"] = {
        "findings": len(carried.judged) - len(frame["findings"]),
        "reports": len(carried.reports) - len(frame["reports"]),
    }
    if carried.news:
        frame["left_out"]["news"] = len(carried.news) - len(frame["news"])
    return frame


def weight(value: object) -> int:
    """Bytes of a value's JSON as a text inside the JSON of a message, which escapes its quotes and backslashes."""
    text = to_json(value)
    return len(f'"{text}"'.encode()) + text.count('"') + text.count("\\")


def plain(value: object) -> Any:
    """Give a value as JSON has it; NaN as text, and a word in place of what JSON cannot say or what is too deep."""
    try:
        built = msgspec.to_builtins(value, str_keys=True, enc_hook=str)
        spelled = json.loads(json.dumps(built), parse_constant=str)
    except (TypeError, ValueError, RecursionError) as error:
        return f"cannot be shown: {type(error).__name__}"
    return "cannot be shown: nested too deep" if _too_deep(spelled) else spelled


def _too_deep(value: object) -> bool:
    layer = [value]
    for _ in range(_DEEPEST + 1):
        holders = [
            value.values() if isinstance(value, dict) else value for value in layer if isinstance(value, dict | list)
        ]
        layer = [inner for holder in holders for inner in holder]
        if not layer:
            return False
    return True


def _content(carried: Carried, heading: dict[str, Any], engine: Engine, lines: int) -> dict[str, Any]:
    return {
        "kind": carried.kind,
        **heading,
        "policy": engine.policy,
        "opa": engine.opa,
        "summary": first(carried.summary, lines, lambda line: short(line, 200)),
        "findings": [],
        "reports": [],
        "left_out": {"findings": len(carried.judged), "reports": len(carried.reports)},
        **({"earlier": msgspec.structs.asdict(carried.earlier)} if carried.earlier else {}),
    }


def _finding(judged: Judged) -> Iterator[dict[str, Any]]:
    """Give a finding with its decision, then without what networks inside the denied sources may reach."""
    finding, decision = plain(judged.finding), plain(judged.decision)
    yield {"finding": finding, "decision": decision}
    denied = [denial | {"still_allowed": None} for denial in decision["denied"]]
    yield {"finding": finding, "decision": decision | {"denied": denied}}


def _news(entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give what the memory knows of a server, then with the first parts only, and how many there are."""
    yield entry
    lists = {name: parts for name, parts in entry.items() if isinstance(parts, list)}
    yield {**entry, **{name: parts[:_PARTS] for name, parts in lists.items()}, "parts": sum(map(len, lists.values()))}


def _report(report: Undecidable | Closed | Ignored) -> Iterator[dict[str, Any]]:
    """Give a report with its event, then with ever less of the event, as text."""
    if not isinstance(report, Undecidable):
        yield plain(report)
        return
    raw = plain(report.raw)
    known = plain(msgspec.structs.replace(report, raw=None))
    yield known | {"raw": raw}
    for characters in _RAW_CHARACTERS:
        yield known | {"raw": short(json.dumps(raw), characters)}


def _fitting(entries: Iterable[Iterable[dict[str, Any]]], room: int) -> list[dict[str, Any]]:
    fitting: list[dict[str, Any]] = []
    misses = 0
    for forms in entries:
        if room < _SMALLEST or misses == _MISSES:
            break
        sizes = ((form, weight(form) + len(", ")) for form in forms)
        form, size = next(((form, size) for form, size in sizes if size <= room), ({}, 0))
        if form:
            fitting.append(form)
            room -= size
        else:
            misses += 1
    return fitting
