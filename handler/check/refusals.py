"""Says what OPA refuses of a folder, or cannot judge, in sentences with a file and what to do."""

import json
import re
import subprocess
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from handler.bundle import ENGINE, Folder, engine, helper
from handler.check.fault import Fault
from handler.check.syntax import READ, package
from handler.check.workspace import CAPABILITIES, PARSE_ERROR, Workspace, complaint


def incomplete(modules: dict[Path, dict[str, Any]]) -> Iterator[Fault]:
    """Yield the rules that have the name which the gate asks for and are no set, as without `contains`."""
    for file, module in modules.items():
        kind = READ.get(package(module), "")
        for rule in module.get("rules", []):
            name, *below = rule["head"]["ref"]
            if name["value"] == kind and (below or "key" not in rule["head"]):
                problem = (
                    f"the gate reads {kind} as a set, which this is not; write `{kind} contains {{...}} if {{...}}`"
                )
                yield Fault(rule="unread-rule", file=file, line=rule["location"]["row"], problem=problem)


def uncompiled(done: subprocess.CompletedProcess[str], workspace: Workspace) -> Iterator[Fault]:
    """Yield what `opa check` refuses."""
    if not done.returncode:
        return
    try:
        errors = json.loads(done.stdout or done.stderr)["errors"]
    except (json.JSONDecodeError, KeyError):
        errors = [{"message": complaint(done)}]
    if any(error.get("code") == PARSE_ERROR for error in errors):
        errors = workspace.unparsed() or errors
    for error in errors:
        place = error.get("location") or {}
        file = Path(place["file"]) if place.get("file") else workspace.policies.path
        message = str(error.get("message", error))
        if unloaded := _UNLOADED.search(message):
            file, message = workspace.policies.path / unloaded[1], unloaded[2]
        if file.is_relative_to(engine()):  # what a folder defines does not fit to how the engine uses it
            file, place = workspace.policies.path, {}
        undefined = re.fullmatch(r"undefined function (\S+)", message)
        if misplaced := _MISPLACED.search(message):
            file, problem = Path(misplaced[2]), f"write `{misplaced[1]}` on one line, before everything but comments"
        elif undefined:
            problem = _undefined(undefined[1], workspace)
        else:
            problem = f"{_in_words(message)}{_alternatives(error.get('details') or {})}"
        yield Fault(rule="compile", file=file, line=place.get("row"), problem=problem)


_UNLOADED = re.compile(r"bundle load failed on (\S+): (.*)", re.DOTALL)
_MISPLACED = re.compile(r"do not permit '(package .+)' in module '(.+)'")
_UNPARSED = re.compile(r"(\S+):([0-9]+): rego_\w+: (.*)", re.DOTALL)


def unloadable(answer: dict[str, Any], workspace: Workspace) -> Iterator[Fault]:
    """Yield what keeps OPA from loading files that compile without their annotations."""
    for error in answer.get("errors", []):
        if error.get("code"):
            continue  # it is evaluation that ends
        place = _UNPARSED.search(error["message"])
        file, line = (Path(place[1]), int(place[2])) if place else (workspace.policies.path, None)
        problem = f"OPA refuses it: {place[3] if place else error['message']}"
        yield Fault(rule="compile", file=file, line=line, problem=problem)


def undecidable(policies: Folder, answers: dict[str, Any]) -> Iterator[Fault]:
    """Yield what OPA says where it cannot tell which statements apply to a server."""
    for server, answer in answers.items():
        for error in answer.get("errors", []):
            place = error.get("location") or {}
            file = Path(place["file"]) if place.get("file") else policies.path
            problem = f"no statement can be judged for {server}; let one rule hold, as with `else`: {error['message']}"
            yield Fault(rule="undecidable", file=file, line=place.get("row"), problem=problem)


def _in_words(message: str) -> str:
    """Return what OPA says, where the check can say it better in its own words."""
    if undefined := re.fullmatch(r"undefined ref: (input\S*)", message):
        return f"asks for {undefined[1]}, which no finding has"
    if message == "empty module":
        return "is empty; write a package and rules, or remove the file"
    return f"{message}; use or remove it" if message.endswith(" unused") else f"OPA refuses it: {message}"


def _undefined(name: str, workspace: Workspace) -> str:
    """Say why a function cannot be called: it is not permitted, or there is none of this name."""
    if name in workspace.builtins:
        return (
            f"{name} is not permitted: what it returns does not hang on its arguments alone, or it can take for ever; "
            "ask for what `input` and `data` hold (the time is `input.now`)"
        )
    near = "".join(f"; perhaps {known}" for known in get_close_matches(name, _FUNCTIONS, 1))
    return f"there is no function {name}{near}"


_PERMITTED = [builtin["name"] for builtin in json.loads(CAPABILITIES.read_text())["builtins"]]
_FUNCTION = re.compile(r"^([a-z]\w*)\(", re.MULTILINE)
_FUNCTIONS = [
    *_PERMITTED,
    *(f"data.{ENGINE}.{name}" for file in engine().glob("*.rego") for name in _FUNCTION.findall(file.read_text())),
    *(
        f"{prefix}{name}"
        for file in helper().glob("*.rego")
        for name in _FUNCTION.findall(file.read_text())
        for prefix in ("", "data.policy_tests.")
    ),
]
"""The functions that policies and tests may call: of OPA, of the engine, and of the helper for tests."""


def _alternatives(details: dict[str, Any]) -> str:
    """Say what stands where a reference goes astray, the nearest name first."""
    names = sorted(map(str, details.get("oneOf") or []))
    if not names:
        return ""
    unknown_name = details["ref"][details.get("pos", -1)]["value"]
    near = "".join(f"perhaps {name}; " for name in get_close_matches(str(unknown_name), names, 1))
    return f"; {near}there are {', '.join(names)}"
