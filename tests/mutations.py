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
from handler.finding import Closed, Exposure, Finding, Ignored, Reference, Report, Reporter, Undecidable, to_json
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


def places(value: Any, path: Place = ()) -> list[Place]:
    """Return the path of every member of a JSON value."""
    paths: list[Place] = []
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        place = (*path, key)
        paths.append(place)
        if isinstance(member, (dict, list)):
            paths += places(member, place)
    return paths


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
    words, ranges = set[str](), set[tuple[int, int]]()
    if any(isinstance(report, Finding) for report in reports):
        words = _words(event)
        ranges = _ranges(event) | _meant(words)
    for report in reports:
        match report:
            case Finding():
                _check_finding(report, words, ranges)
            case Undecidable():
                assert to_json(report)
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


def _check_finding(finding: Finding, words: set[str], ranges: set[tuple[int, int]]) -> None:
    """Hold that the finding keeps the contract and that the event has the words of its server and its port ranges."""
    assert msgspec.convert(msgspec.to_builtins(finding), Finding) == finding
    assert {finding.server.id, finding.server.account, finding.server.region} <= words
    for exposure in finding.exposures:
        assert (exposure.from_port, exposure.to_port) in ranges
        assert _protocol_is_told(exposure, finding, words)


def _protocol_is_told(exposure: Exposure, finding: Finding, words: set[str]) -> bool:
    """Say whether the event names the protocol, or the finding says why it is assumed."""
    spelled = {"tcp": {"tcp", "6", "-1"}, "udp": {"udp", "17", "-1"}}[exposure.protocol]
    return (
        bool(spelled & words)
        or any("TCP_PORTS" in word or "UDP_PORTS" in word for word in words)
        or bool(_meant(words) or finding.notes)
    )


def _words(value: Any) -> set[str]:
    """Return every text and number of a JSON value, whole and in its parts, in both cases."""
    texts: set[str] = set()
    stack = [value]
    while stack:
        member = stack.pop()
        if isinstance(member, dict):
            texts.update(member)
            stack += member.values()
        elif isinstance(member, list):
            stack += member
        else:
            texts.add(str(member))
    return set().union(*map(_words_of, texts))


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


def _ranges(value: Any) -> set[tuple[int, int]]:
    """Return what could be a port range: numbers beside each other in an object, one number, or `20 - 21` in a text."""
    ranges: set[tuple[int, int]] = set()
    texts: set[str] = set()
    stack = [value]
    while stack:
        member = stack.pop()
        if isinstance(member, str):
            texts.add(member)
        elif isinstance(member, list):
            stack += member
        elif isinstance(member, dict):
            numbers = [int(inner) for inner in member.values() if _is_number(inner)]
            ranges.update(product(numbers, numbers))
            stack += member.values()
    return ranges.union(*map(_ranges_of, texts))


@lru_cache(1 << 14)
def _ranges_of(text: str) -> frozenset[tuple[int, int]]:
    inner = _ranges(decoded(text)) if text[:1] in {"{", "["} else set()
    return frozenset({(int(low), int(high)) for low, high in _SPAN.findall(text)} | inner)


def _is_number(value: Any) -> bool:
    """Return whether a value is a whole number, or the digits of one as ports have it."""
    if isinstance(value, str):
        return len(value) <= 5 and value.isascii() and value.isdecimal()
    return type(value) is int


def _meant(words: set[str]) -> set[tuple[int, int]]:
    """Return the ports that a check, a rule or a control means without naming them."""
    ports = set[tuple[int, int]]().union(*map(_ports_of, words))
    if "aws.config" in words or "ComplianceChangeNotification" in words:
        ports |= {(0, 65535), (22, 22)}
    if "securityhub" in words:
        ports |= {(0, 65535), (22, 22), (3389, 3389)}
    return ports


@lru_cache(1 << 14)
def _ports_of(word: str) -> frozenset[tuple[int, int]]:
    return frozenset((low, high) for _, low, high in ports_of(word.removeprefix("prowler-")) or ())
