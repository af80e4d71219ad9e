"""Finds what a lack of knowledge decides: allowances that hold, and prohibitions that do not, without tags.

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
from handler.check.worlds import TAGS, World

_SCHEMA = json.loads((SCHEMAS / "finding.json").read_text())["$defs"]
_NAME = ("server", "name")
_ABSENT = {TAGS, _NAME}
_KNOWN = ("server", "tags_known")

WORLDS = {
    "tags": (TAGS, _NAME),
    "vpc": (("server", "vpc"),),
    "subnet": (("server", "subnet"),),
    "platform": (("server", "platform"),),
    "security_groups": (("server", "security_groups"),),
}
"""What may be unknown of a server, together: where nobody knows the tags, nobody knows the name."""

_EMPTY: dict[str, dict[str, Any]] = {"tags": {"tags": {}}, "security_groups": {"security_groups": []}}
"""What a server has where nobody knows it, if that is not absent."""

_PROBLEM = (
    "holds too where no tags are known, since a `not`, `!=` or default takes absence for consent; "
    "ask for `input.server.tags_known` too, or for what the tag or the name must be"
)


def world_query(world: str) -> tuple[dict[str, Any], list[str]]:
    """Return the input and the arguments of `opa eval` for a server of which this is unknown and all else is open."""
    absent = WORLDS[world]
    fields = [f"input.{field}" for field in _SCHEMA["Finding"]["properties"] if field != "server"]
    known = [field for field in _SCHEMA["Server"]["properties"] if ("server", field) not in absent]
    unknowns = [f"--unknowns={field}" for field in [*fields, *(f"input.server.{field}" for field in known)]]
    return {"server": _EMPTY.get(world, {})}, unknowns


def allowed_where_unknown(conditions: Conditions, untagged: Conditions) -> Iterator[tuple[Way, str]]:
    """Yield an allowance that takes absence for consent, from its ways for any server and for one without tags."""
    world = World(untagged, _ABSENT)
    allowances = [way for way in untagged.ways if way.kind == "allowance"]
    before = Counter(
        way.id
        for way in conditions.ways
        if _is_judged(conditions, way.expressions, _ABSENT) and not _denies_of_all(conditions, way.expressions)
    )
    holding = [
        way for way in allowances if _is_judged(untagged, way.expressions, {_KNOWN}) and world.may_hold(way.expressions)
    ]
    after = Counter(way.id for way in holding)
    yield from ((way, _PROBLEM) for way in holding if after[way.id] > before[way.id])


def asked_worlds(conditions: Conditions) -> set[str]:
    """Return what may be unknown and prohibitions ask for, as keys of `WORLDS`."""
    ways = [way for way in conditions.ways if _forbids(way)]
    return {world for way in ways for world in WORLDS if _asks(conditions, way.expressions, world)}


def open_where_unknown(conditions: Conditions, worlds: dict[str, Conditions]) -> Iterator[tuple[Way, str]]:
    """Yield a prohibition that forbids nothing where nobody knows what it asks for, from its ways in each world."""
    for way in filter(_forbids, conditions.ways):
        for world, where_unknown in worlds.items():
            if _asks(conditions, way.expressions, world) and not _is_mended(conditions, way, where_unknown, world):
                yield way, _open(world)


def _forbids(way: Way) -> bool:
    declared = way.value.get("where_unknown") if isinstance(way.value, dict) else None
    return way.kind == "prohibition" and declared != "allowed"


def _asks(conditions: Conditions, tree: Any, world: str) -> bool:
    """Tell whether an expression asks for what is unknown in a world, be it by a rule that OPA left as it is."""
    fields = {field for _, field in WORLDS[world]}
    return any(
        conditions.asked(node)[:2] in WORLDS[world]
        or (conditions.is_closed(node) and fields & conditions.texts(node))
        or _asks_for_all(conditions, node)
        for node in conditions.nodes(tree)
    )


def _asks_for_all(conditions: Conditions, node: dict[str, Any]) -> bool:
    """Tell whether a builtin looks into the whole server or finding, as `object.subset` may."""
    name, arguments = call(node) or ("", [])
    if not name or name.startswith("data.") or name in {"eq", "object.get"}:
        return False
    return any(conditions.path(argument) in {(), ("server",)} for argument in arguments)


def _denies_of_all(conditions: Conditions, way: list[dict[str, Any]]) -> bool:
    """Tell whether a way looks into the whole server and has a `not`, which absence may then satisfy."""
    negated = any(expression.get("negated") for expression in way)
    return negated and any(_asks_for_all(conditions, node) for node in conditions.nodes(way))


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


def _open(world: str) -> str:
    asks, lacks = _IDIOMS.get(world, (f"input.server.{world} == ...", f"not input.server.{world}"))
    return (
        f"forbids nothing where nobody knows the server's {_NAMES.get(world, world)}; "
        f"put the question into a helper with a second rule, as in `_asked if {asks}` and "
        f'`_asked if {lacks}`, or say "where_unknown": "allowed"'
    )


def _is_judged(conditions: Conditions, way: list[dict[str, Any]], without: set[tuple[str, str]]) -> bool:
    """Tell whether a way asks for none of these, and for no helper of which OPA leaves only the name."""
    found = list(conditions.nodes(way))
    return not any(conditions.is_closed(node) or conditions.asked(node)[:2] in without for node in found)
