"""Finds what is written twice and becomes one to OPA, in silence.

Shape: what `opa parse --format json --json-include locations` prints of a file, OPA's abstract syntax tree.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from handler.check.fault import Fault
from handler.check.syntax import READ, SCALARS, nodes, package
from handler.check.workspace import shown


def repeated(file: Path, module: dict[str, Any]) -> Iterator[Fault]:
    """Find keys that an object has twice, of which the last one counts."""
    for node in nodes(module):
        if node.get("type") == "object":
            yield from _repeated(file, [key for key, _ in node["value"] if key["type"] in SCALARS])


def joined(modules: Mapping[Path, dict[str, Any]]) -> Iterator[Fault]:
    """Find helpers that two files of a team define: what one of them means would hold for the other too."""
    first: dict[tuple[str, str], tuple[Path, int]] = {}
    for file, module in modules.items():
        team = package(module)
        lines: dict[str, int] = {}
        for rule in module.get("rules", []) if team in READ else []:
            lines.setdefault(rule["head"]["ref"][0]["value"], rule["location"]["row"])
        for name, line in lines.items():
            earlier, row = first.setdefault((team, name), (file, line))
            if earlier != file and name != READ[team]:
                taken = f"`{name}` of {shown(earlier)}:{row} has this name too, and OPA makes one rule of both"
                problem = f"{taken}; give each a name of its own, or define it in one file and use it in the other"
                yield Fault(rule="shared-helper", file=file, line=line, problem=problem)


def _repeated(file: Path, keys: list[dict[str, Any]]) -> Iterator[Fault]:
    first: dict[tuple[str, Any], int] = {}
    for key in keys:
        name, line = (key["type"], key["value"]), key["location"]["row"]
        if name in first:
            problem = f"the key {name[1]} is repeated (it is on line {first[name]} too) and only the last one counts"
            yield Fault(rule="repeated-key", file=file, line=line, problem=f"{problem}; join or rename them")
        first.setdefault(name, line)
