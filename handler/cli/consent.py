"""Finds allowances that take absence for consent: what they ask for holds because nobody knows the server's tags.

OPA says what is left to ask once no tag and no name is there. A way of an allowance that then holds, or hangs on other
fields alone, and did not do so before, holds by what is absent.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from handler.cli.conditions import Conditions, Path, Term, call
from handler.cli.register import QUERY
from handler.cli.schema import generate
from handler.cli.tree import SCALARS

_SCHEMA = generate()["finding.json"]["$defs"]
_TAGS = ("server", "tags")
_ABSENT = {_TAGS, ("server", "name")}
_KNOWN = ("server", "tags_known")

UNTAGGED: dict[str, Any] = {"server": {"tags": {}}}
"""What is known of a finding on whose server nobody knows tags or a name; it has other fields, with any value."""

_OTHERS = [
    *(f"input.{field}" for field in _SCHEMA["Finding"]["properties"] if field != "server"),
    *(f"input.server.{field}" for field in _SCHEMA["Server"]["properties"] if ("server", field) not in _ABSENT),
]

UNTAGGED_QUERY = (*QUERY, *(f"--unknowns={field}" for field in _OTHERS))
"""What `opa eval` is told of such a finding."""

_PROBLEM = (
    "holds too where no tags are known, since a `not`, `!=` or default takes absence for consent; "
    "ask for `input.server.tags_known` too, or for what the tag or the name must be"
)

_MADE: dict[str, Callable[[str], str]] = {"lower": str.lower, "upper": str.upper, "trim_space": str.strip}
_FOUND: dict[str, Callable[[str, str], bool]] = {
    "contains": str.__contains__,
    "endswith": str.endswith,
    "startswith": str.startswith,
}


def consent(conditions: Conditions, untagged: Conditions) -> Iterator[tuple[str, str]]:
    """Give the id of an allowance and that it takes absence for consent, from its ways for any server and for one."""
    before = Counter(name for name, way in conditions.ways if _is_judged(conditions, way, _ABSENT))
    then = Counter(name for name, way in untagged.ways if _is_judged(untagged, way, {_KNOWN}) and _holds(untagged, way))
    yield from ((name, _PROBLEM) for name in then - before)


def _is_judged(conditions: Conditions, way: list[dict[str, Any]], without: set[tuple[str, str]]) -> bool:
    """Say whether a way asks for none of these, and for no helper of which OPA leaves only the name."""
    found = list(conditions.nodes(way))
    return not any(conditions.is_closed(node) or conditions.asked(node)[:2] in without for node in found)


def _holds(conditions: Conditions, way: list[dict[str, Any]]) -> bool:
    """Say whether a way may hold: OPA leaves what it is asked through a variable or `object.get` of the server."""
    return not any(_is_unmet(conditions, expression) for expression in way if not expression.get("negated"))


def _is_unmet(conditions: Conditions, expression: dict[str, Any]) -> bool:
    """Say whether an expression needs a name or a tag that is there, or another value than what is given instead."""
    terms = expression["terms"]
    rules = conditions.helper(terms if isinstance(terms, dict) else terms[0])
    if rules:
        true = [rule for rule in rules if rule["head"].get("value", {}).get("value") is not False]
        return not any(_holds(conditions, rule["body"]) for rule in true)
    needed = any(_is_absent(conditions.path(node)) for node in _needed(terms))
    return needed or _wants_another(conditions, expression)


def _wants_another(conditions: Conditions, expression: dict[str, Any]) -> bool:
    match call(expression):
        case ("internal.member_2", [_, among]) if conditions.path(among) == _TAGS:
            return True
        case ("internal.member_2", [one, {"type": "array" | "set", "value": list(among)}]):
            given = _given(conditions, one)
            return all(item["type"] in SCALARS for item in among) and given is not None and given not in among
        case (name, [one, {"type": "string", "value": part}]) if name in _FOUND:
            given = _given(conditions, one)
            return given is not None and given["type"] == "string" and not _FOUND[name](given["value"], part)
        case (_, [*_, wanted]) if wanted["type"] in SCALARS:
            return _given(conditions, expression) not in (None, wanted)
    return False


def _given(conditions: Conditions, term: Term) -> Term | None:
    """Give what `object.get` gives in the place of a name or a tag, and what is made of it; null if it is not known."""
    path, otherwise = conditions.got(term) or (None, None)
    if otherwise and _is_absent(path):
        return otherwise
    match call(term):
        case (name, [one, *_]) if name in _MADE:
            given = _given(conditions, one)
            if given and given["type"] == "string":
                return {"type": "string", "value": _MADE[name](given["value"])}
    return None


def _needed(tree: Any) -> Iterator[dict[str, Any]]:
    """Give the terms without which an expression is undefined: those of comprehensions are not among them."""
    if isinstance(tree, dict) and not str(tree.get("type")).endswith("comprehension"):
        yield tree
        tree = [part for key, part in tree.items() if key != "body"]
    if isinstance(tree, list):
        for part in tree:
            yield from _needed(part)


def _is_absent(path: Path | None) -> bool:
    return path is not None and path[:2] in _ABSENT and path != _TAGS
