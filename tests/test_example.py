"""The example is a folder like any other: each file of it can go, and the engine needs none."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from handler.settings import ROOT

RULES = sorted(
    str(path.relative_to(ROOT / "policies"))
    for folder in ("allow", "forbid")
    for path in (ROOT / "policies" / folder).glob("*.rego")
)
NEEDED_BY = {
    "servers/data.yaml": ("servers_test.rego",),
    "accounts/data.yaml": ("servers_test.rego", "allow/*_test.rego"),
    "networks/data.yaml": ("servers_test.rego", "allow/*_test.rego", "forbid/*_test.rego"),
}
"""The data files, and which tests are about what they hold."""


def opa_test(opa_path: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `opa test` in a folder."""
    command = [opa_path, "test", "--fail-on-empty", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a copy of the policies and their tests."""
    for name in ("policies", "policy_tests"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("removed", RULES)
def test_each_rule_file_can_be_removed_with_its_test(opa_path: str, folder: Path, removed: str) -> None:
    """No test of the others asks for it, and neither does the engine.

    The tests of the engine are run with all of the example, with none, and without each data file.
    """
    (folder / "policies" / removed).unlink()
    (folder / "policy_tests" / removed.replace(".rego", "_test.rego")).unlink()
    for test in (folder / "policy_tests" / "gate").glob("*.rego"):
        test.unlink()
    ran = opa_test(opa_path, folder, "policies", "policy_tests")
    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize("removed", NEEDED_BY)
def test_each_data_file_can_be_removed_with_the_tests_that_need_it(opa_path: str, folder: Path, removed: str) -> None:
    """What asks for absent data does not hold, and nothing fails over it."""
    (folder / "policies" / removed).unlink()
    for pattern in NEEDED_BY[removed]:
        tests = list((folder / "policy_tests").glob(pattern))
        assert tests
        for test in tests:
            test.unlink()
    ran = opa_test(opa_path, folder, "policies", "policy_tests")
    assert ran.returncode == 0, ran.stdout


def test_nothing_else_is_in_the_example() -> None:
    """What is removed in turn is all that there is beside the engine."""
    files = {path.relative_to(ROOT / "policies") for path in (ROOT / "policies").rglob("*") if path.is_file()}
    example = {str(path) for path in files if path.parts[0] != "gate" and not path.name.startswith(".")}
    assert example == {*RULES, *NEEDED_BY}


def test_the_engine_is_tested_without_the_example(opa_path: str) -> None:
    """Its tests use no data and no rule of a team's, and reach every line."""
    coverage = ("--coverage", "--coverage-runs=", "--format", "json")
    ran = opa_test(opa_path, ROOT, "policies/gate", "policy_tests/gate", *coverage)
    assert ran.returncode == 0, ran.stdout
    files = json.loads(ran.stdout)["files"]
    assert {name: lines["not_covered"] for name, lines in files.items() if lines.get("not_covered")} == {}


def test_plain_opa_test_passes_here(opa_path: str) -> None:
    """Engine, example and both their tests stand where Rego people expect them."""
    ran = opa_test(opa_path, ROOT, "policies", "policy_tests")
    assert ran.returncode == 0, ran.stdout
