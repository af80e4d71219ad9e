"""The folders that are checked, and the `opa` that compiles, formats, evaluates and tests them."""

import json
import os
import re
import subprocess
from concurrent.futures import Future, ThreadPoolExecutor
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from handler.bundle import Bundle, Folder, helper, packed_engine
from handler.check.syntax import READ, remove_prints

HERE = Path(__file__).resolve().parent
CAPABILITIES = HERE / "capabilities.json"
"""The builtins that policies and tests may use: pure functions of their arguments, and cheap."""

SCHEMAS = HERE.parent / "schema"

PARSE_ERROR = "rego_parse_error"
"""OPA's code of what is no Rego."""

_GOGC = "400"
"""How seldom OPA's commands collect garbage: they end soon, and a third of their time goes there otherwise."""

_ANNOTATION = "# METADATA\n# scope: subpackages\n# schemas:\n#   - input: schema.finding\npackage {}\n"
_METADATA = re.compile(rb"^([ \t]*#[ \t]*)METADATA\b", re.MULTILINE)

REGISTER = """package _portcullis

statement contains ["allowance", value] if some value in data.gate.allowance

statement contains ["prohibition", value] if some value in data.forbid.prohibition
"""
"""What lists every statement, rules and rows alike, when partial evaluation asks for it."""


