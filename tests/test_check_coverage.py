"""`portcullis check --coverage` refuses what no test reaches."""

import json
from pathlib import Path

import pytest

from handler.cli import main

STATEMENT = """package forbid

prohibition contains {
	"id": "no-databases",
	"tcp": [5432],
	"sources": ["anywhere"],
	"reason": "Databases are not for the internet",
} if {
	input.reach == "internet"
	input.server.kind == "security_group"
}
"""


@pytest.mark.parametrize("named", [".", "policies", "/"], ids=["current", "policies", "absolute"])
def test_a_line_without_a_test_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    """Each part of a statement that no test reaches is named, however the folder is; what is tested is not."""
    assert main(["init", str(tmp_path)]) == 0
    accounts = tmp_path / "policies" / "accounts" / "data.yaml"
    accounts.write_text(accounts.read_text().replace("000000000000", "111122223333"))
    (tmp_path / "policies" / "forbid" / "databases.rego").write_text(STATEMENT)
    monkeypatch.chdir(tmp_path)
    folder = str(tmp_path) if named == "/" else named
    capsys.readouterr()
    assert main(["check", folder]) == 0
    capsys.readouterr()
    assert main(["check", folder, "--coverage", "--format", "json"]) == 1
    faults = [(fault["rule"], fault["file"], fault["line"]) for fault in json.loads(capsys.readouterr().out)["faults"]]
    assert faults == [("uncovered", "policies/forbid/databases.rego", line) for line in (3, 9, 10)]
