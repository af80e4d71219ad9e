"""The README is tested: what it shows is what comes out, and what it tells to write works."""

import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from handler.cli.check import main as check
from handler.reporters import REPORTERS
from handler.settings import ROOT, Settings

README = (ROOT / "README.md").read_text()


def block(language: str, start: str) -> str:
    """Give the README's code block of a language that starts so."""
    found = re.findall(rf"^```{language}\n({re.escape(start)}.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)
    assert len(found) == 1
    text: str = found[0]
    return text


@pytest.fixture(scope="module")
def demo(opa_path: str) -> list[str]:
    """Give what `make demo` prints: the table, then each mail with what follows it."""
    if datetime.now(UTC).date() > date(2027, 1, 31):
        pytest.skip("the shipped allowances have expired, and the README shows them in force: renew both")
    command = [sys.executable, "-m", "handler.cli.demo"]
    environment = {**os.environ, "OPA_PATH": opa_path}
    ran = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env=environment)
    return re.split(r"^─+ .* ─+$", ran.stdout, flags=re.MULTILINE)


def test_demo_table_is_what_comes_out(demo: list[str]) -> None:
    """The table under `make demo` is the one that it prints, but for times and the policies' revision."""
    shown = block("console", "$ make demo\n").removeprefix("$ make demo\n")
    assert _timeless(shown) == _timeless(demo[0])


def test_mail_is_what_comes_out(demo: list[str]) -> None:
    """The mail is one of those that the demo prints."""
    assert _timeless(block("text", "Subject: ")) in [_timeless(mail) for mail in demo[1:]]


def test_examples_pass_every_check(tmp_path: Path, opa_path: str) -> None:
    """The allowance, the prohibition and the test of the README pass all checks beside the shipped ones."""
    policies = Path(shutil.copytree(ROOT / "policies", tmp_path / "policies"))
    tests = Path(shutil.copytree(ROOT / "policy_tests", tmp_path / "policy_tests"))
    (policies / "allow" / "status.rego").write_text(block("rego", "package allow\n"))
    (policies / "forbid" / "ldap.rego").write_text(block("rego", "package forbid\n"))
    (tests / "allow" / "status_test.rego").write_text(block("rego", "package policy_tests.allow.status\n"))
    assert check([str(policies), str(tests), "--opa", opa_path]) == 0


@pytest.mark.parametrize("name", [reporter.NAME for reporter in REPORTERS])
def test_every_reporter_is_described(name: str) -> None:
    """A reporter has a row: what it understands, with which permission, and what it cannot see."""
    [row] = [line for line in README.splitlines() if line.startswith(f"| `{name}` |")]
    assert len(row.strip("|").split(" | ")) == 4


@pytest.mark.parametrize("name", Settings.__struct_fields__)
def test_every_setting_is_described(name: str) -> None:
    """A setting has a row with its name."""
    assert f"| `{name.upper()}` |" in README


def _timeless(text: str) -> str:
    text = re.sub(r"\d+ ms\.", "N ms.", text)
    text = re.sub(r"[Pp]olicy [0-9a-f]{7}", "policy REVISION", text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "TIME", text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())
