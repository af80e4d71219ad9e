"""What `make bench` measures is what it says that it measures."""

from pathlib import Path
from random import Random

import pytest

from bench import generate
from bench.__main__ import finding
from bench.generate import Form
from handler.decision import Decision
from handler.opa import Opa
from handler.process import Process


@pytest.mark.parametrize("form", ["rules", "rows"])
@pytest.mark.parametrize("share", [0, 1])
def test_bench_denies_what_it_says(tmp_path: Path, opa_path: str, form: Form, share: int) -> None:
    """Of the generated findings the given share is denied, but for a few that fall on another port of their service."""
    random = Random(generate.SEED)  # noqa: S311  the same numbers in every run
    allowances = generate.allowances(100, random)
    generate.write(tmp_path / "policies", allowances, form)
    findings = [finding(event) for event in generate.events(300, allowances, share, random)]
    with Opa(Process(str(tmp_path / "policies"), opa_path)) as gate:
        gate.ready()
        decisions = gate.decide(findings)
    denied = sum(isinstance(decision, Decision) and decision.action == "deny" for decision in decisions)
    assert abs(denied - 300 * share) <= 3
