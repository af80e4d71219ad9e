"""Reports with parts missing, of the wrong kind or in the wrong place are answered, and nothing is made up."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from handler import events, reporters
from handler.finding import Closed, Finding, Ignored, Undecidable
from handler.folding import fold

NOW = "2026-11-24T06:12:00Z"
EVENTS = [
    record.event
    for path in sorted((Path(__file__).parent / "cases").glob("*/*/event.json"))
    for record in events.unwrap(json.loads(path.read_text()), "request").records
]
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 70000),
    st.floats(allow_nan=True),
    st.text(max_size=8),
    st.just([]),
    st.just({}),
    st.just([{}, [], "x"]),
    st.sampled_from(
        ["22", "065536", "[[1 - 2]]", "[[2 - 1]]", "[]", "ACTIVE", "CLOSED", "arn:aws:inspector:r:a:x", "udp"]
    ),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List the path of every member of a JSON value."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, inner in members for place in ((*path, key), *places(inner, (*path, key)))]


def holder(value: Any, path: tuple[Any, ...]) -> Any:
    """Give what holds the member at a path."""
    for key in path[:-1]:
        value = value[key]
    return value


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """Draw the event of a case with keys removed, values replaced or exchanged, and lists emptied."""
    told = deepcopy(draw(st.sampled_from(EVENTS)))
    for _ in range(draw(st.integers(1, 4))):
        found = places(told)
        if not found:
            break
        at = draw(st.sampled_from(found))
        inside, key = holder(told, at), at[-1]
        match draw(st.sampled_from(["remove", "replace", "exchange", "empty", "wrap"])):
            case "remove":
                del inside[key]
            case "replace":
                inside[key] = deepcopy(draw(JUNK))
            case "exchange":
                other = draw(st.sampled_from(found))
                inside[key] = deepcopy(holder(told, other)[other[-1]])
            case "empty":
                inside[key] = type(inside[key])()
            case "wrap":
                inside[key] = [inside[key]]
    return told


def texts(value: Any) -> set[str]:
    """Collect every text and number of a JSON value, as text."""
    if isinstance(value, dict):
        return {str(key) for key in value} | {text for inner in value.values() for text in texts(inner)}
    if isinstance(value, list):
        return {text for inner in value for text in texts(inner)}
    return {str(value)}


def ranges(value: Any) -> set[tuple[str, str]]:
    """Collect what could be a port range: a begin with its end, a PORT, the parts of an aggregate."""
    if isinstance(value, list):
        return {pair for inner in value for pair in ranges(inner)}
    if not isinstance(value, dict):
        return set()
    found = {pair for inner in value.values() for pair in ranges(inner)}
    if "begin" in value and "end" in value:
        found.add((str(value["begin"]), str(value["end"])))
    key, told = str(value.get("key")), str(value.get("value"))
    if key == "PORT":
        found.add((told, told))
    if key in {"TCP_PORTS", "UDP_PORTS"}:
        found |= {tuple(part.strip("[] ").split(" - ")) for part in told.split(",") if " - " in part}  # type: ignore[misc]
    return found


@settings(max_examples=1500, deadline=None, derandomize=True)
@given(mutated())
def test_whatever_comes_is_answered(told: Any) -> None:
    """No mutation raises or ends in silence; no finding has a port, a server or an account that it does not name."""
    reports = reporters.normalize(told, NOW)
    assert reports
    for report in reports:
        if isinstance(report, Finding):
            assert msgspec.convert(msgspec.to_builtins(report), Finding) == report
            assert {report.server.id, report.server.account} <= {
                part for text in texts(told) for part in (text, *text.split(":"))
            }
            for exposure in report.exposures:
                assert (str(exposure.from_port), str(exposure.to_port)) in {
                    (low.lstrip("0") or "0", high.lstrip("0") or "0") for low, high in ranges(told)
                }
        if isinstance(report, Undecidable):
            assert report.shape
            assert report.problem
        if isinstance(report, Ignored):
            assert report.reason
    open_or_closed = [report for report in reports if isinstance(report, Finding | Closed)]
    folded = fold(("record", report) for report in open_or_closed)
    assert {one.report.id for one in folded} == {report.id for report in open_or_closed}
