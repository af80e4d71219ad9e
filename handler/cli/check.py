"""Checks policies before they decide: `python -m handler.cli.check policies policy_tests --opa PATH`.

It is what `make test` and the build of the image demand: the data files hold what the engine expects, OPA compiles the
policies strictly, against the contract and without the functions that reach out of a finding, they are formatted, and
their tests pass and reach every line.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from handler.bundle import Folder
from handler.cli import executable
from handler.cli.absent import Names
from handler.cli.data_files import Data, Fault, not_read
from handler.cli.data_shapes import ids_of_rows, misshapen, unkeyed
from handler.cli.refused import Refused
from handler.cli.schema import FOLDER
from handler.cli.tool import Tool, complaint, shown
from handler.cli.twice import joined, repeated
from handler.cli.unread import READ, package, unread, unused

_FORBIDDEN = {
    "http.send",
    "net.lookup_ip_addr",
    "opa.runtime",
    "rand.intn",
    "rego.parse_module",
    "time.now_ns",
    "trace",
    "uuid.rfc4122",
}

_TEAMS = tuple(READ)
"""The folders in which a team may allow something at night and write the test in the morning."""

_ENGINE = "gate"


class Check:
    """What is checked: a folder of policies, their tests if there are any, with which `opa`."""

    def __init__(self, policies: Path, tests: Path | None, opa: str, *, every_line: bool = False) -> None:
        self.policies = policies
        self._every_line = every_line
        self.tests = tests
        self._opa = Tool(opa)
        self._folders = [policies, tests] if tests else [policies]
        self._data = Data(policies)
        self.refused = Refused(policies, self._data, self._opa)

    def data(self) -> Iterator[Fault]:
        """Find what OPA reads otherwise than it is written, and what the engine cannot use."""
        for folder in self._folders:
            yield from not_read(folder, _TEAMS)
        yield from self._data.faults
        yield from misshapen(self._data)
        yield from unkeyed(self._data)
        yield from ids_of_rows(self._data)

    def compiles(self) -> Iterator[Fault]:
        """Find what OPA's compiler refuses, and packages whose input it cannot know.

        The words of OPA's second Rego, `or` among them, are unknown to what judges statements here.
        """
        capabilities = json.loads(self._opa.run("capabilities", "--current").stdout)
        capabilities["builtins"] = [found for found in capabilities["builtins"] if found["name"] not in _FORBIDDEN]
        capabilities["allow_net"] = []
        capabilities["future_keywords"] = []
        capabilities["features"] = [name for name in capabilities["features"] if not name.startswith("rego_v2")]
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
            json.dump(capabilities, file)
            file.flush()
            known = ("--schema", FOLDER, "--capabilities", file.name)
            done = self._opa.run("check", "--strict", *known, "--bundle", *self._folders)
        if done.returncode:
            yield Fault(problem=f"OPA refuses the policies; mend what it names:\n{complaint(done)}")
        else:
            yield from self._untyped()

    def _untyped(self) -> Iterator[Fault]:
        inspected = self._inspected(self.policies)
        typed = {
            (tuple(step["value"] for step in found["path"]), found["annotations"]["scope"])
            for found in inspected.get("annotations", [])
            if found["annotations"].get("schemas")
        }
        for name, files in inspected["namespaces"].items():
            package = tuple(name.split("."))
            above = {(package[:length], "subpackages") for length in range(1, len(package) + 1)}
            rego = [file for file in files if file.endswith(".rego")]
            if rego and not typed & {(package, "package"), *above}:
                missing = f"no file of package {name.removeprefix('data.')} tells OPA the schema of the input, so it"
                remedy = "passes over misspelt fields; put the METADATA with `schemas` (scope: subpackages) over one"
                yield Fault(file=Path(rego[0]), problem=f"{missing} {remedy}")

    def _inspected(self, folder: Path) -> dict[str, Any]:
        inspected: dict[str, Any] = json.loads(
            self._opa.run("inspect", "--annotations", "--format", "json", folder).stdout
        )
        return inspected

    @cached_property
    def _modules(self) -> dict[Path, dict[str, Any]]:
        """The syntax tree of every file of Rego."""
        return self._parsed(self.policies)

    def _parsed(self, folder: Path) -> dict[Path, dict[str, Any]]:
        inspected = self._inspected(folder).get("namespaces", {})
        files = {file for files in inspected.values() for file in files if file.endswith(".rego")}
        parse = ("parse", "--format", "json", "--json-include", "locations")
        return {Path(file): json.loads(self._opa.run(*parse, file).stdout) for file in sorted(files)}

    def read(self) -> Iterator[Fault]:
        """Find what a team wrote and the gate does not ask for, and what is read otherwise than it is written."""
        for file, module in self._modules.items():
            if package(module).startswith(_TEAMS):
                yield from unread(file, module)
                yield from unused(file, module)
        yield from joined(self._modules)
        for file, module in {**self._modules, **(self._parsed(self.tests) if self.tests else {})}.items():
            yield from repeated(file, module)

    def statements(self) -> Iterator[Fault]:
        """Find allowances and prohibitions that the gate never sees, and those that it would refuse."""
        names = Names(self._data, self._modules.values())
        for file, module in self._modules.items():
            if package(module).partition(".")[0] != _ENGINE:
                yield from names.absent(file, module)
        yield from self.refused.statements(self._modules)

    def formatted(self) -> Iterator[Fault]:
        """Find files that `opa fmt` would change."""
        done = self._opa.run("fmt", "--list", "--fail", *self._folders)
        for name in done.stdout.splitlines():
            yield Fault(file=Path(name), problem=f"is not formatted; run `{self._opa.name} fmt --write {name}`")
        if done.returncode and not done.stdout:
            yield Fault(problem=complaint(done))

    def tested(self) -> Iterator[Fault]:
        """Find tests that fail, what raises in them, and lines that no test reaches."""
        if self.tests is None:
            return
        arguments = (
            "test",
            "--format",
            "json",
            "--fail-on-empty",
            "--bundle",
            ".",
            os.path.relpath(self.tests, self.policies),
        )
        done = self._opa.run(*arguments, folder=self.policies)
        failures = [found for found in _listed(done.stdout) if found.get("fail") or found.get("skip")]
        for found in failures:
            command = (
                f"{self._opa.name} test --bundle {self.policies} {self.tests} --explain full --run {found['name']}"
            )
            yield self._at(found["location"], f"{found['name']} does not pass; see why with `{command}`")
        if done.returncode and not failures:
            yield Fault(file=self.tests, problem=f"the tests do not pass; mend what OPA names:\n{complaint(done)}")
        elif not failures:
            yield from self._raised()
            yield from self._unreached(json.loads(self._opa.run(*arguments, "--coverage", folder=self.policies).stdout))

    def _raised(self) -> Iterator[Fault]:
        """Find builtins that raise in tests: `opa test` takes that for undefined, the function asks OPA strictly."""
        bundles = ("--bundle", ".", "--bundle", os.path.relpath(self.tests or "", self.policies))
        arguments = ("eval", "--show-builtin-errors", "--format", "json", *bundles, "data.policy_tests")
        done = self._opa.run(*arguments, folder=self.policies)
        meant = "OPA raises this, and such a finding is undecidable; ask first whether the value fits"
        found = [
            self._at(error["location"], f"{error['message']}; {meant}, as with net.cidr_is_valid")
            for error in json.loads(done.stdout).get("errors", [])
        ]
        yield from dict.fromkeys(found)

    def _unreached(self, coverage: dict[str, Any]) -> Iterator[Fault]:
        for file, lines in coverage["files"].items():
            for found in lines.get("not_covered", []):
                location = {"file": file, "row": found["start"]["row"]}
                grave = self._every_line or Path(file).parts[0] not in _TEAMS
                yield self._at(location, "no test reaches this line; add one, or remove the line", grave=grave)

    def _at(self, location: dict[str, Any], problem: str, *, grave: bool = True) -> Fault:
        return Fault(file=self.policies / location["file"], line=location["row"], problem=problem, grave=grave)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run every check; print a line for each that passes and, on standard error, one for each fault. Give 0 or 1."""
    parser = argparse.ArgumentParser(prog="python -m handler.cli.check", description="Check policies and their tests.")
    parser.add_argument("policies", type=Path, help="the folder of the policies")
    parser.add_argument("tests", type=Path, nargs="?", help="the folder of their tests")
    parser.add_argument("--opa", default=executable(), help="the opa to run (%(default)s)")
    parser.add_argument(
        "--every-line", action="store_true", help="refuse, and not only warn of, a line of the team's that has no test"
    )
    given = parser.parse_args(arguments)
    for folder in (given.policies, given.tests or given.policies):
        if not Folder(folder).path.is_dir():
            parser.exit(1, f"{folder} is no folder\n")
    opa = shutil.which(given.opa)
    if opa is None:
        parser.exit(1, f"{given.opa} is no executable; name the `opa` to run with --opa (`make opa-path` prints one)\n")
    check = Check(given.policies, given.tests, str(Path(opa).absolute()), every_line=given.every_line)
    passed = _passes("data files hold what the engine expects", check.data())
    if not _passes("OPA compiles the policies: strictly, against the contract", check.compiles()):
        return 1
    passed &= _passes("Rego is formatted", check.formatted())
    passed &= _passes("the gate asks for every rule of the teams", check.read())
    passed &= _passes("the gate can read every row of the table", check.refused.rows())
    passed &= _passes("the gate can read every allowance and prohibition", check.statements())
    if given.tests and not passed:
        print("the tests are run as soon as this is mended")
    elif given.tests:
        reached = "every line" if given.every_line else "every line of the engine"
        passed &= _passes(f"tests pass and reach {reached}", check.tested())
    return 0 if passed else 1


def _passes(sentence: str, faults: Iterable[Fault]) -> bool:
    found = list(faults)
    grave = any(fault.grave for fault in found)
    for fault in found:
        place = ":".join(str(part) for part in (fault.file and shown(fault.file), fault.line) if part)
        said = fault.problem if fault.grave else f"warning: {fault.problem}"
        print(f"{place}: {said}" if place else said, file=sys.stderr)
    if not grave:
        print(f"ok: {sentence}", flush=True)
    return not grave


def _listed(text: str) -> list[dict[str, Any]]:
    """Give the tests that OPA lists; none when it failed before it ran any."""
    try:
        return list(json.loads(text))
    except json.JSONDecodeError:
        return []


if __name__ == "__main__":
    sys.exit(main())
