"""What `opa test` prints of a policy test that fails: what the helper assumed, and what the gate said."""

import shutil
import subprocess
from pathlib import Path

import pytest

from handler.settings import ROOT

FAILING = """package policy_tests.x

import data.policy_tests.verdict

test_x if verdict(%s, "tcp 22-23", ["0.0.0.0/0"]) == set()
"""
DEFAULTS = """package policy_tests.defaults

account := "222233334444"

server := {"name": "www"}
"""
ANSWER = ["the gate says:", "  deny tcp 22-23 from 0.0.0.0/0: uncovered"]


@pytest.mark.parametrize(
    ("server", "defaults", "printed"),
    [
        pytest.param(
            "{}",
            'package policy_tests.defaults\n\naccount := "111122223333"\n',
            "assumed: account 111122223333, id i-0aaa, region eu-west-1 (policy_tests/defaults.rego)",
            id="account",
        ),
        pytest.param(
            '{"id": "i-0bbb"}',
            DEFAULTS,
            "assumed: account 222233334444, name www, region eu-west-1 (policy_tests/defaults.rego)",
            id="more of the server",
        ),
        pytest.param(
            "{}",
            "",
            "assumed: id i-0aaa, region eu-west-1; no account, since policy_tests/defaults.rego names none",
            id="no defaults",
        ),
        pytest.param(
            '{"account": "222233334444", "id": "i-0bbb"}',
            DEFAULTS,
            "assumed: name www, region eu-west-1 (policy_tests/defaults.rego)",
            id="account of the test's own",
        ),
        pytest.param(
            '{"id": "i-0bbb", "region": "eu-west-1"}',
            "",
            "assumed: no account, since policy_tests/defaults.rego names none",
            id="nothing but no account",
        ),
        pytest.param(
            '{"account": "222233334444", "id": "i-0bbb", "region": "eu-west-1"}', "", None, id="nothing assumed"
        ),
    ],
)
def test_a_failing_test_says_what_was_assumed_and_what_the_gate_says(
    opa_path: str, tmp_path: Path, server: str, defaults: str, printed: str | None
) -> None:
    """The lines compare with those in the test, and nothing is assumed in silence."""
    shutil.copytree(ROOT / "policies" / "gate", tmp_path / "policies" / "gate")
    shutil.copytree(ROOT / "policy_tests" / "gate" / "helper", tmp_path / "policy_tests" / "gate" / "helper")
    (tmp_path / "policy_tests" / "x_test.rego").write_text(FAILING % server)
    if defaults:
        (tmp_path / "policy_tests" / "defaults.rego").write_text(defaults)
    command = [opa_path, "test", "policies", "policy_tests"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    lines = [line.removeprefix("  ") for line in ran.stdout.splitlines() if line.startswith("  ")]
    assert lines == [line for line in (printed, *ANSWER) if line]
    assert "data.policy_tests.x.test_x: FAIL" in ran.stdout
