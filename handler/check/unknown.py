"""Finds what a lack of knowledge decides: allowances that hold, and prohibitions that do not, where it is lacking.

OPA says what is left to ask once something is absent. A way of an allowance that then holds, or hangs on other fields
alone, and did not do so before, holds by what is absent. A prohibition that asks for something forbids nothing where
it is unknown, unless another way of it holds there and asks for nothing more besides.
"""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from handler.check.conditions import Conditions
from handler.check.register import Way
from handler.check.syntax import call
from handler.check.workspace import SCHEMAS
from handler.check.worlds import GROUPS, TAGS, World

_SCHEMA = json.loads((SCHEMAS / "finding.json").read_text())["$defs"]
_NAME = ("server", "name")
_KNOWN = ("server", "tags_known")

WORLDS = {
    "tags": (TAGS, _NAME),
    "vpc": (("server", "vpc"),),
    "subnet": (("server", "subnet"),),
    "platform": (("server", "platform"),),
    "security_groups": (GROUPS,),
}
"""What may be unknown of a server, together: where nobody knows the tags, nobody knows the name."""

_EMPTY: dict[str, dict[str, Any]] = {"tags": {"tags": {}}, "security_groups": {"security_groups": []}}
"""What a server has where nobody knows it, if that is not absent."""


def world_query(world: str) -> tuple[dict[str, Any], list[str]]:
    """Return the input and the arguments of `opa eval` for a server of which this is unknown and all else is open."""
    absent = WORLDS[world]
    fields = [f"input.{field}" for field in _SCHEMA["Finding"]["properties"] if field != "server"]
    known = [field for field in _SCHEMA["Server"]["properties"] if ("server", field) not in absent]
    unknowns = [f"--unknowns={field}" for field in [*fields, *(f"input.server.{field}" for field in known)]]
    return {"server": _EMPTY.get(world, {})}, unknowns


def allowed_where_unknown(conditions: Conditions, worlds: dict[str, Conditions]) -> Iterator[tuple[Way, str]]:
    """Yield an allowance that takes absence for consent, from its ways for any server and in each world."""
    for world, where_unknown in worlds.items():
        absent = set(WORLDS[world])
        before = Counter(
            way.id
            for way in _allowances(conditions)
            if _is_judged(conditions, way.expressions, absent) and not _denies_of_all(conditions, way.expressions)
        )
        there = World(where_unknown, absent)
        known = {_KNOWN} if world == "tags" else set()
        holding = [
            way
            for way in _allowances(where_unknown)
            if not _asks_one_of(where_unknown, way.expressions, known) and there.may_hold(way.expressions)
        ]
        judged = [way for way in holding if not _is_left(where_unknown, way.expressions)]
        after = Counter(way.id for way in judged)
        yield from ((way, _allowed(world)) for way in judged if after[way.id] > before[way.id])
        yield from ((way, _left_open(world)) for way in holding if _asks_left(where_unknown, way.expressions, world))


def asked_worlds(conditions: Conditions) -> set[str]:
    """Return what may be unknown and statements ask for, as keys of `WORLDS`."""
    ways = [way for way in conditions.ways if way.kind == "allowance" or _forbids(way)]
    asked: set[str] = set()
    for way in ways:
        for node in conditions.nodes(way.expressions):
            asked |= _worlds(conditions, node)
        if len(asked) == len(WORLDS):
            break
    return asked


def _worlds(conditions: Conditions, node: dict[str, Any]) -> set[str]:
    """Return what an expression asks for of what may be unknown, as keys of `WORLDS`."""
    if conditions.asks_for_all(node):
        return set(WORLDS)
    path = conditions.asked(node)[:2]
    asked = {world for world, fields in WORLDS.items() if path in fields} if path else set[str]()
    if conditions.is_closed(node):
        texts = conditions.texts(node)
        asked |= {world for world, fields in WORLDS.items() if not texts.isdisjoint(field for _, field in fields)}
    return asked


def open_where_unknown(conditions: Conditions, worlds: dict[str, Conditions]) -> Iterator[tuple[Way, str]]:
    """Yield a prohibition that forbids nothing where nobody knows what it asks for, from its ways in each world."""
    for way in filter(_forbids, conditions.ways):
        for world, where_unknown in worlds.items():
            if _asks(conditions, way.expressions, world) and not _is_mended(conditions, way, where_unknown, world):
                yield way, _open(world)


def _allowances(conditions: Conditions) -> list[Way]:
    return [way for way in conditions.ways if way.kind == "allowance"]


def _forbids(way: Way) -> bool:
    declared = way.value.get("where_unknown") if isinstance(way.value, dict) else None
    return way.kind == "prohibition" and declared != "allowed"


def _asks(conditions: Conditions, tree: Any, world: str) -> bool:
    """Tell whether an expression asks for what is unknown in a world, be it by a rule that OPA left as it is."""
    return any(_asks_there(conditions, node, world) for node in conditions.nodes(tree))


def _asks_there(conditions: Conditions, node: dict[str, Any], world: str) -> bool:
    return (
        conditions.asked(node)[:2] in WORLDS[world]
        or _asks_by_name(conditions, node, world)
        or conditions.asks_for_all(node)
    )


def _asks_by_name(conditions: Conditions, node: dict[str, Any], world: str) -> bool:
    fields = {field for _, field in WORLDS[world]}
    return conditions.is_closed(node) and not fields.isdisjoint(conditions.texts(node))


