"""What README and docs/ show is what comes out, and what they tell to write works."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from handler.bundle import engine, helper
from handler.cli import main
from tests.pages import DOCS, README, Block, blocks

NOW = "2026-11-24T06:12:00Z"
"""When the examples are checked: all of them are in force."""

GUIDE = blocks(DOCS / "policies.md", "rego", "yaml")
ACCEPTED = [example for example in GUIDE if not example.words]
REFUSED = [example for example in GUIDE if example.words]


def write(folder: Path, examples: list[Block]) -> None:
    """Write each example into the file that it names."""
    for example in examples:
        (folder / example.file).parent.mkdir(parents=True, exist_ok=True)
        (folder / example.file).write_text(example.text)


def check(folder: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Run `portcullis check` over a folder and return its faults; the exit status must fit them."""
    status = main(["check", str(folder), "--format", "json", "--now", NOW])
    faults: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["faults"]
    assert status == any(fault["level"] == "error" for fault in faults)
    return faults


def test_examples_of_the_guide_are_one_folder_that_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The examples of the guide together pass the check without a warning, outside the project."""
    assert len({example.file for example in ACCEPTED}) == len(ACCEPTED)
    write(tmp_path, ACCEPTED)
    assert check(tmp_path, capsys) == []


@pytest.mark.parametrize("example", REFUSED, ids=lambda example: example.words[-1])
def test_example_is_refused_as_the_guide_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], example: Block
) -> None:
    """An example that is shown as refused is refused by the check that its fence names; tests may fail beside that."""
    write(tmp_path, [*ACCEPTED, example])
    rules = {fault["rule"] for fault in check(tmp_path, capsys)} - {"test"}
    assert ("refused", *rules) == example.words


def test_list_of_the_guide_is_what_comes_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each statement that the guide shows as `portcullis allowed` lists it is listed so."""
    monkeypatch.chdir(tmp_path)
    write(Path("our-policies"), ACCEPTED)
    assert main(["allowed", "our-policies", "--now", NOW]) == 0
    (shown,) = blocks(DOCS / "policies.md", "text")
    assert set(shown.text.strip().split("\n\n")) <= set(capsys.readouterr().out.strip().split("\n\n"))


def test_messages_of_the_guide_are_what_comes_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `portcullis check` prints in the guide is what it prints of the two mistakes that the guide describes."""
    monkeypatch.chdir(tmp_path)
    write(Path("our-policies"), ACCEPTED)
    for name, old, new in [("allow/bastion", '"office"', '"ofice"'), ("forbid/databases", '"office", ', "")]:
        file = Path("our-policies", "policies", f"{name}.rego")
        file.write_text(file.read_text().replace(old, new))
    assert main(["check", "our-policies", "--now", NOW]) == 1
    printed = f"$ portcullis check our-policies\n{capsys.readouterr().out}"
    assert printed in [block.text for block in blocks(DOCS / "policies.md", "console")]


def test_examples_of_the_guide_pass_with_plain_opa(tmp_path: Path, opa_path: str) -> None:
    """`opa test policies policy_tests $(portcullis engine)` passes in a folder outside the project."""
    write(tmp_path, ACCEPTED)
    command = [opa_path, "test", "--fail-on-empty", "policies", "policy_tests", str(engine()), str(helper())]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_examples_of_the_readme_pass_in_a_new_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the README tells to write passes the check in the folder that `portcullis init` makes."""
    assert main(["init", str(tmp_path)]) == 0
    accounts = tmp_path / "policies" / "accounts" / "data.yaml"
    accounts.write_text(accounts.read_text().replace("000000000000", "111122223333"))
    write(tmp_path, blocks(README, "rego"))
    capsys.readouterr()
    assert [fault for fault in check(tmp_path, capsys) if fault["level"] == "error"] == []
