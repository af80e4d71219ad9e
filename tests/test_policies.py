"""What has to stay true of the policies whatever a team writes into them."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from handler.cli.register import QUERY, NotPlainError, statements
from handler.cli.schema import FOLDER

REPOSITORY = Path(__file__).resolve().parent.parent
POLICIES = REPOSITORY / "policies"

LITERAL = """package allow

allowance contains {{
	"id": "web",
	"{protocol}": [443],
	"sources": ["anywhere"],
	"owner": "web-platform",
	"reason": "Public",
	"expires": "2099-12-31",
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


def run(opa_path: str, *arguments: str | Path, given: Any = None) -> Any:
    """Run an `opa` subcommand that prints JSON, with `given` as standard input."""
    command = [opa_path, *map(str, arguments)]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr or done.stdout
    return json.loads(done.stdout or "null")


def register(opa_path: str, policies: Path) -> list[dict[str, Any]]:
    """Give the allowances as partial evaluation prints them."""
    return list(statements(run(opa_path, "eval", *QUERY, "--bundle", policies, "x := data.gate.allowance[_]")))


def test_partial_evaluation_prints_every_allowance_of_rules_and_table(opa_path: str) -> None:
    """The register needs no finding, and is the same for both forms."""
    rules = "".join(file.read_text() for file in (POLICIES / "allow").glob("*.rego"))
    table = yaml.safe_load((POLICIES / "servers" / "data.yaml").read_text())
    keyed = [table["by_name"], table["by_id"], *table["by_tag"].values()]
    rows = [row for keys in keyed for rows in keys.values() for row in rows]
    printed = register(opa_path, POLICIES)
    assert {allowance["id"] for allowance in printed} == {
        *re.findall('"id": "(.+)"', rules),
        *(row["id"] for row in rows),
    }
    for row in rows:
        assert {field: value for field, value in row.items() if field != "accounts"} in printed


def test_an_id_stands_for_one_allowance(opa_path: str) -> None:
    """A decision names allowances by id, so rules and rows share none."""
    printed = register(opa_path, POLICIES)
    first = {allowance["id"]: allowance for allowance in reversed(printed)}
    assert [allowance for allowance in printed if first[allowance["id"]] != allowance] == []


@pytest.mark.parametrize("part", ['"id": input.server.name', '"id": "x", "tcp": [to_number(input.server.tags.port)]'])
def test_a_head_that_depends_on_the_input_would_be_seen(opa_path: str, tmp_path: Path, part: str) -> None:
    """The check that heads are plain can fail."""
    policies = shutil.copytree(POLICIES, tmp_path / "policies")
    (policies / "allow" / "x.rego").write_text(f"package allow\n\nallowance contains {{{part}}}\n")
    with pytest.raises(NotPlainError):
        register(opa_path, policies)


def least(folder: Path, protocol: str) -> Path:
    """Give policies with one literal allowance and without prohibitions or table; the engine is the shipped one."""
    policies = Path(shutil.copytree(POLICIES, folder / "policies"))
    for name in ("allow", "forbid", "servers"):
        shutil.rmtree(policies / name)
    (policies / "allow").mkdir()
    (policies / "allow" / "web.rego").write_text(LITERAL.format(protocol=protocol))
    return policies


def decided(opa_path: str, policies: Path) -> Any:
    """Give the decision on the finding after OPA has checked the policies as strictly as the build does."""
    run(opa_path, "check", "--strict", "--schema", FOLDER, "--bundle", policies)
    asked = ("--bundle", policies, "--stdin-input", "--strict-builtin-errors", "--format", "raw")
    decision = run(opa_path, "eval", *asked, "data.gate.decision", given=FINDING)
    assert run(opa_path, "eval", *asked, "data.gate.batch.decisions", given={"findings": [FINDING]}) == [decision]
    return decision


@pytest.mark.parametrize("prohibitions", [None, "", "package forbid\n"], ids=["no folder", "empty folder", "no rule"])
@pytest.mark.parametrize(("protocol", "other"), [("tcp", "udp"), ("udp", "tcp")])
def test_the_engine_compiles_and_decides_with_the_least_policy(
    opa_path: str, tmp_path: Path, protocol: str, other: str, prohibitions: str | None
) -> None:
    """One literal allowance of one protocol and no prohibition: the type checker finds nothing amiss in the engine."""
    policies = least(tmp_path, protocol)
    if prohibitions is not None:
        (policies / "forbid").mkdir()
    if prohibitions:
        (policies / "forbid" / "forbid.rego").write_text(prohibitions)
    decision = decided(opa_path, policies)
    assert [(entry["protocol"], entry["by"]) for entry in decision["allowed"]] == [(protocol, ["web"])]
    assert [(entry["protocol"], entry["cause"]) for entry in decision["denied"]] == [(other, "uncovered")]


def test_the_engine_compiles_and_denies_without_any_policy(opa_path: str, tmp_path: Path) -> None:
    """Without a single allowance everything is denied."""
    policies = least(tmp_path, "tcp")
    shutil.rmtree(policies / "allow")
    decision = decided(opa_path, policies)
    assert (decision["action"], decision["undecidable"], decision["allowed"]) == ("deny", False, [])
    assert [entry["cause"] for entry in decision["denied"]] == ["uncovered", "uncovered"]
