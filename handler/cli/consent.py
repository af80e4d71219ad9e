"""Finds allowances that take absence for consent: what they ask for holds because nobody knows the server's tags."""

from collections.abc import Callable, Iterator
from enum import IntEnum
from itertools import product
from typing import Any

from handler.cli.conditions import Conditions, Path, Term, call
from handler.cli.register import NotPlainError, plain
from handler.cli.tree import nodes

_KNOWN = ("server", "tags_known")
_UNKNOWN: dict[Path | None, Any] = {_KNOWN: False, ("server", "tags"): {}}
"""What a server has of which no tags are known; it has no name."""

_TEXT: dict[str, Callable[[str], str]] = {"lower": str.lower, "upper": str.upper, "trim_space": str.strip}
_EMPTY: list[list[Any]] = [[""], [None]]

_PROBLEM = (
    "holds too where no tags are known, since its `not` or `!=` takes absence for consent; "
    "ask for `input.server.tags_known` too, or for what the tag or the name must be"
)


class _Held(IntEnum):
    """How what is asked for fares where no tags are known."""

    NEVER = 0
    OPEN = 1
    """As other things do."""
    ABSENT = 2
    """As other things do, and because of what is absent."""
    ALWAYS = 3
    """Because of what is absent, whatever else."""


_NOT = {_Held.NEVER: _Held.ALWAYS, _Held.ALWAYS: _Held.NEVER}


def consent(conditions: Conditions) -> Iterator[tuple[str, str]]:
    """Give the id of an allowance and that it takes absence for consent."""
    for name, way in conditions.ways:
        if _all(conditions, way) >= _Held.ABSENT:
            yield name, _PROBLEM


def _all(conditions: Conditions, body: list[dict[str, Any]]) -> _Held:
    """Judge expressions that all have to hold. Who asks whether the tags are known has thought of it."""
    held = {_one(conditions, expression) for expression in body}
    if _Held.NEVER in held:
        return _Held.NEVER
    if any(conditions.asked(node) == _KNOWN for node in nodes(body)):
        return _Held.OPEN
    return held.pop() if len(held) == 1 else _Held.ABSENT


def _any(conditions: Conditions, rules: list[dict[str, Any]]) -> _Held:
    """Judge a helper that is true by any of its rules, and else, if it says so, false; leave any other open."""
    if any(rule["head"].get("value", {}).get("value") is not (not rule.get("default")) for rule in rules):
        return _Held.OPEN
    return max((_all(conditions, rule["body"]) for rule in rules if not rule.get("default")), default=_Held.NEVER)


def _one(conditions: Conditions, expression: dict[str, Any]) -> _Held:
    held = _unnegated(conditions, expression)
    return _NOT.get(held, _Held.OPEN) if expression.get("negated") else held


def _unnegated(conditions: Conditions, expression: dict[str, Any]) -> _Held:
    terms = expression["terms"]
    first = terms if isinstance(terms, dict) else terms[0]
    if conditions.path(first) == _KNOWN or any(_is_absent(conditions.path(node)) for node in _needed(terms)):
        return _Held.NEVER
    rules = conditions.helper(first)
    if rules:
        return _any(conditions, rules)
    match call(expression):
        case ("internal.member_2", [_, among]) if _values(conditions, among) == [{}]:
            return _Held.NEVER
        case ("internal.member_2", [left, {"type": "array" | "set", "value": list()} as right]):
            found = [one in among for one in _values(conditions, left) for among in _values(conditions, right)]
        case ("eq" | "neq" as operator, [left, right]):
            pairs = product(_values(conditions, left), _values(conditions, right))
            found = [(one == other) is (operator == "eq") for one, other in pairs]
        case (name, [_, result] | [_, _, _, result]) if name in {"object.get", *_TEXT}:
            given = _values(conditions, {"type": "call", "value": terms})
            found = [one == other for one, other in product(given, _values(conditions, result))]
        case _:
            found = [False for node in nodes(terms) if conditions.got(node) and _values(conditions, node) in _EMPTY]
    return {(): _Held.OPEN, (False,): _Held.NEVER, (True,): _Held.ALWAYS}[tuple(found[:1])]


def _values(conditions: Conditions, term: Term) -> list[Any]:
    """Give the one value of a term, or none when that depends on something else."""
    got = conditions.got(term)
    if got and _is_absent(got[0]):
        return _values(conditions, got[1])
    match call(term):
        case (name, [one, *_]) if name in _TEXT:
            return [_TEXT[name](value) for value in _values(conditions, one) if isinstance(value, str)]
    rules = conditions.helper(term)
    if any(rule.get("default") for rule in rules):
        held = _any(conditions, rules)
        return [held == _Held.ALWAYS] if held in _NOT else []
    path = conditions.path(term)
    if path in _UNKNOWN:
        return [_UNKNOWN[path]]
    try:
        return [plain(term)]
    except NotPlainError:
        return []


def _needed(tree: Any) -> Iterator[dict[str, Any]]:
    """Give the terms without which an expression is undefined: those of comprehensions are not among them."""
    if isinstance(tree, dict) and not str(tree.get("type")).endswith("comprehension"):
        yield tree
        tree = [part for key, part in tree.items() if key != "body"]
    if isinstance(tree, list):
        for part in tree:
            yield from _needed(part)


def _is_absent(path: Path | None) -> bool:
    return path is not None and (path[:2] == ("server", "name") or (path[:2] == ("server", "tags") and path[2:] != ()))
