"""Finds names of `data` that are not there: OPA takes them for undefined, and what asks for them never holds.

Shape: what `opa parse --format json --json-include locations` prints of a file, OPA's abstract syntax tree.
"""

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from itertools import product, takewhile
from pathlib import Path
from typing import Any

from handler.bundle import ENGINE, engine
from handler.check.data_files import Data, Place
from handler.check.fault import Fault
from handler.check.syntax import nodes

_OPTIONAL: list[Place] = [
    *(("servers", key) for key in ("by_name", "by_id", "by_tag")),
    *(("accounts", key) for key in ("teams", "names")),
    ("allow", "allowance"),
    ("forbid", "prohibition"),
]
"""What may be asked for whether the folder has it or not."""

_STEPS = {"string", "number"}

Reference = tuple[int, list[Place]]
"""The line of a reference to `data`, and the places that it names, up to its first variable."""

Declared = tuple[list[dict[str, Any]], dict[str, Any]]
"""Variables that are declared together, and the collection of which the last is a member."""


class Names:
    """What is there under `data`: values of the data files, packages and rules."""

    def __init__(self, data: Data, modules: Iterable[dict[str, Any]]) -> None:
        self._rules = {place for module in modules for place in _rules(module)} | _rules_of_the_engine()
        ends = [*data.values, *_OPTIONAL, *self._rules]
        self._there = {place[:length] for place in ends for length in range(1, len(place) + 1)}

    def absent(self, file: Path, references: Iterable[Reference]) -> Iterator[Fault]:
        """Find what a file asks for and is not there, up to the first variable of each reference."""
        for line, places in references:
            for missing in filter(None, dict.fromkeys(map(self._missing, places))):
                yield Fault(rule="absent-name", file=file, line=line, problem=self._said(missing))

    def _missing(self, path: Place) -> Place | None:
        """Return the path up to the first step that is not there; what a rule holds is not known here."""
        for length in range(1, len(path) + 1):
            if path[:length] in self._rules:
                return None
            if path[:length] not in self._there:
                return path[:length]
        return None

    def _said(self, missing: Place) -> str:
        *above, name = missing
        others = [str(place[-1]) for place in self._there if place[:-1] == tuple(above)]
        near = "".join(f", perhaps {similar}," for similar in get_close_matches(str(name), sorted(others), 1))
        return (
            f"{'.'.join(map(str, ('data', *above)))} has no {name}, so OPA takes it for undefined, in silence; "
            f"write a name that is there{near} or add it to a data file"
        )


def references(module: dict[str, Any]) -> Iterator[Reference]:
    """Yield the references of a file to `data`.

    A variable of `some` or `every` that stands for constants is each of them.
    """
    imports = [entry for entry in module.get("imports", []) if _is_data(entry["path"])]
    imported = {entry.get("alias", entry["path"]["value"][-1]["value"]): _steps(entry["path"]) for entry in imports}
    for part in [*module.get("rules", []), [entry["path"] for entry in imports]]:
        terms = list(nodes(part))
        declared = list(_declared(terms))
        names = _own(terms, declared)
        constants = _constants(declared, names)
        known = {name: place for name, place in imported.items() if name not in names}
        for ref in _of_type("ref", terms):
            places = list(_places(ref, known, constants))
            if places:
                yield ref["location"]["row"], places


def _rules_of_the_engine() -> set[Place]:
    """Return the rules that a policy may use of the engine, each of which begins a line of its files."""
    texts = [file.read_text(encoding="utf-8") for file in engine().glob("*.rego")]
    return {(ENGINE, name) for text in texts for name in re.findall(r"^([a-z]\w*)", text, re.MULTILINE)}


def _rules(module: dict[str, Any]) -> Iterator[Place]:
    package = _steps({"value": module["package"]["path"]})
    for rule in module.get("rules", []):
        name, *below = rule["head"]["ref"]
        yield (*package, name["value"], *_steps({"value": [name, *below]}))


def _of_type(kind: str, terms: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    return (node for node in terms if node.get("type") == kind)


def _constants(declared: list[Declared], names: list[str]) -> dict[str, list[dict[str, Any]]]:
    """Return the constants for which a variable of a rule stands; none where a name is declared more than once."""
    constants = {}
    for (*_, target), among in declared:
        if names.count(target["value"]) == 1 and among["type"] in {"array", "set"}:
            constants[target["value"]] = [item for item in among["value"] if item["type"] in _STEPS]
    return {name: items for name, items in constants.items() if items}


def _own(terms: list[dict[str, Any]], declared: list[Declared]) -> list[str]:
    """Return the names that a rule declares: its parameters, and variables of `some`, `every` and `:=`."""
    targets = [node["args"] for node in terms if "args" in node] + [targets for targets, _ in declared]
    return [name["value"] for name in _of_type("var", nodes(targets))]


def _declared(terms: list[dict[str, Any]]) -> Iterator[Declared]:
    """Yield what a rule declares, with the collection of which the last is a member."""
    for node in terms:
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
