"""Finds names of `data` that are not there: OPA takes them for undefined, and what asks for them never holds.

Shape: what `opa parse --format json --json-include locations` prints of a file, OPA's abstract syntax tree.
"""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from itertools import takewhile
from pathlib import Path
from typing import Any

from handler.cli.data_files import Data, Fault, Place

_TABLES = [("servers", key) for key in ("by_name", "by_id", "by_tag")]
"""Asked for by the engine, whether they have rows or not."""


class Names:
    """What is there under `data`: values of the data files, packages and rules."""

    def __init__(self, data: Data, modules: Iterable[dict[str, Any]]) -> None:
        self._rules = {place for module in modules for place in _rules(module)}
        ends = [*data.values, *_TABLES, *self._rules]
        self._there = {place[:length] for place in ends for length in range(1, len(place) + 1)}

    def absent(self, file: Path, module: dict[str, Any]) -> Iterator[Fault]:
        """Find what a file asks for and is not there, up to the first variable of each reference."""
        imports = [one for one in module.get("imports", []) if _is_data(one["path"])]
        imported = {one.get("alias", one["path"]["value"][-1]["value"]): _steps(one["path"]) for one in imports}
        for ref in _refs([module.get("rules", []), [one["path"] for one in imports]]):
            missing = self._missing(_path(ref, imported))
            if missing:
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


def _refs(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if node.get("type") == "ref":
            yield node
        node = list(node.values())
    if isinstance(node, list):
        for part in node:
            yield from _refs(part)


def _is_data(ref: dict[str, Any]) -> bool:
    return bool(ref["value"][0]["type"] == "var" and ref["value"][0]["value"] == "data")


def _path(ref: dict[str, Any], imported: dict[str, Place]) -> Place:
    """Give the place under `data` that a reference names; none when it names another document."""
    if _is_data(ref):
        return _steps(ref)
    head = ref["value"][0]
    return (*imported[head["value"]], *_steps(ref)) if head["type"] == "var" and head["value"] in imported else ()


def _steps(ref: dict[str, Any]) -> Place:
    """Give what follows the head of a reference, up to its first variable."""
    steps = takewhile(lambda step: step["type"] in {"string", "number"}, ref["value"][1:])
    return tuple(step["value"] for step in steps)
