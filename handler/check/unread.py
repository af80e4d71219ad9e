"""Finds what nobody reads: a statement under another name than the one that the gate asks for never holds, in silence.

Shape: what `opa parse --format json --json-include locations` prints of a file, OPA's abstract syntax tree.
"""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from handler.check.fault import Fault
from handler.check.syntax import READ, nodes, package
from handler.check.uses import Name, rules_used


def unread(folder: Path, modules: Mapping[Path, dict[str, Any]], used: set[Name]) -> Iterator[Fault]:
    """Find rules and packages of a folder of policies that nobody asks for.

    A rule that another rule of the folder uses is a helper, whatever its name: `used` are those (see `used_by`).
    """
    for file, module in modules.items():
        name = package(module)
        root = name.partition(".")[0]
        kind = READ.get(root)
        place = file.relative_to(folder).parts[0]
        line = module["package"]["location"]["row"]
        if place in READ and root != place:
            problem = f"package {name} stands in {place}/, where every package begins with {place}"
            remedy = f"make it `package {place}`, or move the file"
            yield Fault(rule="unread-rule", file=file, line=line, problem=f"{problem}; {remedy}")
            continue
        if kind is None:
            yield from _unread_elsewhere(file, module, used)
            continue
        if name not in READ and not _any_used(module, used):
            problem = f"nobody reads package {name}; it must be `package {root}`"
            yield Fault(rule="unread-rule", file=file, line=line, problem=problem)
            continue
        for rule in module.get("rules", []):
            head = rule["head"]["ref"][0]["value"]
            ref = ".".join(str(step["value"]) for step in rule["head"]["ref"] if step["type"] in {"var", "string"})
            if ref != kind and (head == kind or not (head.startswith("_") or (name, head) in used)):
                example = f"as in `{kind} contains {{...}} if {{...}}`, or used by a rule that is"
                problem = f"nobody reads `{ref}`; it must be called `{kind}`, {example}"
                yield Fault(rule="unread-rule", file=file, line=rule["location"]["row"], problem=problem)


def _unread_elsewhere(file: Path, module: dict[str, Any], used: set[Name]) -> Iterator[Fault]:
    """Find statements in a package that the gate does not ask for, and packages that are one of its but for a slip."""
    name = package(module)
    near = get_close_matches(name.partition(".")[0].lower(), READ, 1)
    if near and not _any_used(module, used):
        line = module["package"]["location"]["row"]
        problem = f"nobody reads package {name}; make it `package {near[0]}`, or use its rules"
        yield Fault(rule="unread-rule", file=file, line=line, problem=problem)
        return
    for rule in module.get("rules", []):
        head = rule["head"]["ref"][0]["value"]
        for root, kind in READ.items():
            if head == kind and (name, head) not in used:
                problem = f"nobody reads `{head}` of package {name}; write it in `package {root}`"
                yield Fault(rule="unread-rule", file=file, line=rule["location"]["row"], problem=problem)


def unread_in_tests(files: Iterable[Path], modules: Mapping[Path, dict[str, Any]], used: set[Name]) -> Iterator[Fault]:
    """Find rules of files of tests that are no test and that no rule uses: most are tests with a slip in the name."""
    for file in files:
        module = modules.get(file, {})
        if not file.name.endswith("_test.rego") or not module or package(module) == "policy_tests.defaults":
            continue
        for rule in module.get("rules", []):
            name = rule["head"]["ref"][0]["value"]
            if not (name.startswith(("test_", "todo_test_", "_")) or (package(module), name) in used):
                problem = f"{name} is no test, and no rule uses it; let its name begin with test_, or remove it"
                yield Fault(rule="unread-rule", file=file, line=rule["location"]["row"], problem=problem)


def used_by(modules: Iterable[dict[str, Any]]) -> set[Name]:
    """Return the rules that those of some files use."""
    return {name for module in modules for rule in module.get("rules", []) for name in rules_used(module, rule)}


def _any_used(module: dict[str, Any], used: set[Name]) -> bool:
    return any((package(module), rule["head"]["ref"][0]["value"]) in used for rule in module.get("rules", []))


def unused(modules: Mapping[Path, dict[str, Any]]) -> Iterator[Fault]:
    """Find members of a collection that are named and never compared: any at all is then enough."""
    for file, module in modules.items():
        for rule in module.get("rules", []) if package(module) in READ else []:
            yield from _unused(file, rule)


def _unused(file: Path, rule: dict[str, Any]) -> Iterator[Fault]:
    terms = list(nodes(rule))
    variables = [node["value"] for node in terms if node.get("type") == "var"]
    for symbol in [symbol for node in terms for symbol in node.get("symbols", []) if symbol["type"] == "call"]:
        *targets, _ = symbol["value"][1:]
        named = [node for node in nodes(targets) if node.get("type") == "var"]
        if named and all(variables.count(node["value"]) == 1 for node in named) and named[-1]["value"][0] != "$":
            problem = f"`some {named[-1]['value']} in ...` asks nothing of the finding, so it holds for all"
            remedy = "compare it, as in `input.server.account in data.accounts.production`"
            line = named[0]["location"]["row"]
            yield Fault(rule="unused-member", file=file, line=line, problem=f"{problem}; {remedy}")
