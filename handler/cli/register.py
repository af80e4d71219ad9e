"""The register: every statement of the policies, whomever it is for, as OPA's partial evaluation prints it.

Nothing is run against a finding, so what is printed is what decides, from rules and tables alike. The shape of the
answer: OPA documentation, "Partial Evaluation"; terms are those of OPA's abstract syntax tree as JSON.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from handler.cli.tree import SCALARS

QUERY = ("--partial", "--format", "json")
"""What `opa eval` is told, before a query of the form `x := data.gate.allowance[_]`; the input is unknown to it."""

_RESULTS = [{"type": "var", "value": name} for name in ("_", "$0", "x")]


class NotPlainError(ValueError):
    """A statement cannot be printed without a finding, since its value depends on the input, or not as JSON."""


def statements(answer: dict[str, Any]) -> Iterator[Any]:
    """Give the values that the query binds, from the answer of `opa eval`. Raises `NotPlainError`."""
    for query in answer.get("partial", {}).get("queries", []):
        for head in heads(query):
            yield plain(head)


def plain(term: dict[str, Any]) -> Any:
    """Give the value of a term of OPA's syntax tree; sets become lists."""
    kind, value = term["type"], term["value"]
    if kind in SCALARS:
        return value
    if kind in {"array", "set"}:
        return [plain(item) for item in value]
    if kind == "object":
        return {_key(key): plain(item) for key, item in value}
    msg = "its value depends on the input; write plain values, and what it depends on after `if`"
    raise NotPlainError(msg)


def _key(term: dict[str, Any]) -> Any:
    if term["type"] in {"array", "set", "object"}:
        msg = "one of its keys is a list or an object; write text such as `id` or `tcp`"
        raise NotPlainError(msg)
    return plain(term)


def heads(query: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give what a query binds to the name of its result, whichever side it stands on."""
    pairs = [expression["terms"][1:] for expression in query if len(expression["terms"]) == 3]  # noqa: PLR2004  a = b
    return [left if right in _RESULTS else right for left, right in pairs if left in _RESULTS or right in _RESULTS]