class Workspace:
    """A team's folder of policies and, if there is one, that of their tests, joined with the engine.

    `opa` is the path of the executable. Several of its commands run side by side.
    """

    def __init__(self, policies: Folder, tests: Folder | None, opa: str) -> None:
        self.policies = policies
        self.tests = tests
        self._opa = opa
        self.pool = ThreadPoolExecutor(os.cpu_count() or 2)

    @cached_property
    def _engine_bundle(self) -> Bundle:
        return packed_engine(("register.rego", REGISTER.encode()))

    @cached_property
    def _policy_bundle(self) -> Bundle:
        return self.policies.pack()

    @cached_property
    def _typed_bundle(self) -> Bundle:
        """The policies without annotations of their own, which could hide the input, and with one for each package."""
        typed = copy(self.policies)
        typed.files = {name: _METADATA.sub(rb"\1metadata", content) for name, content in typed.files.items()}
        packages = sorted(set(self.policies.packages) - {""})
        return typed.pack({f"{name}.schema.rego": _ANNOTATION.format(name).encode() for name in packages})

    @cached_property
    def _other_bundle(self) -> Bundle:
        """The policies without the files of statements, for a query that brings its own."""
        others = copy(self.policies)
        statements = {name for root in READ for name in self.policies.packages.get(root, [])}
        others.files = {name: content for name, content in others.files.items() if name not in statements}
        return others.pack()

    @cached_property
    def _test_bundle(self) -> Bundle:
        files = {file.as_posix(): file.read_bytes() for file in sorted(helper().glob("*.rego"))}
        if self.tests is None:
            return Bundle(files, ["policy_tests"])
        return self.tests.pack(files, ["policy_tests"])

    def opa(
        self, *arguments: str | Path, stdin: str | None = None, tests: bool = False, statements: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of `opa` on the engine, the policies and, if `tests`, the tests; it may end with any status.

        Without `statements` the files of allowances and prohibitions are left out, and OPA compiles a few lines only.
        """
        policies = self._typed_bundle if arguments[0] == "check" else self._policy_bundle
        policies = policies if statements else self._other_bundle
        bundles = [self._engine_bundle, policies, *([self._test_bundle] if tests else [])]
        paths = [argument for bundle in bundles for argument in ("--bundle", bundle.path)]
        if arguments[0] in {"check", "test"}:
            paths = ["--bundle", *(bundle.path for bundle in bundles)]
        descriptors = [descriptor for bundle in bundles for descriptor in bundle.descriptors]
        command, *rest = arguments
        return self._run([command, "--capabilities", CAPABILITIES, *paths, *rest], stdin, descriptors)

    def compiled(self) -> subprocess.CompletedProcess[str]:
        """Run `opa check` on all: strictly, and against the schema of a finding."""
        return self.opa("check", "--strict", "--schema", SCHEMAS, "--format", "json", "--max-errors=0", tests=True)

    def partial(self, query: str, value: dict[str, Any], unknowns: list[str]) -> dict[str, Any]:
        """Return the answer of `opa eval --partial` with this input and these unknowns; empty where it has none."""
        done = self.opa(
            "eval", "--partial", "--format", "json", *unknowns, "--stdin-input", query, stdin=json.dumps(value)
        )
        answer: dict[str, Any] = msgspec.json.decode(done.stdout or "{}")
        if '"print"' in done.stdout:
            remove_prints(answer)
        return answer

    @cached_property
    def _evaluation(self) -> Future[subprocess.CompletedProcess[str]]:
        roots = sorted({"policy_tests", *(self.tests.packages if self.tests else [])} - {""})
        query = "{" + ", ".join(f'"{root}": data.{root}' for root in roots) + "}"
        return self.pool.submit(self.opa, "eval", "--show-builtin-errors", "--format", "json", query, tests=True)

    def start_evaluation(self) -> None:
        """Begin to evaluate the tests while other things are read."""
        self._evaluation.done()

    def evaluated(self) -> subprocess.CompletedProcess[str]:
        """Evaluate all tests at once, with what builtins raise; once, however often it is asked for."""
        return self._evaluation.result()

    def formatted(self) -> subprocess.CompletedProcess[str]:
        """Run `opa fmt` on every file of Rego, which lists those that it would change."""
        return self._run(["fmt", "--list", "--fail", *self.rego()], None, [])

    def rego(self) -> list[Path]:
        """Return the path of every file of Rego, of policies and tests."""
        return [*_rego(self.policies), *self.test_files()]

    def test_files(self) -> list[Path]:
        """Return the path of every file of Rego of the tests."""
        return _rego(self.tests) if self.tests else []

    def parsed(self) -> dict[Path, dict[str, Any]]:
        """Return the syntax tree of every file of Rego that OPA can parse (`opa parse --format json`)."""
        parse = ["parse", "--format", "json", "--json-include", "locations"]
        outputs = self.pool.map(lambda file: self._run([*parse, file], None, []).stdout, self.rego())
        trees = {file: msgspec.json.decode(output or "null") for file, output in zip(self.rego(), outputs, strict=True)}
        return {file: tree for file, tree in trees.items() if tree and "package" in tree}

    def unparsed(self) -> list[dict[str, Any]]:
        """Return OPA's errors of every file that it cannot parse; of a bundle it reports any one file alone."""
        command: list[str | Path] = ["check", "--capabilities", CAPABILITIES, "--format", "json"]
        outputs = self.pool.map(lambda file: self._run([*command, file], None, []).stderr, self.rego())
        errors = [error for output in outputs if output.startswith("{") for error in json.loads(output)["errors"]]
        return [error for error in errors if error.get("code") == PARSE_ERROR]

    @cached_property
    def builtins(self) -> set[str]:
        """The names of OPA's own functions, permitted or not."""
        return {
            builtin["name"]
            for builtin in json.loads(self._run(["capabilities", "--current"], None, []).stdout)["builtins"]
        }

    def _run(
        self, arguments: list[str | Path], stdin: str | None, descriptors: list[int]
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self._opa, *map(str, arguments)],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            pass_fds=descriptors,
            env={"GOGC": _GOGC, **os.environ},
            check=False,
        )


def _rego(folder: Folder) -> list[Path]:
    return [folder.path / name for name in folder.files if name.endswith(".rego")]


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    """Return what a command complained of."""
    return (done.stderr or done.stdout).strip()


def shown(file: Path) -> str:
    """Return a path as a person in this folder would write it."""
    path, current = file.absolute(), Path.cwd()
    return os.path.normpath(path.relative_to(current) if path.is_relative_to(current) else path)
