"""Finds what nobody reads: a statement under another name than the one that the gate asks for never holds, in silence.

Shape: what `opa parse --format json --json-include locations` prints of a file, OPA's abstract syntax tree.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from handler.check.fault import Fault
from handler.check.syntax import READ, nodes, package
from handler.check.uses import rules_used


def unread(modules: Mapping[Path, dict[str, Any]]) -> Iterator[Fault]:
    """Find the rules of `allow` and `forbid` that nobody asks for, and packages that are one of them but for a slip.

    A rule that another rule of the folder uses is a helper, whatever its name.
    """
    used = {
        name for module in modules.values() for rule in module.get("rules", []) for name in rules_used(module, rule)
    }
    for file, module in modules.items():
        name = package(module)
        kind = READ.get(name.partition(".")[0])
        if kind is None:
            continue
        if name not in READ and not any((name, rule["head"]["ref"][0]["value"]) in used for rule in module["rules"]):
            problem = f"nobody reads package {name}; it must be `package {name.partition('.')[0]}`"
            line = module["package"]["location"]["row"]
            yield Fault(rule="unread-rule", file=file, line=line, problem=problem)
            continue
        for rule in module.get("rules", []):
            head = rule["head"]["ref"][0]["value"]
            ref = ".".join(str(step["value"]) for step in rule["head"]["ref"] if step["type"] in {"var", "string"})
            if ref != kind and (head == kind or not (head.startswith("_") or (name, head) in used)):
                example = f"as in `{kind} contains {{...}} if {{...}}`, or used by a rule that is"
                problem = f"nobody reads `{ref}`; it must be called `{kind}`, {example}"
                yield Fault(rule="unread-rule", file=file, line=rule["location"]["row"], problem=problem)


def unused(modules: Mapping[Path, dict[str, Any]]) -> Iterator[Fault]:
    """Find members of a collection that are named and never compared: any at all is then enough."""
    for file, module in modules.items():
        for rule in module.get("rules", []) if package(module) in READ else []:
            yield from _unused(file, rule)


def _unused(file: Path, rule: dict[str, Any]) -> Iterator[Fault]:
    found = list(nodes(rule))
    variables = [node["value"] for node in found if node.get("type") == "var"]
    for symbol in [symbol for node in found for symbol in node.get("symbols", []) if symbol["type"] == "call"]:
        *targets, _ = symbol["value"][1:]
        named = [node for node in nodes(targets) if node.get("type") == "var"]
        if named and all(variables.count(node["value"]) == 1 for node in named) and named[-1]["value"][0] != "$":
            problem = f"`some {named[-1]['value']} in ...` asks nothing of the finding, so it holds for all"
            remedy = "compare it, as in `input.server.account in data.accounts.production`"
            line = named[0]["location"]["row"]
            yield Fault(rule="unused-member", file=file, line=line, problem=f"{problem}; {remedy}")
