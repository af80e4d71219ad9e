"""Slips in Rego that OPA passes over in silence are refused, and what teams reasonably write is not."""

import shutil
from pathlib import Path

import pytest

from handler.cli.check import Check

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    """Give a copy of the shipped policies to break."""
    return Path(shutil.copytree(REPOSITORY / "policies", tmp_path / "policies"))


def read(check: Check) -> list[tuple[str, int | None, str]]:
    """Give file, line and problem of what the gate does not ask for as it is written."""
    return [(fault.file.name if fault.file else "", fault.line, fault.problem) for fault in check.read()]


DATABASES = """package forbid

prohibition contains {
	"id": "no-databases",
	"tcp": [1433],
	"tcp": [27017],
	"sources": ["anywhere"],
	"reason": "Databases are for machines of our own",
}
"""


def test_refuses_a_key_that_an_object_has_twice(policies: Path, tmp_path: Path, opa_path: str) -> None:
    """Of two lists of ports OPA takes the last, so that the first is not prohibited; a test is read alike."""
    problem = "the key tcp is repeated (it is on line 5 too) and only the last one counts; join or rename them"
    (policies / "forbid" / "databases.rego").write_text(DATABASES)
    tests = tmp_path / "policy_tests"
    tests.mkdir()
    (tests / "x_test.rego").write_text('package policy_tests.x\n\ntest_x if _is({1: "a", "1": "b", 1: "b"})\n')
    assert read(Check(policies, tests, opa_path)) == [
        ("databases.rego", 6, problem),
        ("x_test.rego", 3, problem.replace("tcp", "1", 1).replace("line 5", "line 3")),
    ]


KUBERNETES = """package allow

_is_kubernetes(_) if input.server.tags.Role == "kubernetes"

_is_kubernetes(name) if startswith(name, "k8s-")

default %(name)s := false

%(name)s if _is_kubernetes(input.server.name)
"""


def test_refuses_a_helper_that_two_files_of_a_team_define(policies: Path, opa_path: str) -> None:
    """OPA would make one rule of both, so that what one team's helper means widens what another allows."""
    (policies / "allow" / "kubernetes.rego").write_text(KUBERNETES % {"name": "_is_container_host"})
    taken = f"`_is_container_host` of {policies / 'allow' / 'containers.rego'}:74 has this name too"
    remedy = "give each a name of its own, or define it in one file and use it in the other"
    problem = f"{taken}, and OPA makes one rule of both; {remedy}"
    assert read(Check(policies, None, opa_path)) == [("kubernetes.rego", 7, problem)]


def test_passes_a_helper_with_several_definitions_in_one_file(policies: Path, opa_path: str) -> None:
    """That is how Rego says `or`; and what the two teams define is apart."""
    written = KUBERNETES % {"name": "_is_node"}
    (policies / "allow" / "kubernetes.rego").write_text(written)
    (policies / "forbid" / "kubernetes.rego").write_text(written.replace("allow", "forbid"))
    assert read(Check(policies, None, opa_path)) == []
