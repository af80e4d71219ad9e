"""`portcullis allowed` lists what a folder allows and prohibits, from rules, rows, and data of the team's own."""

import csv
import io
import json
from pathlib import Path

import pytest

from handler.cli import main
from handler.cli.allowed import COLUMNS
from handler.settings import ROOT

HERE = ROOT / "tests" / "allowed"
NOW = ("--now", "2026-11-24")


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return what the command prints about the folder of these tests."""
    assert main(["allowed", str(HERE / "policies"), *NOW, *arguments]) == 0
    return capsys.readouterr().out


def test_text_says_what_from_where_for_whom_until_when_and_where(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Simple conditions are words, others Rego; rows and statements made from data are there like rules."""
    monkeypatch.chdir(HERE)
    assert listed(capsys) == (HERE / "listing.txt").read_text()


def test_expiring_lists_the_next_to_expire_first(capsys: pytest.CaptureFixture[str]) -> None:
    """What has expired comes first, what never expires and what runs longer is left out."""
    statements = json.loads(listed(capsys, "--expiring", "40", "--format", "json"))["statements"]
    assert [(entry["id"], entry["days_left"]) for entry in statements] == [("old", -23), ("ping", 7), ("metrics-1", 38)]


def test_json_and_csv_have_the_same_statements(capsys: pytest.CaptureFixture[str]) -> None:
    """Each entry has every column; a list is one cell of CSV."""
    statements = json.loads(listed(capsys, "--format", "json"))["statements"]
    rows = list(csv.DictReader(io.StringIO(listed(capsys, "--format", "csv"))))
    assert all(tuple(entry) == COLUMNS for entry in statements)
    assert [row["id"] for row in rows] == [entry["id"] for entry in statements]
    [web] = [row for row in rows if row["id"] == "web"]
    assert (web["tcp"], web["labels"], web["days_left"]) == ("80, 443, 8000-8100", "ticket=OPS-7", "218")
    [rdp] = [entry for entry in statements if entry["id"] == "no-rdp"]
    assert (rdp["except"], rdp["where_unknown"], rdp["expires"]) == (["office"], "allowed", None)


HELPERS = """
_web if {
	input.server.account == "111122223333"
	input.server.tags.Role in {"a", "b"}
}

_web if input.server.name == "www"

_made := {"id": "made", "tcp": [1], "sources": ["office"]}

allowance contains _made if input.server.id == "i-0aaa"
"""


def test_what_helpers_ask_is_written_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A helper is followed by what it asks, and a statement that a rule takes from elsewhere has its place."""
    file = tmp_path / "x.rego"
    file.write_text(SSH.replace("if {", "if {\n\t_web") + HELPERS)
    assert main(["allowed", str(tmp_path), *NOW, "--format", "json"]) == 0
    made, ssh = json.loads(capsys.readouterr().out)["statements"]
    account = "account 111122223333"
    ways = f"that is: {account}; tag Role = a or b, or name www; {account}"
    assert (ssh["conditions"], ssh["line"]) == (["_web", account, ways], 4)
    assert (made["conditions"], made["line"]) == (["id i-0aaa"], 22)


def test_malformed_statement_is_marked(capsys: pytest.CaptureFixture[str]) -> None:
    """What covers nothing is listed as such, and only that."""
    statements = json.loads(listed(capsys, "--format", "json"))["statements"]
    assert [entry["id"] for entry in statements if entry["malformed"]] == ["broken"]


def test_days_that_are_no_number_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever asks for what expires within fewer than no days has made a mistake."""
    with pytest.raises(SystemExit):
        main(["allowed", str(HERE / "policies"), "--expiring=-5"])
    assert "-5 is no number of days; write it like 30" in capsys.readouterr().err


SSH = """package allow

allowance contains {
	"id": "ssh",
	"tcp": [22],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if {
	input.server.account == "111122223333"
}
"""
OF_THE_INPUT = SSH.replace('["office"]', "[source]").replace(
    "if {", "if {\n\tsome source in input.exposures[_].sources"
)
TIERS = '\n_tier := "a"\n\n_tier := "b"\n\nallowance contains {"id": "tier"} if _tier == "a"\n'


@pytest.mark.parametrize(
    ("labels", "shown"), [('["x", 1]', "x, 1"), ('"x"', "x"), ("1", "1"), ('{"a": ["x"]}', "a: ['x']")]
)
def test_labels_that_cannot_be_read_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], labels: str, shown: str
) -> None:
    """A statement with labels that are no texts by name is listed as malformed, with what it has."""
    (tmp_path / "x.rego").write_text(SSH.replace('"reason"', f'"labels": {labels},\n\t"reason"'))
    assert main(["allowed", str(tmp_path), *NOW]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert (lines[1], lines[-2]) == ("  malformed: `portcullis check` says why", f"  {shown}")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "holds no file of Rego"),
        ({"allow/x.rego": "package allow\n\nallowance contains {"}, "allow/x.rego:3: OPA refuses it: "),
        ({"networks/data.yaml": "office: [::/0]\n"}, "networks/data.yaml:1: cannot be read"),
        ({"allow/x.rego": OF_THE_INPUT}, "allow/x.rego:6: allowance ssh: sources depends on the input; write it out"),
        ({"allow/x.rego": 'package allow\n\nallowance contains "x"\n'}, "allow/x.rego:3: allowance unnamed: x is not"),
        (
            {"allow/x.rego": f"# METADATA\n# scope: nonsense\n{SSH}"},
            "allow/x.rego:1: OPA refuses it: invalid annotation",
        ),
        ({"allow/x.rego": SSH + TIERS}, "allow/x.rego:16: no statement can be judged for any server; let one rule"),
    ],
)
def test_folder_that_cannot_be_listed_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], files: dict[str, str], said: str
) -> None:
    """Status 2, and the place with the reason; nothing on standard output passes for a list."""
    for name, text in files.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    assert main(["allowed", str(tmp_path)]) == 2
    printed = capsys.readouterr()
    assert (printed.out, said in printed.err) == ("", True)
