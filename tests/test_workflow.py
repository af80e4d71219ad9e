"""The project's own workflow may do little, and runs nothing that can change behind its back."""

import re
from typing import Any

import yaml

from handler.settings import ROOT

WORKFLOW = ROOT / ".github" / "workflows" / "ci.yaml"


def jobs() -> dict[str, Any]:
    """Return the jobs."""
    jobs: dict[str, Any] = yaml.safe_load(WORKFLOW.read_text())["jobs"]
    return jobs


def test_actions_are_pinned_by_commit() -> None:
    """Each has the version beside it that the commit is."""
    uses = re.findall(r"uses: (.*)", WORKFLOW.read_text())
    assert uses
    assert [line for line in uses if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)] == []


def test_permissions_are_to_read_but_for_the_release() -> None:
    """No credentials stay in the checkout; whoever writes comes after everything that is checked."""
    assert yaml.safe_load(WORKFLOW.read_text())["permissions"] == {"contents": "read"}
    assert {name: job["permissions"] for name, job in jobs().items() if "permissions" in job} == {
        "release": {"contents": "write"}
    }
    assert set(jobs()["release"]["needs"]) == set(jobs()) - {"release"}
    checkouts = [step for job in jobs().values() for step in job["steps"] if "checkout" in step.get("uses", "")]
    assert all(step["with"] == {"persist-credentials": False} for step in checkouts)


def test_commands_are_those_of_the_project() -> None:
    """What it runs is there: `.ci/run`, and targets of the Makefile."""
    commands = "\n".join(step["run"] for job in jobs().values() for step in job["steps"] if "run" in step)
    assert ".ci/run" in commands
    targets = re.findall(r"^make ([a-z-]+)", commands, re.MULTILINE)
    makefile = (ROOT / "Makefile").read_text()
    assert targets
    assert all(f"\n{target}:" in makefile for target in targets)
