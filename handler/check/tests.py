"""Runs the tests of a team's folder, and says of one that fails what it expects and what the gate says.

`opa eval` evaluates all tests at once and, unlike `opa test`, collects what builtins raise, which makes a finding
undecidable in the function. Only tests that do not hold are run again with `opa test`, which has their output.
"""

import base64
import json
import re
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

from msgspec import Struct

from handler.check.fault import Fault
from handler.check.syntax import call, nodes, package, steps
from handler.check.workspace import Workspace, complaint

_MOST_EXPLAINED = 10
_FAILURE = re.compile(
    r"^data\.(\S+): FAIL[^\n]*\n\n  (\S[^\n]*):(\d+):\n(.*?)(?=^data\.|^-{20}|\Z)", re.MULTILINE | re.DOTALL
)
_CONFLICT = "a finding is undecidable where both hold; let one rule hold, as with `else`"
_BUNDLE = re.compile(r"^(/proc/self/fd/[0-9]+|.*\.tar\.gz)/")
"""The path of a bundle; see `handler.bundle.Bundle`."""

_RAISES = (
    "OPA raises this, and such a finding is undecidable; ask first whether the value fits, as with net.cidr_is_valid"
)


class Test(Struct, frozen=True):
    """A test: its package and name joined by dots, and where it is written."""

    name: str
    file: Path
    line: int


def listed(workspace: Workspace, modules: dict[Path, dict[str, Any]]) -> list[Test]:
    """Return the tests of the folder of tests, one that is written twice as often."""
    files = set(workspace.test_files())
    return [
        Test(f"{package(module)}.{rule['head']['ref'][0]['value']}", file, rule["location"]["row"])
        for file, module in modules.items()
        if file in files
        for rule in module.get("rules", [])
        if str(rule["head"]["ref"][0]["value"]).startswith(("test_", "todo_test_"))
    ]


def run(workspace: Workspace, tests: list[Test], modules: dict[Path, dict[str, Any]]) -> Iterator[Fault]:
    """Run the tests; yield those that do not pass."""
    documents, errors = _evaluated(workspace)
    first: dict[str, Test] = {}
    for test in tests:
        earlier = first.setdefault(test.name, test)
        if earlier is not test:
            name = test.name.rpartition(".")[2]
            problem = f"{name} is written twice (line {earlier.line}) and passes if either holds; give it another name"
            yield Fault(rule="test", file=test.file, line=test.line, id=name, problem=problem)
    failing = [test for test in first.values() if _value(documents, test.name) is not True or _is_put_off(test)]
    failures = list(_failures(workspace, failing, modules)) if failing else []
    yield from failures
    if failing and not failures and not errors:
        problem = f"the tests cannot be run; mend what OPA names:\n{complaint(workspace.evaluated())}"
        yield Fault(rule="test", file=workspace.tests.path if workspace.tests else None, problem=problem)


def _is_put_off(test: Test) -> bool:
    return test.name.rpartition(".")[2].startswith("todo_")


def raised(workspace: Workspace) -> Iterator[Fault]:
    """Find where something raises in tests, or when a server of which nothing is known is judged; once a line."""
    _, errors = _evaluated(workspace)
    messages: dict[tuple[str, int], str] = {}
    for error in sorted(errors, key=lambda error: str(error["message"])):
        place = error.get("location", {})
        message = error["message"]
        problem = f"{_CONFLICT}: {message}" if "conflict" in str(error.get("code")) else f"{message}; {_RAISES}"
        messages.setdefault((place.get("file", ""), place.get("row", 0)), problem)
    for (file, line), problem in messages.items():
        path = Path(file) if file else workspace.policies.path
        yield Fault(rule="test-raises", file=path, line=line or None, problem=problem)


def strangers(workspace: Workspace) -> dict[str, list[str]]:
    """Return the ids of the allowances that apply to a server of which nothing is known, and to which, in words."""
    documents, _ = _evaluated(workspace)
    names_by_id: dict[str, list[str]] = {}
    for name, stranger in _value(documents, "policy_tests.stranger.applying") or []:
        names_by_id.setdefault(str(name), []).append(stranger)
    return names_by_id


def uncovered(workspace: Workspace) -> Iterator[Fault]:
    """Find lines of the folder that no test reaches. OPA names their files by the path of the bundle and that in it."""
    done = workspace.opa("test", "--coverage", "--coverage-runs=", "--format", "json", tests=True)
    file_by_name = {file.as_posix().lstrip("/"): file for file in workspace.rego()}
    for name, lines in json.loads(done.stdout or "{}").get("files", {}).items():
        file = file_by_name.get(_BUNDLE.sub("", name).lstrip("/"))
        for missing in lines.get("not_covered", []) if file else []:
            problem = "no test reaches this line; add one, or remove the line"
            yield Fault(rule="uncovered", file=file, line=missing["start"]["row"], problem=problem)


