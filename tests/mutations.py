"""What the tests of damaged reports share: the events of all cases, where to damage them, and what must still hold."""

import json
import re
from collections.abc import Iterable, Iterator
from copy import copy
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

import msgspec

from handler import events, reporters
from handler.finding import Closed, Exposure, Finding, Ignored, Reference, Report, Reporter, Undecidable
from handler.folding import fold
from handler.reporters._prowler_checks import ports_of

NOW = "2026-11-24T06:12:00Z"
Place = tuple[str | int, ...]
ROOT = Path(__file__).parent
CASES: list[tuple[str, Any]] = [
    (path.parent.parent.name, json.loads(path.read_text())) for path in sorted((ROOT / "cases").glob("*/*/event.json"))
]
"""The reporter and the event of every case, in whatever envelope it stands."""

_PARTS = re.compile("[:/ ]")
_SPAN = re.compile(r"(\d{1,5}) ?- ?(\d{1,5})", re.ASCII)
_NUMBER = re.compile(r"\d{1,5}", re.ASCII)


def places(value: Any, path: Place = ()) -> Iterator[Place]:
    """Give the path of every member of a JSON value."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in members:
        yield (*path, key)
        yield from places(inner, (*path, key))


def at(value: Any, path: Place) -> Any:
    """Give the member at a path."""
    for key in path:
        value = value[key]
    return value


def damaged(event: Any, path: Place, damages: Iterable[Any]) -> Iterator[Any]:
    """Damage one member of the event itself in every way, one after the other, remove it, and mend it at the end."""
    holder, key = at(event, path[:-1]), path[-1]
    kept = copy(holder)
    for damage in (*damages, [kept[key]]):
        holder[key] = copy(damage)
        yield damage
    del holder[key]
    yield "removed"
    holder.clear()
    holder.update(kept) if isinstance(holder, dict) else holder.extend(kept)


def read(event: Any) -> list[Report]:
    """Give what a Lambda event becomes; each record must have become something."""
    records = events.unwrap(event, "request").records
    assert records
    assert all(isinstance(record.id, str) and record.id for record in records)
    told = [[one.problem] if one.problem else reporters.normalize(one.event, NOW) for one in records]
    assert all(told)
    return [report for of_record in told for report in of_record]


def check(event: Any, reports: list[Report]) -> None:
    """Hold that nothing ends in silence, that nothing is made up, and that all of it can be passed on."""
    words = _words(event) if any(isinstance(report, Finding) for report in reports) else set()
    for report in reports:
        match report:
            case Finding():
                _check_finding(event, report, words)
            case Undecidable():
                assert json.dumps(msgspec.to_builtins(report))
                assert report.shape
                assert report.problem
            case Ignored():
                assert report.reason
    told = [("record", report) for report in reports if not isinstance(report, Ignored | Undecidable | Reference)]
    assert {one.report.id for one in fold(told)} == {report.id for _, report in told}


def heard(reports: list[Report]) -> bool:
    """Say whether somebody may hear of it: what is ignored or closed nobody hears of, unless he asked."""
    return any(_is_heard(report) for report in reports)


def _is_heard(report: Report) -> bool:
    match report:
        case Ignored(asked=asked) | Closed(reporter=Reporter(asked=asked)):
            return asked
    return True


def _check_finding(event: Any, finding: Finding, words: set[str]) -> None:
    """Hold that the finding keeps the contract and that the event names its server and its ports."""
    assert msgspec.convert(msgspec.to_builtins(finding), Finding) == finding
    assert {finding.server.id, finding.server.account, finding.server.region} <= words
    known = set(_ranges(event)) | set(_meant(words))
    for exposure in finding.exposures:
        assert (exposure.from_port, exposure.to_port) in known
        assert _protocol_is_told(exposure, finding, words)


def _protocol_is_told(exposure: Exposure, finding: Finding, words: set[str]) -> bool:
    """Say whether the event names the protocol, or the finding says why it is assumed."""
    spelled = {"tcp": {"tcp", "6", "-1"}, "udp": {"udp", "17", "-1"}}[exposure.protocol]
    return (
        bool(spelled & words)
        or any("TCP_PORTS" in word or "UDP_PORTS" in word for word in words)
        or bool(set(_meant(words)) or finding.notes)
    )


def _words(value: Any) -> set[str]:
    """Return every text and number of a JSON value, whole and in its parts, in both cases."""
    words: set[str] = set()
    stack = [value]
    while stack:
        inner = stack.pop()
        if isinstance(inner, dict):
            stack += [*inner.keys(), *inner.values()]
        elif isinstance(inner, list):
            stack += inner
        else:
            words |= _words_of(str(inner))
    return words


@lru_cache(1 << 14)
def _words_of(text: str) -> frozenset[str]:
    inner = _words(decoded(text)) if text[:1] in {"{", "["} else ()
    return frozenset({text, text.lower(), *_PARTS.split(text), *inner})


def decoded(text: str) -> Any:
    """Give the JSON in a text, as messages have it; else nothing."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _ranges(value: Any) -> Iterator[tuple[int, int]]:
    """Give what could be a port range: numbers beside each other in an object, one number, or `20 - 21` in a text."""
    stack = [value]
    while stack:
        inner = stack.pop()
        if isinstance(inner, str):
            yield from _ranges_of(inner)
        elif isinstance(inner, list):
            stack += inner
        elif isinstance(inner, dict):
            numbers = [number for member in inner.values() for number in _numbers(member)]
            yield from product(numbers, numbers)
            stack += inner.values()


@lru_cache(1 << 14)
def _ranges_of(text: str) -> tuple[tuple[int, int], ...]:
    inner = _ranges(decoded(text)) if text[:1] in {"{", "["} else ()
    return (*((int(low), int(high)) for low, high in _SPAN.findall(text)), *inner)


def _numbers(value: Any) -> Iterator[int]:
    """Give the number that a value is, or spells."""
    if type(value) is int or (isinstance(value, str) and _NUMBER.fullmatch(value)):
        yield int(value)


def _meant(words: set[str]) -> Iterator[tuple[int, int]]:
    """Give the ports that a check, a rule or a control means without naming them."""
    for word in words:
        for _, low, high in _ports_of(word):
            yield low, high
    if "aws.config" in words or "ComplianceChangeNotification" in words:
        yield from ((0, 65535), (22, 22))
    if "securityhub" in words:
        yield from ((0, 65535), (22, 22), (3389, 3389))


@lru_cache(1 << 14)
def _ports_of(word: str) -> tuple[tuple[Any, int, int], ...]:
    return tuple(ports_of(word.removeprefix("prowler-")) or ())
