"""Finds what nobody reads: a statement under another name than the one that the gate asks for never holds, in silence.

Shape: what `opa parse --format json --json-include locations` prints of a file, OPA's abstract syntax tree.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from handler.cli.data_files import Fault
from handler.cli.tree import nodes

READ = {"allow": "allowance", "forbid": "prohibition"}
"""What the gate asks for, by package."""


def unread(file: Path, module: dict[str, Any]) -> Iterator[Fault]:
    """Find the rules of a file of `allow` or `forbid` that nobody asks for; its package, if it is another by a slip."""
    name = package(module)
    team = next(team for team in READ if name.startswith(team))
    if name != team:
        problem = f"nobody reads package {name}; it must be `package {team}`"
        yield Fault(file=file, line=module["package"]["location"]["row"], problem=problem)
        return
    wanted = READ[team]
    for rule in module.get("rules", []):
        ref = ".".join(str(step["value"]) for step in rule["head"]["ref"])
        if ref != wanted and not ref.startswith("_"):
            example = f"as in `{wanted} contains {{...}} if {{...}}`; what only helps begins with `_`"
            problem = f"nobody reads `{ref}`; it must be called `{wanted}`, {example}"
            yield Fault(file=file, line=rule["location"]["row"], problem=problem)


def unused(file: Path, module: dict[str, Any]) -> Iterator[Fault]:
    """Find members of a collection that are named and never compared: any at all is then enough."""
    for rule in module.get("rules", []):
        names = [node["value"] for node in nodes(rule) if node.get("type") == "var"]
        for symbol in [one for node in nodes(rule) for one in node.get("symbols", []) if one["type"] == "call"]:
            *targets, _ = symbol["value"][1:]
            named = [node for node in nodes(targets) if node.get("type") == "var"]
            if named and all(names.count(node["value"]) == 1 for node in named) and named[-1]["value"][0] != "$":
                problem = f"`some {named[-1]['value']} in ...` asks nothing of the finding, so it holds for all"
                remedy = "compare it, as in `input.server.account in data.accounts.production`"
                yield Fault(file=file, line=named[0]["location"]["row"], problem=f"{problem}; {remedy}")


def package(module: dict[str, Any]) -> str:
    """Give the package of a file, without `data`."""
    return ".".join(step["value"] for step in module["package"]["path"][1:])


def ids(module: dict[str, Any]) -> Iterator[tuple[str, str, int]]:
    """Give kind, id and line of each allowance and prohibition that is written out in a file."""
    kind = READ.get(package(module), "")
    for rule in module.get("rules", []):
        head = rule["head"]
        if head["ref"][0]["value"] == kind and head.get("key", {}).get("type") == "object":
            for key, value in head["key"]["value"]:
                if key["value"] == "id" and value["type"] == "string":
                    yield kind, value["value"], value["location"]["row"]
