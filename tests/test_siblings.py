"""A damaged member of a report does not vanish because one beside it can be read: it is judged, or somebody hears."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from copy import deepcopy
from typing import Any

import pytest

from handler.finding import UNKNOWN, Closed, Finding, Ignored, Reference, Report, Reporter, Undecidable
from tests import mutations
from tests.mutations import CASES, Place

REPORTERS = sorted({reporter for reporter, _ in CASES})
ID = re.compile(r"\b((?:i|sg)-[0-9a-f]*)([0-9a-f])(?![0-9a-f])")
PORT_KEYS = {"begin", "end", "port", "fromport", "toport"}
WRONG: tuple[Any, ...] = ("x", 7, True, {"x": "x"}, ["x"])


def siblings(event: Any) -> Iterator[Any]:
    """Give the event, and for each of its lists the event with a readable member more, about something else."""
    yield deepcopy(event)
    for path in [path for path in mutations.places(event) if isinstance(mutations.at(event, path), list)]:
        told = deepcopy(event)
        members = mutations.at(told, path)
        if members and isinstance(members[0], dict):
            members.append(other(members[0]))
            before, after = mutations.read(event), mutations.read(told)
            if len(opened(after)) > len(opened(before)) and heard_of(after) <= heard_of(before):
                yield told


def other(value: Any, key: str = "") -> Any:
    """Return the same member about the next port of another server."""
    if isinstance(value, dict):
        return {name: other(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [other(inner) for inner in value]
    if isinstance(value, str):
        return ID.sub(lambda found: found[1] + ("0" if found[2] == "1" else "1"), value)
    return value + 1 if key.lower() in PORT_KEYS and type(value) is int and value < 60000 else value


def opened(reports: list[Report]) -> Counter[tuple[Any, ...]]:
    """Count the ports and sources of findings."""
    findings = [report for report in reports if isinstance(report, Finding)]
    exposures = [exposure for finding in findings for exposure in finding.exposures]
    return Counter(
        (exposure.protocol, exposure.from_port, exposure.to_port, source)
        for exposure in exposures
        for source in exposure.sources
    )


def heard_of(reports: list[Report]) -> set[str]:
    """Give what tells people that something could not be read, or that nothing was judged: a text for each."""
    told: set[str] = set()
    for report in reports:
        match report:
            case Finding(notes=notes):
                told.update(notes)
            case Undecidable(field=field, problem=problem):
                told.add(f"{field}: {problem}")
            case Reference(arn=arn):
                told.add(arn)
            case Ignored(asked=True, reason=reason):
                told.add(reason)
            case Closed(reporter=Reporter(asked=True, id=asked)):
                told.add(asked)
    return told


def covered(exposure: tuple[Any, ...], exposures: Iterable[tuple[Any, ...]]) -> bool:
    """Say whether what was open is still judged: to the same, or to another account's group, or to anybody."""
    *ports, source = exposure
    to = {"".join(other.split()).casefold() for *others, other in exposures if others == ports}
    return any(other == source or other.endswith(f"/{source}") for other in to) or UNKNOWN in to


def near_misses(event: Any, path: Place) -> Iterator[str]:
    """Damage one member in every way that a reader may overlook, one after the other, and mend it at the end."""
    holder, key = mutations.at(event, path[:-1]), path[-1]
    value, kept = holder[key], dict(holder) if isinstance(holder, dict) else list(holder)
    if isinstance(key, str):
        for name in {key.swapcase(), key.upper(), f" {key}", f"{key} ", key.replace("_", "-"), f"{key}s"} - {*holder}:
            del holder[key]
            holder[name] = value
            yield f"called {name!r}"
            holder.clear()
            holder.update(kept)
    spelled = (
        {value.swapcase(), value.upper(), value.lower(), f" {value}", f"{value} "} if isinstance(value, str) else ()
    )
    for damage in spelled or [wrong for wrong in WRONG if type(wrong) is not type(value)]:
        if damage != value:
            holder[key] = damage
            yield f"is {damage!r}"
    holder[key] = value


@pytest.mark.slow
@pytest.mark.parametrize("name", REPORTERS)
def test_near_miss_beside_what_can_be_read(name: str) -> None:
    """Whatever an undamaged report has judged is judged when one member is damaged, or the damage is told."""
    for event in [event for reporter, case in CASES if reporter == name for event in siblings(case)]:
        before = mutations.read(event)
        opened_before, heard_before = opened(before), heard_of(before)
        for path in mutations.places(event):
            for damage in near_misses(event, path):
                after = mutations.read(event)
                if after == before:
                    continue
                opened_after = opened(after)
                lost = opened_before - opened_after
                silent = heard_of(after) <= heard_before and not all(
                    covered(exposure, opened_after - opened_before) for exposure in lost
                )
                assert not silent, (path, damage, lost)
