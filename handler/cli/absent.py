"""Finds names of `data` that are not there: OPA takes them for undefined, and what asks for them never holds.

Shape: what `opa parse --format json --json-include locations` prints of a file, OPA's abstract syntax tree.
"""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from itertools import product, takewhile
from pathlib import Path
from typing import Any

from handler.cli.data_files import Data, Fault, Place
from handler.cli.tree import nodes

_TABLES = [("servers", key) for key in ("by_name", "by_id", "by_tag")]
"""Asked for by the engine, whether they have rows or not."""


_STEPS = {"string", "number"}


class Names:
    """What is there under `data`: values of the data files, packages and rules."""

    def __init__(self, data: Data, modules: Iterable[dict[str, Any]]) -> None:
        self._rules = {place for module in modules for place in _rules(module)}
        ends = [*data.values, *_TABLES, *self._rules]
        self._there = {place[:length] for place in ends for length in range(1, len(place) + 1)}

    def absent(self, file: Path, module: dict[str, Any]) -> Iterator[Fault]:
        """Find what a file asks for and is not there, up to the first variable of each reference.

        A variable of `some` or `every` that stands for constants is each of them.
        """
        imports = [one for one in module.get("imports", []) if _is_data(one["path"])]
        imported = {one.get("alias", one["path"]["value"][-1]["value"]): _steps(one["path"]) for one in imports}
        for part in [*module.get("rules", []), [one["path"] for one in imports]]:
            constants, own = _constants(part), _own(part)
            known = {name: place for name, place in imported.items() if name not in own}
            for ref in _of_type("ref", part):
                found = dict.fromkeys(self._missing(place) for place in _places(ref, known, constants))
                for missing in filter(None, found):
                    yield Fault(file=file, line=ref["location"]["row"], problem=self._said(missing))

    def _missing(self, path: Place) -> Place | None:
        """Give the path up to the first step that is not there; what a rule holds is not known here."""
        for length in range(1, len(path) + 1):
            if path[:length] in self._rules:
                return None
            if path[:length] not in self._there:
                return path[:length]
        return None

    def _said(self, missing: Place) -> str:
        *above, name = missing
        others = [str(place[-1]) for place in self._there if place[:-1] == tuple(above)]
        near = "".join(f", perhaps {found}," for found in get_close_matches(str(name), sorted(others), 1))
        return (
            f"{'.'.join(map(str, ('data', *above)))} has no {name}, so OPA takes it for undefined, in silence; "
            f"write a name that is there{near} or add it to a data file"
        )


def _rules(module: dict[str, Any]) -> Iterator[Place]:
    package = _steps({"value": module["package"]["path"]})
    for rule in module.get("rules", []):
        name, *below = rule["head"]["ref"]
        yield (*package, name["value"], *_steps({"value": [name, *below]}))


def _of_type(kind: str, node: Any) -> Iterator[dict[str, Any]]:
    return (found for found in nodes(node) if found.get("type") == kind)


def _constants(rule: Any) -> dict[str, list[dict[str, Any]]]:
    """Give the constants for which a variable of a rule stands; none where a name is declared more than once."""
    names = _own(rule)
    constants = {}
    for (*_, target), among in _declared(rule):
        if names.count(target["value"]) == 1 and among["type"] in {"array", "set"}:
            constants[target["value"]] = [item for item in among["value"] if item["type"] in _STEPS]
    return {name: items for name, items in constants.items() if items}


def _own(rule: Any) -> list[str]:
    """Give the names that a rule declares: its parameters, and variables of `some`, `every` and `:=`."""
    arguments = [one for node in nodes(rule) for one in node.get("args", [])]
    return [name["value"] for targets, _ in [(arguments, None), *_declared(rule)] for name in _of_type("var", targets)]


def _declared(rule: Any) -> Iterator[tuple[list[dict[str, Any]], dict[str, Any]]]:
    """Give what a rule declares, with the collection of which the last is a member."""
    for node in nodes(rule):
        for symbol in node.get("symbols", []):
            *targets, among = symbol["value"][1:] if symbol["type"] == "call" else [symbol, symbol]
            yield targets, among
        if "domain" in node:
            yield [target for target in (node["key"], node["value"]) if target], node["domain"]
        match node.get("terms"):
            case [{"value": [{"value": "assign"}]}, target, value]:
                yield [target], {"type": "array", "value": [value]}


def _is_data(ref: dict[str, Any]) -> bool:
    return bool(ref["value"][0]["type"] == "var" and ref["value"][0]["value"] == "data")


def _places(
    ref: dict[str, Any], imported: dict[str, Place], constants: dict[str, list[dict[str, Any]]]
) -> Iterator[Place]:
    """Give the places under `data` that a reference names; none when it names another document."""
    head, *steps = ref["value"]
    above = () if _is_data(ref) else imported.get(head["value"]) if head["type"] == "var" else None
    if above is not None:
        choices = [constants.get(step["value"], [step]) if step["type"] == "var" else [step] for step in steps]
        for chosen in product(*takewhile(lambda choice: all(step["type"] in _STEPS for step in choice), choices)):
            yield (*above, *(step["value"] for step in chosen))


def _steps(ref: dict[str, Any]) -> Place:
    """Give what follows the head of a reference, up to its first variable."""
    return tuple(step["value"] for step in takewhile(lambda step: step["type"] in _STEPS, ref["value"][1:]))