def _asks_left(conditions: Conditions, tree: Any, world: str) -> bool:
    """Tell whether a rule that OPA left as it is asks for what is unknown in a world."""
    return any(_asks_by_name(conditions, node, world) for node in conditions.nodes(tree))


def _denies_of_all(conditions: Conditions, way: list[dict[str, Any]]) -> bool:
    """Tell whether a way looks into the whole server and has a `not`, which absence may then satisfy."""
    negated = any(expression.get("negated") for expression in way)
    return negated and any(conditions.asks_for_all(node) for node in conditions.nodes(way))


def _is_mended(conditions: Conditions, way: Way, where_unknown: Conditions, world: str) -> bool:
    """Tell whether another way of the prohibition holds in this world and asks for nothing that this one does not."""
    asked = {
        _spelled(conditions, expression)
        for expression in way.expressions
        if not _asks(conditions, expression, world) and not _is_about_knowledge(conditions, expression)
    }
    for other in where_unknown.ways:
        if other.kind == "prohibition" and other.id == way.id and _holds_unknown(where_unknown, other, world):
            rest = [
                expression
                for expression in other.expressions
                if not _asks(where_unknown, expression, world) and not _is_about_knowledge(where_unknown, expression)
            ]
            if {_spelled(where_unknown, expression) for expression in rest} <= asked:
                return True
    return False


def _holds_unknown(conditions: Conditions, way: Way, world: str) -> bool:
    """Tell whether a way holds in a world but for other questions; where tags are unknown, `tags_known` is false."""
    if world == "tags":
        wants_tags = (
            expression
            for expression in way.expressions
            if _is_about_knowledge(conditions, expression) and not _denies(expression)
        )
        if any(wants_tags):
            return False
    there = World(conditions, WORLDS[world])
    asking = [expression for expression in way.expressions if _asks(conditions, expression, world)]
    return all(there.truth(expression) for expression in asking)


def _is_about_knowledge(conditions: Conditions, expression: dict[str, Any]) -> bool:
    return any(conditions.path(node) == _KNOWN for node in conditions.nodes(expression))


def _denies(expression: dict[str, Any]) -> bool:
    """Tell whether an expression wants `tags_known` to be false: `not input.server.tags_known`, `... == false`."""
    match call(expression):
        case ("eq", [left, right]):
            return {"type": "boolean", "value": False} in (left, right)
        case ("neq", [left, right]):
            return {"type": "boolean", "value": True} in (left, right)
    return bool(expression.get("negated"))


def _spelled(conditions: Conditions, expression: dict[str, Any]) -> str:
    """Spell an expression without the names of its variables, and with what its helpers ask."""
    names: dict[str, str] = {}

    def spell(node: Any) -> Any:
        if isinstance(node, list):
            return [spell(part) for part in node]
        if not isinstance(node, dict):
            return node
        helper = conditions.helper(node) if node.get("type") == "ref" else []
        if helper:
            return spell([[rule["head"].get("args", []), rule["body"]] for rule in helper])
        if node.get("type") == "var" and node["value"] not in {"input", "data"}:
            return names.setdefault(node["value"], f"${len(names)}")
        return {key: spell(part) for key, part in node.items() if key not in {"index", "generated", "location"}}

    return json.dumps(spell(expression), sort_keys=True)


_NAMES = {"tags": "tags and name", "vpc": "VPC", "security_groups": "security groups"}
_IDIOMS = {
    "tags": ('input.server.tags.Role == "db"', "not input.server.tags_known"),
    "security_groups": ('"sg-..." in input.server.security_groups', "input.server.security_groups == []"),
}


_KNOWLEDGE = {"tags": "input.server.tags_known", "security_groups": "count(input.server.security_groups) > 0"}


def _allowed(world: str) -> str:
    where = "no tags are known" if world == "tags" else f"nobody knows the server's {_NAMES.get(world, world)}"
    must = {"tags": "the tag or the name", "security_groups": "one of them"}.get(world, "it")
    return (
        f"holds too where {where}, since a `not`, `!=`, `every` or default takes absence for consent; "
        f"ask for `{_known(world)}` too, or for what {must} must be"
    )


def _left_open(world: str) -> str:
    where = f"nobody knows the server's {_NAMES.get(world, world)}"
    return (
        f"may hold too where {where}, for which a function with `else` asks; "
        f"ask for `{_known(world)}` too, or give the function `input.server.{world}` instead of the server"
    )


def _known(world: str) -> str:
    return _KNOWLEDGE.get(world, f"input.server.{world}")


def _open(world: str) -> str:
    asks, lacks = _IDIOMS.get(world, (f"input.server.{world} == ...", f"not input.server.{world}"))
    return (
        f"forbids nothing where nobody knows the server's {_NAMES.get(world, world)}; "
        f"put the question into a helper with a second rule, as in `_asked if {asks}` and "
        f'`_asked if {lacks}`, or say "where_unknown": "allowed"'
    )


def _is_judged(conditions: Conditions, way: list[dict[str, Any]], without: set[tuple[str, str]]) -> bool:
    """Tell whether a way asks for none of these, and for no helper of which OPA leaves only the name."""
    return not (_is_left(conditions, way) or _asks_one_of(conditions, way, without))


def _is_left(conditions: Conditions, way: list[dict[str, Any]]) -> bool:
    return any(conditions.is_closed(node) for node in conditions.nodes(way))


def _asks_one_of(conditions: Conditions, way: list[dict[str, Any]], fields: set[tuple[str, str]]) -> bool:
    return any(conditions.asked(node)[:2] in fields for node in conditions.nodes(way))
