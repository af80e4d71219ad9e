"""Why policies may not read the clock: the verdict would be that of the moment, not of the finding's own time."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from handler.settings import ROOT

ALLOWANCE = """package allow

allowance contains {
	"id": "ssh",
	"tcp": [22],
	"sources": ["0.0.0.0/0"],
	"owner": "netops",
	"reason": "Until a moment of its own",
	"expires": "2250-12-31",
} if %s
"""
PAST = 'time.parse_rfc3339_ns("2000-01-01T00:00:00Z")'
FUTURE = 'time.parse_rfc3339_ns("2200-01-01T00:00:00Z")'
FINDING_TIME = "time.parse_rfc3339_ns(input.now)"
CLOCK = "time.now_ns()"


@pytest.mark.parametrize(
    ("condition", "now", "action"),
    [
        pytest.param(f"{FINDING_TIME} < {PAST}", "1999-06-01T00:00:00Z", "allow", id="before"),
        pytest.param(f"{FINDING_TIME} < {FUTURE}", "2201-06-01T00:00:00Z", "deny", id="after"),
        pytest.param(f"{CLOCK} < {PAST}", "1999-06-01T00:00:00Z", "deny", id="clock denies what was allowed"),
        pytest.param(f"{CLOCK} < {FUTURE}", "2201-06-01T00:00:00Z", "allow", id="clock allows what is over"),
    ],
)
def test_the_clock_decides_where_a_policy_reads_it(
    opa_path: str, tmp_path: Path, condition: str, now: str, action: str
) -> None:
    """By the time of the finding a decision can be made again to the byte; by the clock it fails open."""
    shutil.copytree(ROOT / "policies" / "gate", tmp_path / "gate")
    (tmp_path / "ssh.rego").write_text(ALLOWANCE % condition)
    exposure = {"protocol": "tcp", "from_port": 22, "to_port": 22, "sources": ["0.0.0.0/0"]}
    finding = {"id": "finding-1", "now": now, "exposures": [exposure]}
    asked = ("--data", str(tmp_path), "--stdin-input", "--strict-builtin-errors", "--format", "raw")
    command = [opa_path, "eval", *asked, "data.gate.decision.action"]
    ran = subprocess.run(command, input=json.dumps(finding), capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == action
