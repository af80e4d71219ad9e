"""Finds what statements ask of a finding and no finding answers: fields that it has not, words that a field never is.

OPA's compiler finds such fields where they are written out, but not behind an argument of a function or `object.get`,
and it does not compare words with the schema's.
"""

import json
import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from handler.check.conditions import Conditions, Path
from handler.check.register import Way
from handler.check.syntax import Term, call
from handler.check.workspace import SCHEMAS

_SCHEMA: dict[str, Any] = json.loads((SCHEMAS / "finding.json").read_text())
_ACCOUNT = ("server", "account")


def unanswered(conditions: Conditions, accounts: set[str]) -> Iterator[tuple[Way, str, str]]:
    """Yield a way, the rule and the problem of each field, word and account id in it that no finding has.

    `accounts` are the ids that the lists of `accounts/data.yaml` hold.
    """
    wholly = _wholly_unequal(conditions)
    for way in conditions.ways:
        for node in conditions.nodes(way.expressions):
            unequal = _unequal(conditions, node)
            if unequal and not (_is_among_an_object(node) and (way.kind, way.id) not in wholly):
                yield way, "unknown-word", unequal
            field = _field(conditions.asked(node))
            if field:
                yield way, "unknown-field", field
            for term, constant in _comparisons(node):
                path = conditions.asked(term)
                word = _account(constant, accounts) if path == _ACCOUNT else _word(path, constant)
                if word:
                    yield way, "unknown-word", word


def _comparisons(node: dict[str, Any]) -> Iterator[tuple[Term, Term]]:
    match call(node):
        case ("eq" | "neq", [left, right]):
            yield left, right
            yield right, left
        case ("internal.member_2", [one, {"type": "array" | "set", "value": constants}]):
            yield from ((one, constant) for constant in constants)
        case ("object.get", [_, _, _, constant]):
            yield node, constant


def _wholly_unequal(conditions: Conditions) -> set[tuple[str, str]]:
    """Return kind and id of the statements of which every way looks for text where there is none.

    Whoever goes through the lists in `data.accounts` meets `teams` and `names` there, which are objects.
    """
    statements = {(way.kind, way.id) for way in conditions.ways}
    return statements - {
        (way.kind, way.id)
        for way in conditions.ways
        if not any(_unequal(conditions, node) for node in conditions.nodes(way.expressions))
    }


def _is_among_an_object(node: dict[str, Any]) -> bool:
    name, arguments = call(node) or ("", [])
    return name == "internal.member_2" and not node.get("negated") and arguments[1]["type"] == "object"


def _unequal(conditions: Conditions, node: dict[str, Any]) -> str | None:
    """Return what is wrong where text is compared with a value that is none, or sought among such values."""
    pairs: list[tuple[Term, Term]] = []
    match call(node):
        case ("eq" | "neq", [left, right]):
            pairs = [(left, right), (right, left)]
        case ("object.get", [_, _, _, value]):
            pairs = [(node, value)]
        case ("internal.member_2", [term, {"type": "array" | "set" | "object", "value": list(items)} as among]):
            path = conditions.asked(term)
            values = [item[1] for item in items] if among["type"] == "object" else items
            if values and _is_text(path) and all(value["type"] in _NO_TEXT for value in values):
                remedy = f"name the list that holds it, as in `{_spelled(path)} in data.accounts.production`"
                problem = f"looks for {_spelled(path)} among values that are no text, where it never is"
                return f"{problem}; {remedy if path == _ACCOUNT else 'name a list of texts'}"
    for term, value in pairs:
        if value["type"] in _NO_TEXT and _is_text(path := conditions.asked(term)):
            listed = value["type"] in {"array", "set", "object"}
            remedy = f"write `{_spelled(path)} in ...`" if listed else "write a text"
            return f"compares {_spelled(path)}, a text, with {_NO_TEXT[value['type']]}, which it never is; {remedy}"
    return None


_NO_TEXT = {
    "array": "a list",
    "set": "a set",
    "object": "an object",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}


def _is_text(path: Path) -> bool:
    part = _part(path)
    return "enum" in part or part.get("type") == "string"


def _field(path: Path) -> str | None:
    for index, step in enumerate(path):
        schema = _part(path[:index])
        fields = schema.get("properties", {})
        if isinstance(step, str) and ("items" in schema or (fields and step not in fields)):
            problem = f"asks for {_spelled(path[: index + 1])}, which no finding has"
            if not fields:
                return f"{problem}; {_spelled(path[:index])} is a list, so name its elements with `some ... in`"
            near = "".join(f"perhaps {name}; " for name in get_close_matches(step, fields, 1))
            return f"{problem}; {near}there are {', '.join(sorted(fields))}"
    return None


def _word(path: Path, constant: Term) -> str | None:
    words = _part(path).get("enum", [])
    if not words or constant["type"] != "string" or constant["value"] in words:
        return None
    near = "".join(f"perhaps {word}; " for word in get_close_matches(constant["value"].lower(), words, 1))
    problem = f"compares {_spelled(path)} with {constant['value']!a}, which it never is"
    return f"{problem}; {near}it is one of {', '.join(words)}"


def _account(constant: Term, accounts: set[str]) -> str | None:
    """Return what is wrong with an account id: it has not twelve digits, or is nearly that of a list but on none."""
    value = constant["value"]
    if constant["type"] != "string" or value in accounts:
        return None
    near = "".join(f", perhaps {account}" for account in get_close_matches(value, sorted(accounts), 1, 0.9))
    if not re.fullmatch(r"[0-9]{12}", value):
        return f"compares input.server.account with {value!a}, which is no account id; write twelve digits{near}"
    if near:
        problem = f"compares input.server.account with {value}, which is on no list of accounts/data.yaml"
        return f"{problem}; write{near.removeprefix(', perhaps')}, or list it"
    return None


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
