"""Which rules of a folder use which others.

Shape: what `opa parse --format json --json-include locations` prints of a file, OPA's abstract syntax tree.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from handler.check.syntax import Term, nodes, package

Name = tuple[str, str]
"""A rule: its package, without `data`, and the name that its head begins with."""


class Uses:
    """The rules of a folder by their names, and what each is made of."""

    def __init__(self, modules: Iterable[dict[str, Any]]) -> None:
        self._rules: dict[Name, list[tuple[dict[str, Any], dict[str, Any]]]] = defaultdict(list)
        for module in modules:
            for rule in module.get("rules", []):
                self._rules[package(module), rule["head"]["ref"][0]["value"]].append((module, rule))

    def texts(self, ref: list[Term]) -> set[str]:
        """Return every text in the rule that a reference of `data` names, and in those that it uses."""
        texts: set[str] = set()
        waiting, seen = list(_names(ref)), set[Name]()
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            for module, rule in self._rules.get(name, []):
                texts |= {node["value"] for node in nodes(rule) if node.get("type") == "string"}
                waiting += rules_used(module, rule)
        return texts


def rules_used(module: dict[str, Any], rule: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield package and name of each rule that a rule uses, other than itself."""
    here = package(module)
    itself = rule["head"]["ref"][0]["value"]
    imported: dict[Any, list[Term]] = {}
    for entry in module.get("imports", []):
        path = entry["path"]["value"]
        imported[entry.get("alias", path[-1]["value"])] = path
    for node in nodes({key: part for key, part in rule.items() if key != "head"} | {"head": _values(rule["head"])}):
        if node.get("type") == "ref":
            head, *below = node["value"]
            if head["type"] == "var":
                yield from _names([*imported.get(head["value"], [head]), *below])
        if node.get("type") in {"ref", "var"}:
            name = node["value"] if node["type"] == "var" else node["value"][0]["value"]
            if name != itself:
                yield here, str(name)


def _values(head: dict[str, Any]) -> list[Any]:
    return [head.get(part) for part in ("key", "value", "args")]


def _names(ref: list[Term]) -> Iterator[Name]:
    """Yield what a reference of `data` may name: a rule of each package that it may lead to."""
    path = [str(step["value"]) for step in ref]
    for length in range(2, len(path)):
        if path[0] == "data":
            yield ".".join(path[1:length]), path[length]
