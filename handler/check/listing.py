"""Lists what a folder allows and prohibits: each statement of the register, for whom, until when, and where."""

import base64
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from msgspec import Struct

from handler.bundle import Folder
from handler.check.conditions import Conditions
from handler.check.data_files import Data
from handler.check.fault import Fault
from handler.check.refusals import incomplete, uncompiled, undecidable, unloadable
from handler.check.register import QUERY, Way
from handler.check.statements import Statements
from handler.check.syntax import Term, call, nodes, statement_rules
from handler.check.uses import Uses
from handler.check.workspace import Workspace
from handler.check.written import Written

_Place = tuple[Path | None, int | None, tuple[str, ...]]
"""File and line of a statement, and what it asks there."""

_FIELDS = {"server.name": "name", "server.id": "id", "server.account": "account", "reach": "reached from"}


_MORE = "what else the rule asks that makes it"
_MOST_WAYS = 4


class Entry(Struct, frozen=True, kw_only=True):
    """An allowance or a prohibition, as written at one place.

    `value` has its fields, `conditions` what it asks of the finding: in words where that is simple, else as Rego.
    `days_left` counts from the day of the listing to the last on which it holds, and is negative when that has passed;
    null where it does not expire. One that is `malformed` covers nothing, or denies everything if it is a prohibition.
    """

    kind: str
    id: str
    value: dict[str, Any]
    conditions: tuple[str, ...]
    days_left: int | None
    malformed: bool
    file: Path | None
    line: int | None


def entries(policies: Folder, opa: str, today: date) -> tuple[list[Entry], list[Fault]]:
    """Return every statement of a folder, as of a day (UTC), and why they cannot be listed, if they cannot."""
    faults = [
        Fault(rule="folder", file=policies.path / (name or ""), problem=problem) for name, problem in policies.problems
    ]
    if faults:
        return [], faults
    workspace = Workspace(policies, None, opa)
    compiled = workspace.pool.submit(workspace.compiled)
    partial = workspace.pool.submit(workspace.partial, QUERY, {}, ["--unknowns=input"])
    modules, data = workspace.parsed(), Data(policies)
    faults = data.faults or list(incomplete(modules)) or list(uncompiled(compiled.result(), workspace))
    faults = faults or list(unloadable(partial.result(), workspace))
    faults = faults or list(undecidable(policies, {"any server": partial.result()}))
    if faults:
        return [], faults
    conditions, written = Conditions(partial.result(), Uses(modules.values())), Written(modules, data)
    statements = Statements(workspace, conditions, written, data)
    refused = list(statements.refused())
    faults = [*statements.not_plain(modules), *_shapeless(conditions, refused)]
    if faults:
        return [], faults
    malformed = {(fault.id, fault.rule) for fault in refused}
    bodies = {
        (file, rule["head"]["location"]["row"]): rule["body"]
        for file, module in modules.items()
        for _, rule in statement_rules(module)
    }
    listed = []
    for way in _distinct(conditions.ways):
        for file, line, questions in _places(way, written, bodies, data, conditions) or [
            _of_text(way, modules, conditions)
        ]:
            entry = Entry(
                kind=way.kind,
                id=way.id,
                value=way.value,
                conditions=questions,
                days_left=_days_left(way.value, today),
                malformed=(way.id, "malformed") in malformed,
                file=file,
                line=line,
            )
            listed.append(entry)
    return listed, []


def _shapeless(conditions: Conditions, refused: list[Fault]) -> list[Fault]:
    """Return why the gate refuses statements that are no object, which have no fields to list, or cannot judge any."""
    ids = {way.id for way in conditions.ways if way.problem is None and not isinstance(way.value, dict)}
    return [fault for fault in refused if fault.id is None or fault.id in ids]


def _distinct(ways: list[Way]) -> list[Way]:
    """Return a way of each different statement."""
    chosen: dict[tuple[str, str], list[Way]] = {}
    for way in ways:
        same = chosen.setdefault((way.kind, way.id), [])
        if all(other.value != way.value for other in same):
            same.append(way)
    return [way for ways in chosen.values() for way in ways]


