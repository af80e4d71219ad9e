"""The formats of a check: text for people, JSON, SARIF 2.1.0, annotations of GitHub Actions; and its exit status."""

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from handler import __version__
from handler.bundle import Folder
from handler.check import Checked, check, formats
from handler.check.fault import RULES, Fault
from handler.cli import main
from handler.settings import ROOT
from tests.check_driver import CASES, TODAY

SARIF = json.loads((ROOT / "tests" / "schemas" / "sarif-2.1.0.json").read_text())

STRANGE = Checked(
    [
        Fault(
            rule="test",
            file=Path("policies/allow/a, b: 100%.rego"),
            line=3,
            id="x",
            problem="50% of a, b: c\nsecond line\r\nthird",
        ),
        Fault(rule="folder", file=Path("policies"), problem="holds nothing"),
        Fault(rule="expired", problem="expired, somewhere", level="warning"),
        Fault(rule="data", file=Path("/elsewhere/data yaml"), line=1, problem="is elsewhere"),
    ],
    {"statements": 1234, "tests": 1},
)


@pytest.fixture(scope="module")
def failing(opa_path: str) -> Checked:
    """Give what the check finds in a folder of which tests fail."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(CASES)
        tests = Folder("failing/policy_tests", tests=True)
        return check(Folder("failing/policies"), tests, opa_path, TODAY)


def test_text_names_place_level_and_sum(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A line or more for each fault, errors without a word for it, and a last line with what was checked."""
    monkeypatch.chdir(tmp_path)
    assert formats.text(STRANGE).splitlines() == [
        "warning: expired, somewhere",
        "/elsewhere/data yaml:1: is elsewhere",
        "policies: holds nothing",
        "policies/allow/a, b: 100%.rego:3: 50% of a, b: c",
        "second line",
        "third",
        "failed: 3 errors, 1 warning; checked 1,234 statements, 1 test",
    ]


def test_github_annotations_are_escaped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Percent signs and line ends are escaped everywhere, colons and commas in properties too."""
    monkeypatch.chdir(tmp_path)
    first, *_, strange, total = formats.github(STRANGE, tmp_path).splitlines()
    assert first == "::warning file=.,line=1,title=portcullis expired::expired, somewhere"
    assert strange == (
        "::error file=policies/allow/a%2C b%3A 100%25.rego,line=3,title=portcullis test"
        "::50%25 of a, b: c%0Asecond line%0D%0Athird"
    )
    assert total == "failed: 3 errors, 1 warning; checked 1,234 statements, 1 test"


def test_json_has_every_fault_with_a_place_below_the_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The file of a fault is relative to the root of the repository, whatever folder the command runs in."""
    (tmp_path / "policies").mkdir()
    monkeypatch.chdir(tmp_path / "policies")
    fault = Fault(rule="data", file=Path("networks/data.yaml"), line=2, problem="is wrong")
    answer = json.loads(formats.as_json(Checked([fault], {"statements": 1}), tmp_path))
    assert answer == {
        "version": __version__,
        "errors": 1,
        "warnings": 0,
        "statements": 1,
        "faults": [
            {
                "rule": "data",
                "problem": "is wrong",
                "file": "policies/networks/data.yaml",
                "line": 2,
                "id": None,
                "level": "error",
            }
        ],
    }


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_sarif_is_valid_and_has_a_place_and_a_rule_for_each_result(
    failing: Checked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What code scanning shows has a stable rule with a sentence of what holds, and a file of the repository."""
    monkeypatch.chdir(CASES)
    for checked in (failing, STRANGE, Checked([], {})):
        log = json.loads(formats.sarif(checked, CASES))
        jsonschema.Draft4Validator(SARIF).validate(log)
        [run] = log["runs"]
        rules = {rule["id"]: rule["shortDescription"]["text"] for rule in run["tool"]["driver"]["rules"]}
        assert rules == {rule: RULES[rule] for rule in rules}
        assert [_told(result) for result in run["results"]] == [
            (fault.rule, fault.level, fault.problem, fault.line or 1) for fault in checked.faults
        ]
        assert [run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] for result in run["results"]] == [
            fault.rule for fault in checked.faults
        ]
    results = json.loads(formats.sarif(failing, CASES))["runs"][0]["results"]
    paths = {_location(result)["artifactLocation"]["uri"] for result in results}
    assert [path for path in paths if not (CASES / path).is_file()] == []


def _location(result: dict[str, Any]) -> dict[str, Any]:
    [location] = result["locations"]
    physical: dict[str, Any] = location["physicalLocation"]
    return physical


def _told(result: dict[str, Any]) -> tuple[str, str, str, int]:
    return result["ruleId"], result["level"], result["message"]["text"], _location(result)["region"]["startLine"]


def test_command_checks_the_example(
    opa_path: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is in the repository passes every check, every line of it is tested, and what expires is named."""
    monkeypatch.setenv("OPA_PATH", opa_path)
    monkeypatch.chdir(ROOT)
    assert main(["check", "--coverage", "--now", "2026-11-19"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    expiring, total = printed.out.splitlines()
    assert re.fullmatch(
        r"policies/servers/data\.yaml:\d+: warning: allowance db-partner expires on 2026-11-20, in 1 day; .*", expiring
    )
    assert re.fullmatch(r"ok: \d+ statements, \d+ tests; 1 warning", total)


@pytest.mark.parametrize("name", ["text", "json", "sarif", "github"])
def test_command_prints_each_format_below_the_root_of_the_repository(
    opa_path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """A folder below a repository is named from its root, where a workflow runs, and from here in text."""
    shutil.copytree(CASES / "unknown_conflict", tmp_path / "team")
    (tmp_path / ".git").mkdir()
    monkeypatch.setenv("OPA_PATH", opa_path)
    monkeypatch.chdir(tmp_path / "team")
    assert main(["check", "--format", name]) == 1
    path = {"text": "policies/allow/x.rego:5:", "github": "::error file=team/policies/allow/x.rego,line=5,"}
    printed = capsys.readouterr().out
    assert re.search(f"^{re.escape(path.get(name, '{'))}", printed, re.MULTILINE), printed
    assert name == "text" or "team/policies/allow/x.rego" in printed


def test_command_says_what_it_lacks(
    opa_path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder or an OPA that is not there is no fault of the policies, and ends with another status."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPA_PATH", opa_path)
    assert main(["check", "nowhere"]) == 2
    assert capsys.readouterr().err.startswith("nowhere is no folder: name that of the policies")
    monkeypatch.setenv("OPA_PATH", os.devnull)
    assert main(["check", str(CASES / "conflict")]) == 2
    assert capsys.readouterr().err.startswith("OPA_PATH is '/dev/null', which is no executable: name the `opa`")


@pytest.mark.parametrize("time", ["tomorrow", "2026-11-24T06:12:00", "2026-02-30", "0001-01-01T00:00:00+23:00"])
def test_command_refuses_a_time_without_a_zone(time: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A day (UTC) or a time with its zone is what an expiry can be compared with."""
    with pytest.raises(SystemExit, match="2"):
        main(["check", "--now", time])
    assert "is no time with a time zone; write it like 2026-11-24T06:12:00Z or 2026-11-24" in capsys.readouterr().err
