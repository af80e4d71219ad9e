"""Finds what statements ask of a finding and no finding answers: fields that it has not, words that a field never is.

OPA's compiler finds such fields where they are written out, but not behind an argument of a function or `object.get`,
and it does not compare words with the schema's.
"""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from handler.cli.conditions import Conditions, Path, Term, call
from handler.cli.schema import generate

_SCHEMA = generate()["finding.json"]


def strange(conditions: Conditions) -> Iterator[tuple[str, str]]:
    """Give the id of a statement and what is strange about it."""
    for name, way in conditions.ways:
        for node in conditions.nodes(way):
            compared = (_word(conditions.asked(term), constant) for term, constant in _comparisons(node))
            yield from ((name, problem) for problem in (_field(conditions.asked(node)), *compared) if problem)


def _comparisons(node: dict[str, Any]) -> Iterator[tuple[Term, Term]]:
    match call(node):
        case ("eq" | "neq", [left, right]):
            yield left, right
            yield right, left
        case ("internal.member_2", [one, {"type": "array" | "set", "value": constants}]):
            yield from ((one, constant) for constant in constants)
        case ("object.get", [_, _, _, constant]):
            yield node, constant


def _field(path: Path) -> str | None:
    for index, step in enumerate(path):
        schema = _part(path[:index])
        fields = schema.get("properties", {})
        if isinstance(step, str) and ("items" in schema or (fields and step not in fields)):
            near = "".join(f", perhaps {found}" for found in get_close_matches(step, fields, 1))
            said = f"asks for {_spelled(path[: index + 1])}, which no finding has"
            return f"{said}; write a field of handler/schema/finding.json{near}"
    return None


def _word(path: Path, constant: Term) -> str | None:
    words = _part(path).get("enum", [])
    if not words or constant["type"] != "string" or constant["value"] in words:
        return None
    said = f"compares {_spelled(path)} with {constant['value']!a}, which it never is"
    return f"{said}; write one of {', '.join(words)}"


def _part(path: Path) -> dict[str, Any]:
    """Give the schema of what stands at a path; an empty one where nobody knows it."""
    schema = _resolved(_SCHEMA)
    for step in path:
        if "properties" in schema:
            part = schema["properties"].get(step)
        else:
            part = schema.get("items") or schema.get("additionalProperties")
        schema = _resolved(part or {})
    return schema


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    resolved: dict[str, Any] = _SCHEMA["$defs"][name] if name else schema
    return resolved


def _spelled(path: Path) -> str:
    return "".join(["input", *(f".{step}" if isinstance(step, str) else "[_]" for step in path)])