def _places(
    way: Way,
    written: Written,
    bodies: dict[tuple[Path, int | None], list[dict[str, Any]]],
    data: Data,
    conditions: Conditions,
) -> list[_Place]:
    """Return where a statement is written, and what it asks there."""
    places: list[_Place] = []
    for place in written.places(way.kind, way.id):
        if place.row:
            questions = list(_row(place.row, data))
        else:
            body = bodies.get((place.file, place.rule), way.expressions)
            body = [expression for expression in body if not expression.get("generated")]
            questions = [_asked(expression) or _MORE for expression in body]
            expanded = _expanded(way, conditions)
            questions += [f"that is: {expanded}"] if expanded and not all(map(_in_words, body)) else []
        places.append((place.file, place.line, tuple(dict.fromkeys(questions)) or ("every server",)))
    return places


def _of_text(way: Way, modules: dict[Path, dict[str, Any]], conditions: Conditions) -> _Place:
    """Return where the id of a statement that a rule takes from elsewhere is written, if that is at one place."""
    places = [
        (file, node["location"]["row"])
        for file, module in modules.items()
        for node in nodes(module)
        if node.get("type") == "string" and node["value"] == way.id
    ]
    file, line = places[0] if len(places) == 1 else (None, None)
    return file, line, (_expanded(way, conditions) or _MORE,)


def _expanded(way: Way, conditions: Conditions) -> str:
    """Say what a statement asks as partial evaluation writes it out, without helpers; nothing if it is not simple."""
    ways = [written for written in conditions.ways if (written.kind, written.value) == (way.kind, way.value)]
    ways_in_words = [list(map(_in_words, written.expressions)) for written in ways]
    if len(ways_in_words) > _MOST_WAYS or not all(ways_in_words) or any("" in words for words in ways_in_words):
        return ""
    return ", or ".join("; ".join(dict.fromkeys(words)) for words in ways_in_words)


def _row(place: tuple[str | int, ...], data: Data) -> Iterator[str]:
    """Yield for whom a row of the table is."""
    match place:
        case ("servers", "by_tag", key, value, int()):
            yield f"tag {key} = {value}"
        case ("servers", key, value, int()):
            yield f"{str(key).removeprefix('by_')} {value}"
    accounts = data.texts((*place, "accounts"))
    yield "any account" if accounts == ["any"] else f"accounts {', '.join(accounts)}"


def _asked(expression: dict[str, Any]) -> str:
    """Say what an expression of a rule asks, in words if it is simple, else as it is written."""
    written = base64.b64decode(expression.get("location", {}).get("text", "")).decode(errors="replace")
    return _in_words(expression) or " ".join(written.split())


def _in_words(expression: dict[str, Any]) -> str:
    """Say what an expression asks in words; nothing if it is not simple."""
    if expression.get("negated") or expression.get("with"):
        return ""
    match call(expression):
        case ("equal" | "eq", [left, {"type": "string", "value": str(value)}]) if _field(left):
            return _spelled(_field(left), [value])
        case ("equal" | "eq", [{"type": "string", "value": str(value)}, right]) if _field(right):
            return _spelled(_field(right), [value])
        case ("internal.member_2", [left, {"type": "array" | "set", "value": items}]) if _field(left):
            if all(item["type"] == "string" for item in items):
                return _spelled(_field(left), [item["value"] for item in items])
        case ("internal.member_2", [left, {"type": "ref", "value": [head, {"value": "accounts"}, {"value": name}]}]):
            if _field(left) == "account" and head["value"] == "data":
                return f"accounts {name}"
    return ""


def _spelled(field: str, values: list[str]) -> str:
    *first, last = values
    alternatives = f"{', '.join(first)} or {last}" if first else last
    return f"{field} = {alternatives}" if field.startswith("tag ") else f"{field} {alternatives}"


def _field(term: Term) -> str:
    """Return what a person calls a field of the finding; nothing for anything else."""
    if term["type"] != "ref" or term["value"][0]["value"] != "input":
        return ""
    steps = [str(step["value"]) for step in term["value"][1:] if step["type"] == "string"]
    if steps[:2] == ["server", "tags"] and len(steps) == len(term["value"]) - 1 == 3:  # noqa: PLR2004  server.tags.KEY
        return f"tag {steps[2]}"
    return _FIELDS.get(".".join(steps), "") if len(steps) == len(term["value"]) - 1 else ""


def _days_left(value: dict[str, Any], today: date) -> int | None:
    try:
        return (date.fromisoformat(value["expires"]) - today).days
    except (KeyError, TypeError, ValueError):
        return None