def _evaluated(workspace: Workspace) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return what the packages of tests hold, and what raised."""
    answer = json.loads(workspace.evaluated().stdout or "{}")
    documents: dict[str, Any] = {}
    for expression in [value for result in answer.get("result", []) for value in result["expressions"]]:
        documents |= expression["value"]
    return documents, answer.get("errors", [])


def _value(documents: dict[str, Any], name: str) -> Any:
    value: Any = documents
    for step in name.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _failures(workspace: Workspace, failing: list[Test], modules: dict[Path, dict[str, Any]]) -> Iterator[Fault]:
    """Run tests again with `opa test` and yield why they do not pass."""
    names = [re.escape(f"data.{test.name}") for test in failing]
    done = workspace.opa("test", "--format", "json", "--run", f"^({'|'.join(names)})$", tests=True)
    try:
        results = [
            result
            for result in json.loads(done.stdout)
            if result.get("fail") or result.get("skip") or result.get("error")
        ]
    except json.JSONDecodeError:
        return
    explained = workspace.opa("test", "--var-values", "--run", f"^({'|'.join(names[:_MOST_EXPLAINED])})$", tests=True)
    places = {match[1]: (Path(match[2]), int(match[3]), match[4]) for match in _FAILURE.finditer(explained.stdout)}
    for result in results:
        name = f"{result['package'].removeprefix('data.')}.{result['name']}"
        file, line, expression = places.get(name, (Path(result["location"]["file"]), result["location"]["row"], ""))
        output = base64.b64decode(result.get("output") or "").decode(errors="replace")
        if result.get("error"):
            why = result["error"].get("message", "")
        elif result.get("skip"):
            why = "it is skipped: give it a name that begins with test_, or remove it"
        else:
            why = _why(modules.get(file, {}), line, expression or _source(file, line), output)
        yield Fault(
            rule="test",
            file=file,
            line=line,
            id=result["name"],
            problem=f"{result['name']} fails{why and ':'} {why}".rstrip(),
        )


def _why(module: dict[str, Any], line: int, expression: str, output: str) -> str:
    """Say what a failing expression expects and what the gate says, line by line, else show the expression."""
    printed, assumed = _printed(output)
    expected = _expected(module, line)
    if expected is None or printed is None:
        shown = "\n".join(f"    {text}".rstrip() for text in _unindented(expression))
        heard = "".join(f"\n    the gate says: {text}" for text in sorted(printed or []))
        return f"this does not hold\n{shown}{heard}{assumed}"
    rows = [f"    {_mark(text, expected, printed)} {text}" for text in sorted(expected | printed)]
    return "\n".join(["`-` is expected and not said, `+` is said and not expected", *rows]) + assumed


def _source(file: Path, line: int) -> str:
    """Return a test as it is written, from its line to the next blank one."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    return "\n".join(takewhile(str.strip, lines[line - 1 :]))


def _mark(text: str, expected: set[str], printed: set[str]) -> str:
    return " " if text in expected & printed else "-" if text in expected else "+"


def _printed(output: str) -> tuple[set[str] | None, str]:
    """Return the last that the gate said in what the helper printed, and the line with what it assumed."""
    sentences: set[str] | None = None
    assumed = ""
    for text in output.splitlines():
        if text.startswith("the gate says:"):
            sentences = set()
        elif text.startswith("  ") and sentences is not None:
            sentences.add(text.strip())
        elif text.startswith("assumed: "):
            assumed = f"\n    {text}"
    return sentences, assumed


def _expected(module: dict[str, Any], line: int) -> set[str] | None:
    """Return the set of lines with which the expression of a line compares, if it is written out."""
    for node in nodes(module):
        if node.get("location", {}).get("row") != line or "terms" not in node or node.get("negated"):
            continue
        match call(node):
            case (name, [left, right]) if name in {"equal", "eq"}:
                for side in (left, right):
                    if side["type"] == "set" and all(item["type"] == "string" for item in side["value"]):
                        return {item["value"] for item in side["value"]}
                    if side["type"] == "call" and steps(side["value"][0]["value"]) == ("set",):
                        return set()
    return None


def _unindented(text: str) -> list[str]:
    lines = [line.expandtabs(4).rstrip() for line in text.splitlines() if line.strip()]
    margin = min((len(line) - len(line.lstrip()) for line in lines), default=0)
    return [line[margin:] for line in lines]
