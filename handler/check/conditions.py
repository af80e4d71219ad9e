"""What statements ask for, when OPA's partial evaluation has written out what helpers and data say (see `register`).

What it leaves as a name, such as a function with `else`, is not looked into.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from handler.check.register import Way, ways
from handler.check.syntax import Term, call, nodes, steps
from handler.check.uses import Uses

Path = tuple[str | int | None, ...]
"""Where a value stands under `input`; null for a variable."""


class Conditions:
    """The ways in which statements apply, from the answer of `opa eval --partial`, and what their expressions mean."""

    def __init__(self, answer: dict[str, Any], uses: Uses) -> None:
        self._uses = uses
        partial = answer.get("partial", {})
        self.ways: list[Way] = ways(answer)
        self._helpers: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
        for module in partial.get("modules", []):
            for rule in module["rules"]:
                self._helpers[steps([*module["package"]["path"], *rule["head"]["ref"]])].append(rule)
        self._bound: dict[str, Term | None] = {}
        everything = list(nodes(partial))
        for name, ref in (*_bindings(everything), *self._arguments(everything)):
            self._bound[name] = ref if self._bound.get(name, ref) == ref else None
        self._nodes: dict[int, tuple[Any, list[dict[str, Any]]]] = {}
        self._asked: dict[int, tuple[Term, Path]] = {}

    def _arguments(self, everything: Iterable[dict[str, Any]]) -> Iterator[tuple[str, Term]]:
        """Give the parameters of helpers that stand for a reference."""
        for node in everything if self._helpers else ():
            name, arguments = call(node) or ("", [])
            for rule in self._helpers.get(tuple(name.split(".")), []):
                pairs = zip(rule["head"].get("args", []), arguments, strict=False)
                yield from (
                    (parameter["value"], ref)
                    for parameter, ref in pairs
                    if parameter["type"] == "var" and ref["type"] == "ref"
                )

    def helper(self, term: Term) -> list[dict[str, Any]]:
        """Give the rules that a term names, which are of partial evaluation's own making."""
        return self._helpers.get(steps(term["value"]), []) if term.get("type") == "ref" else []

    def is_closed(self, term: Term) -> bool:
        """Say whether a term names what partial evaluation left as it is, and nobody looks into."""
        steps = term["value"] if term.get("type") == "ref" else [{"value": None}]
        return steps[0]["value"] == "data" and not self.helper(term)

    def asks_for_all(self, node: dict[str, Any]) -> bool:
        """Tell whether a builtin looks into the whole server or finding, as `object.subset` may."""
        name, arguments = call(node) or ("", [])
        if not name or name.startswith("data.") or name in {"eq", "object.get"}:
            return False
        return any(self.path(argument) in {(), ("server",)} for argument in arguments)

    def texts(self, term: Term) -> set[str]:
        """Return the texts in the rule that a term names, and in those that it uses."""
        return self._uses.texts(term["value"])

    def nodes(self, tree: Any) -> list[dict[str, Any]]:
        """Return every object in a tree and in the helpers that it names; a tree is gone through once."""
        known, walked = self._nodes.get(id(tree), (None, []))
        if known is not tree:
            walked = list(self._walked(tree))
            self._nodes[id(tree)] = tree, walked
        return walked

    def _walked(self, tree: Any) -> Iterator[dict[str, Any]]:
        for node in nodes(tree):
            yield node
            if node.get("type") == "ref":
                yield from self._walked(self.helper(node))

    def path(self, term: Term) -> Path | None:
        """Give what a term stands for under `input`; null when that is not known, or nothing."""
        if term.get("type") == "var":
            bound = self._bound.get(term["value"])
            return self.path(bound) if bound else None
        if term.get("type") != "ref":
            return None
        head, *steps = term["value"]
        above = () if head["value"] == "input" else self.path(head)
        return None if above is None else (*above, *map(_step, steps))

    def with_default(self, term: Term) -> tuple[Path, Term] | None:
        """Give what `object.get` is asked for under `input`, and what it gives where that is absent."""
        match call(term):
            case ("object.get", [of, key, otherwise, *_]):
                above = outer[0] if (outer := self.with_default(of)) else self.path(of)
                keys = key["value"] if key["type"] == "array" else [key]
                return None if above is None else ((*above, *map(_step, keys)), otherwise)
        return None

    def asked(self, term: Term) -> Path:
        """Give what a term asks for under `input`, by itself or through `object.get`; empty when it is not known."""
        known, path = self._asked.get(id(term), (None, ()))
        if known is not term:
            default = self.with_default(term)
            path = default[0] if default else self.path(term) or ()
            self._asked[id(term)] = term, path
        return path


def _bindings(everything: Iterable[dict[str, Any]]) -> Iterator[tuple[str, Term]]:
    """Give the variables that stand for a reference, or in `every` for each member of one."""
    for node in everything:
        match node:
            case {"domain": {"type": "ref", "value": steps}, "value": {"type": "var", "value": str(name)}}:
                yield name, {"type": "ref", "value": [*steps, {"type": "var", "value": "_"}]}
            case {"negated": True}:
                continue
        match call(node):
            case ("eq", [{"type": "var", "value": str(name)}, {"type": "ref"} as ref]):
                yield name, ref
            case ("eq", [{"type": "ref"} as ref, {"type": "var", "value": str(name)}]):
                yield name, ref


def _step(term: Term) -> str | int | None:
    return term["value"] if term["type"] in {"string", "number"} else None
