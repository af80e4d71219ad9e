"""What expressions are where fields of the server are absent, as far as OPA leaves them."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

from handler.check.conditions import Conditions, Path
from handler.check.syntax import SCALARS, Term, call

TAGS = ("server", "tags")
GROUPS = ("server", "security_groups")
_EMPTY = {TAGS, GROUPS}
"""What is empty, instead of absent, where nobody knows it."""

_MADE: dict[str, Callable[[str], str]] = {"lower": str.lower, "upper": str.upper, "trim_space": str.strip}
_PARTS: dict[str, Callable[[str, str], bool]] = {
    "contains": str.__contains__,
    "endswith": str.endswith,
    "startswith": str.startswith,
}


@dataclass(frozen=True)
class World:
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
            case ("internal.member_2", [_, among]) if self.conditions.path(among) in _EMPTY & {*self.absent}:
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
        path, otherwise = self.conditions.with_default(term) or (None, None)
        if otherwise and self._is_absent(path):
            return otherwise
        match call(term):
            case (name, [argument, *_]) if name in _MADE:
                value = self._given(argument)
                if value and value["type"] == "string":
                    return {"type": "string", "value": _MADE[name](value["value"])}
        return None

    def _is_absent(self, path: Path | None) -> bool:
        return path is not None and path[:2] in self.absent and path not in _EMPTY


def _needed(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield the terms without which an expression is undefined: those of comprehensions are not among them."""
    if isinstance(tree, dict) and not str(tree.get("type")).endswith("comprehension"):
        if "domain" in tree:  # `every` holds where there is nothing to go through
            yield from _needed(tree["domain"])
            return
        yield tree
        tree = [part for key, part in tree.items() if key != "body"]
    if isinstance(tree, list):
        for part in tree:
            yield from _needed(part)
