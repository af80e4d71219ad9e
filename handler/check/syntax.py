"""OPA's abstract syntax tree as JSON, for those who read what `opa parse` and partial evaluation print."""

from collections.abc import Iterator
from typing import Any

Term = dict[str, Any]

SCALARS = {"null", "boolean", "number", "string"}
"""The types of terms that are a value and hold no other."""

READ = {"allow": "allowance", "forbid": "prohibition"}
"""The rule that the gate asks for, by package."""


def nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield every object in a tree but for locations: terms, expressions, rules."""
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, list):
            stack.extend(reversed(node))
        elif isinstance(node, dict):
            yield node
            if "value" in node and len(node) == 2 + ("location" in node):  # a term, as most are
                if isinstance(node["value"], (dict, list)):
                    stack.append(node["value"])
                continue
            parts = [part for key, part in node.items() if key != "location" and isinstance(part, (dict, list))]
            stack.extend(reversed(parts))


def package(module: dict[str, Any]) -> str:
    """Return the package of a file, without `data`."""
    return ".".join(step["value"] for step in module["package"]["path"][1:])


def written_ids(module: dict[str, Any]) -> Iterator[tuple[str, str, int]]:
    """Yield kind, id and line of each allowance and prohibition that is written out in a file."""
    for kind, rule in statement_rules(module):
        for key, value in rule["head"]["key"]["value"]:
            if key["value"] == "id" and value["type"] == "string":
                yield kind, value["value"], value["location"]["row"]


def statement_rules(module: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield kind and rule of each allowance and prohibition whose fields are written out in a file."""
    kind = READ.get(package(module), "")
    for rule in module.get("rules", []):
        head = rule["head"]
        if head["ref"][0]["value"] == kind and head.get("key", {}).get("type") == "object":
            yield kind, rule


def call(node: dict[str, Any]) -> tuple[str, list[Term]] | None:
    """Return the name and the arguments of what an expression or a term calls; an argument more is what it returns."""
    terms = node["value"] if node.get("type") == "call" else node.get("terms")
    return (".".join(steps(terms[0]["value"])), terms[1:]) if isinstance(terms, list) else None


def steps(ref: list[Term]) -> tuple[str, ...]:
    """Return the steps of a reference as text."""
    return tuple(str(step["value"]) for step in ref)


def remove_prints(tree: Any) -> None:
    """Remove the calls of `print` from bodies of rules, and what gathers their arguments: they ask for nothing."""
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, list):
            expressions = [part for part in node if isinstance(part, dict) and "terms" in part]
            printed = [part for part in expressions if (call(part) or [""])[0] == "internal.print"]
            if printed:
                names = {term["value"] for term in nodes(printed) if term.get("type") == "var"}
                node[:] = [part for part in node if part not in printed and not _gathers(part, names)]
        parts = node.values() if isinstance(node, dict) else node
        stack.extend(part for part in parts if isinstance(part, (dict, list)))


def _gathers(expression: dict[str, Any], names: set[Any]) -> bool:
    match call(expression):
        case ("eq", [{"type": "var", "value": name}, {"type": "setcomprehension"}]):
            return name in names
    return False
