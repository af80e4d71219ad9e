"""Finds what a lack of knowledge decides: allowances that hold, and prohibitions that do not, without tags.

OPA says what is left to ask once something is absent. A way of an allowance that then holds, or hangs on other fields
alone, and did not do so before, holds by what is absent. A prohibition that asks for something forbids nothing where
it is unknown, unless another way of it holds there and asks for nothing more besides.
"""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

from handler.check.conditions import Conditions, Path
from handler.check.register import Way
from handler.check.syntax import SCALARS, Term, call
from handler.check.workspace import SCHEMAS

_SCHEMA = json.loads((SCHEMAS / "finding.json").read_text())["$defs"]
_TAGS = ("server", "tags")
_NAME = ("server", "name")
_ABSENT = {_TAGS, _NAME}
_KNOWN = ("server", "tags_known")

WORLDS = {
    "tags": (_TAGS, _NAME),
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


_MADE: dict[str, Callable[[str], str]] = {"lower": str.lower, "upper": str.upper, "trim_space": str.strip}
_PARTS: dict[str, Callable[[str, str], bool]] = {
    "contains": str.__contains__,
    "endswith": str.endswith,
    "startswith": str.startswith,
}


def allowed_where_unknown(conditions: Conditions, untagged: Conditions) -> Iterator[tuple[Way, str]]:
    """Yield an allowance that takes absence for consent, from its ways for any server and for one without tags."""
    world = _World(untagged, _ABSENT)
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
    there = _World(conditions, WORLDS[world])
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


@dataclass(frozen=True)
class _World:
    """A world in which some fields are absent, and the conditions that OPA leaves in it."""

    conditions: Conditions
    absent: Collection[tuple[str, str]]

    def may_hold(self, way: list[dict[str, Any]]) -> bool:
        """Tell whether a way may hold: OPA leaves what is asked through a variable or `object.get` of the server."""
        return not any(self._is_unmet(expression) for expression in way if not expression.get("negated"))

    def truth(self, expression: dict[str, Any]) -> bool | None:
        """Tell what an expression about an absent field is there; null where it hangs on what is given instead."""
        truth = self._plain_truth(expression)
        return not truth if expression.get("negated") and truth is not None else truth

    def _is_unmet(self, expression: dict[str, Any]) -> bool:
        """Tell whether an expression needs a field that is absent, or another value than what is given instead."""
        terms = expression["terms"]
        rules = self.conditions.helper(terms if isinstance(terms, dict) else terms[0])
        if rules:
            true = [rule for rule in rules if rule["head"].get("value", {}).get("value") is not False]
            return not any(self.may_hold(rule["body"]) for rule in true)
        needed = any(self._is_absent(self.conditions.path(node)) for node in _needed(terms))
        return needed or self._plain_truth(expression) is False

    def _plain_truth(self, expression: dict[str, Any]) -> bool | None:
        match call(expression):
            case ("internal.member_2", [_, among]) if self.conditions.path(among) == _TAGS:
                return False
            case ("internal.member_2", [term, {"type": "array" | "set", "value": list(among)}]):
                value = self._given(term)
                return value in among if value and all(item["type"] in SCALARS for item in among) else None
            case (name, [term, {"type": "string", "value": part}]) if name in _PARTS:
                value = self._given(term)
                return _PARTS[name](value["value"], part) if value and value["type"] == "string" else None
            case ("neq", [term, wanted]) if wanted["type"] in SCALARS:
                value = self._given(term)
                return value != wanted if value else None
            case (_, [*_, wanted]) if wanted["type"] in SCALARS:
                value = self._given(expression)
                return value == wanted if value else None
        return None

    def _given(self, term: Term) -> Term | None:
        """Return what `object.get` gives in the place of an absent field, and what is made of it; null if not known."""
        path, otherwise = self.conditions.got(term) or (None, None)
        if otherwise and self._is_absent(path):
            return otherwise
        match call(term):
            case (name, [argument, *_]) if name in _MADE:
                value = self._given(argument)
                if value and value["type"] == "string":
                    return {"type": "string", "value": _MADE[name](value["value"])}
        return None

    def _is_absent(self, path: Path | None) -> bool:
        return path is not None and path[:2] in self.absent and path != _TAGS


def _needed(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield the terms without which an expression is undefined: those of comprehensions are not among them."""
    if isinstance(tree, dict) and not str(tree.get("type")).endswith("comprehension"):
        yield tree
        tree = [part for key, part in tree.items() if key != "body"]
    if isinstance(tree, list):
        for part in tree:
            yield from _needed(part)
