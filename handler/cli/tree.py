"""OPA's abstract syntax tree as JSON, for those who read what `opa parse` and partial evaluation print."""

from collections.abc import Iterator
from typing import Any

SCALARS = {"null", "boolean", "number", "string"}
"""The types of terms that are a value and hold no other."""


def nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Give every object in a tree: terms, expressions, rules."""
    if isinstance(tree, dict):
        yield tree
        tree = list(tree.values())
    if isinstance(tree, list):
        for part in tree:
            yield from nodes(part)
