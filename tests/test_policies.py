"""What has to stay true of the policies whatever a team writes into them."""

import json
import re
import shutil
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from handler.bundle import Folder, engine
from handler.check import check
from handler.check.listing import entries
from handler.settings import ROOT
from tests.builders import team_folder

POLICIES = ROOT / "policies"
TODAY = date(2026, 11, 24)

LITERAL = """package allow

allowance contains {{
	"id": "web",
	"{protocol}": [443],
	"sources": ["anywhere"],
	"owner": "web-platform",
	"reason": "Public",
	"expires": "2027-06-30",
	"everywhere": true,
}}
"""

FINDING = {
    "id": "finding-1",
    "now": "2026-11-24T06:12:00Z",
    "server": {"account": "111122223333"},
    "exposures": [
        {"protocol": protocol, "from_port": 443, "to_port": 443, "sources": ["0.0.0.0/0"]}
        for protocol in ("tcp", "udp")
    ],
}


def test_register_has_every_allowance_of_rules_and_table(opa_path: str) -> None:
    """It needs no finding, and is the same for both forms."""
    rules = "".join(file.read_text() for file in (POLICIES / "allow").glob("*.rego"))
    table = yaml.safe_load((POLICIES / "servers" / "data.yaml").read_text())
    keyed = [table["by_name"], table["by_id"], *table["by_tag"].values()]
    rows = [row for keys in keyed for rows in keys.values() for row in rows]
    listed, faults = entries(Folder(POLICIES), opa_path, TODAY)
    values = [entry.value for entry in listed if entry.kind == "allowance"]
    assert faults == []
    assert {value["id"] for value in values} == {*re.findall('"id": "(.+)"', rules), *(row["id"] for row in rows)}
    for row in rows:
        assert {field: value for field, value in row.items() if field != "accounts"} in values


def least(folder: Path, protocol: str) -> Path:
    """Give policies with one literal allowance and without prohibitions or table."""
    policies = team_folder(folder)
    for name in ("allow", "forbid", "servers"):
        shutil.rmtree(policies / name)
    (policies / "allow").mkdir()
    (policies / "allow" / "web.rego").write_text(LITERAL.format(protocol=protocol))
    return policies


def decided(opa_path: str, policies: Path) -> Any:
    """Give the decision on the finding, which is the same alone and in a batch."""
    options = ["--stdin-input", "--strict-builtin-errors", "--format", "raw"]
    command = [opa_path, "eval", *options, "--data", str(engine()), "--data", str(policies)]

    def answer(query: str, given: Any) -> Any:
        done = subprocess.run([*command, query], input=json.dumps(given), capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    decision = answer("data.gate.decision", FINDING)
    assert answer("data.gate.batch.decisions", {"findings": [FINDING]}) == [decision]
    return decision


@pytest.mark.parametrize(
    ("protocol", "other", "prohibitions"),
    [("tcp", "udp", None), ("udp", "tcp", ""), ("tcp", "udp", "package forbid\n")],
    ids=["no folder", "empty folder", "no rule"],
)
def test_the_engine_compiles_and_decides_with_the_least_policy(
    opa_path: str, tmp_path: Path, protocol: str, other: str, prohibitions: str | None
) -> None:
    """One literal allowance of one protocol and no prohibition: the type checker finds nothing amiss in the engine."""
    policies = least(tmp_path, protocol)
    if prohibitions is not None:
        (policies / "forbid").mkdir()
    if prohibitions:
        (policies / "forbid" / "forbid.rego").write_text(prohibitions)
    assert check(Folder(policies), None, opa_path, TODAY).errors == []
    decision = decided(opa_path, policies)
    assert [(entry["protocol"], entry["by"]) for entry in decision["allowed"]] == [(protocol, ["web"])]
    assert [(entry["protocol"], entry["cause"]) for entry in decision["denied"]] == [(other, "uncovered")]


def test_the_engine_denies_without_any_policy(opa_path: str, tmp_path: Path) -> None:
    """Without a single allowance everything is denied, and the check says that nothing is allowed."""
    policies = least(tmp_path, "tcp")
    shutil.rmtree(policies / "allow")
    [fault] = check(Folder(policies), None, opa_path, TODAY).errors
    assert (fault.file, fault.problem.partition(";")[0]) == (policies, "holds no allowance and no prohibition")
    decision = decided(opa_path, policies)
    assert (decision["action"], decision["undecidable"], decision["allowed"]) == ("deny", False, [])
    assert [entry["cause"] for entry in decision["denied"]] == ["uncovered", "uncovered"]
