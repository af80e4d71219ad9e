"""The register: every statement of the policies, whomever it is for, as OPA's partial evaluation prints it.

Nothing is run against a finding, so what is printed is what decides, from rules and tables alike. The shape of the
answer: OPA documentation, "Partial Evaluation"; terms are those of OPA's abstract syntax tree as JSON.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from handler.check.syntax import SCALARS, Term

QUERY = "x := data._portcullis.statement[_]"
"""What `opa eval --partial` is asked; see `workspace.REGISTER`."""

KEY_PROBLEM = "one of its keys is a list or an object; write text such as `id` or `tcp`"

_RESULTS = [{"type": "var", "value": name} for name in ("_", "$0", "x")]


class NotPlainError(ValueError):
    """A value cannot be printed without a finding, since it depends on the input, or not as JSON."""


def depends_on_input(field: str) -> str:
    """Say that a field, or the whole value of a statement, is not the same for every finding."""
    return f"{field or 'its value'} depends on the input; write it out, and what it depends on after `if`"


class Way(Struct, frozen=True):
    """One way in which a statement applies: its kind, its value, and the expressions that all have to hold.

    `value` is null where it depends on the input, by a `field` if that is known, and `problem` says so; `id` is the
    statement's as far as it is plain.
    """

    kind: str
    id: str
    value: Any
    expressions: list[dict[str, Any]]
    problem: str | None = None
    field: str = ""


def ways(answer: dict[str, Any]) -> list[Way]:
    """Return every way of every statement, from the answer of `opa eval --partial` to `QUERY`."""
    return [_way(query) for query in answer.get("partial", {}).get("queries", [])]


def plain(term: Term) -> Any:
    """Return the value of a term of OPA's syntax tree; sets become lists. Raises `NotPlainError`."""
    kind, value = term["type"], term["value"]
    if kind == "null":
        return None
    if kind in SCALARS:
        return value
    if kind in {"array", "set"}:
        return [plain(item) for item in value]
    if kind == "object":
        return {_key(key): plain(item) for key, item in value}
    raise NotPlainError(depends_on_input(""))


def _way(query: Sequence[dict[str, Any]]) -> Way:
    head = next(term for expression in query for term in _bound_to_the_result(expression))
    expressions = [expression for expression in query if not (_bound_to_the_result(expression) or _is_echo(expression))]
    kind, statement = head["value"] if head["type"] == "array" else (None, head)
    name = str(kind["value"]) if kind else "allowance"
    try:
        value = plain(statement)
    except NotPlainError as error:
        field = _field_that_depends(statement)
        return Way(name, _id_of(statement), None, expressions, depends_on_input(field) if field else str(error), field)
    return Way(name, _id_of(statement), value, expressions)


def _field_that_depends(statement: Term) -> str:
    """Return the first field whose value is not plain; an empty text where that is not what is wrong."""
    for key, item in statement["value"] if statement["type"] == "object" else []:
        try:
            plain(item)
        except NotPlainError:
            return str(key["value"]) if key["type"] == "string" else ""
    return ""


def _id_of(statement: Term) -> str:
    fields = statement["value"] if statement["type"] == "object" else []
    names = [item["value"] for key, item in fields if key["value"] == "id" and item["type"] == "string"]
    return str(names[0]) if names and names[0].strip() else "unnamed"


def _bound_to_the_result(expression: dict[str, Any]) -> list[Term]:
    """Return what an expression binds to the name of the query's result, whichever side it stands on."""
    terms = expression["terms"]
    if not isinstance(terms, list) or len(terms) != 3:  # noqa: PLR2004  a = b
        return []
    _, left, right = terms
    return [left] if right in _RESULTS else [right] if left in _RESULTS else []


def _is_echo(expression: dict[str, Any]) -> bool:
    """Tell whether an expression only repeats the result under a name of partial evaluation's own."""
    terms = expression["terms"]
    return isinstance(terms, list) and str(terms[1]["value"]).startswith("__localq")


def _key(term: Term) -> Any:
    if term["type"] in {"array", "set", "object"}:
        raise NotPlainError(KEY_PROBLEM)
    return plain(term)
