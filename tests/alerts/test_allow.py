"""The allowance of a mail: pasted and filled, it passes every check and permits exactly what was denied."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from handler import alert
from handler.bundle import Folder
from handler.check import check
from handler.decision import Decision
from handler.events import unwrap
from handler.finding import Exposure, Finding, Reporter, Server
from handler.invocation import judge
from handler.opa import Opa
from handler.process import Process
from handler.settings import ROOT
from tests.alerts import ANYWHERE, ENGINE, OFFICE, SETTINGS, UNKNOWN, exposure, finding, outcomes, server

Judge = Callable[[Finding], Decision]

CASES = ROOT / "tests" / "cases"
HOSTILE = 'x"\\\n} \u202e \U0001f600 ü" }\nallowance contains {'


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    """Give a copy of the shipped policies."""
    return Path(shutil.copytree(ROOT / "policies", tmp_path / "policies"))


def blocks(body: str) -> list[str]:
    """Copy the allowances out of a mail."""
    return re.findall(r"^allowance contains \{\n.*?\n\}\n", body, re.MULTILINE | re.DOTALL)


def filled(block: str) -> str:
    """Fill the three blanks, as a person does."""
    for field, value in {"owner": "netops", "reason": "Judged necessary", "expires": "2027-06-30"}.items():
        assert f'"{field}": ""' in block
        block = block.replace(f'"{field}": ""', f'"{field}": "{value}"')
    return block


def offered(gate: Opa, told: Finding) -> str:
    """Give the one allowance that the mail about a finding offers, filled."""
    (block,) = blocks(alert.messages(outcomes(gate, [told]), SETTINGS, ENGINE)[0].body)
    return filled(block)


def paste(policies: Path, pasted: Sequence[str]) -> None:
    """Write a new file of the security team's."""
    (policies / "allow" / "pasted.rego").write_text("\n".join(["package allow\n", *pasted]), encoding="utf-8")


def checked(policies: Path, opa_path: str) -> None:
    """Run the checks that a policy must pass."""
    file = policies / "allow" / "pasted.rego"
    schema = ROOT / "handler" / "schema"
    for command in (
        ["fmt", "--fail", "--diff", str(file)],
        ["check", "--strict", "--schema", str(schema), "-b", str(policies)],
    ):
        done = subprocess.run([opa_path, *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def judged(policies: Path, opa_path: str, told: Finding) -> Decision:
    """Judge a finding by a folder of policies."""
    command = [opa_path, "eval", "-b", str(policies), "--stdin-input", "--format", "raw", "data.gate.decision"]
    done = subprocess.run(command, input=msgspec.json.encode(told), capture_output=True, check=True)
    return msgspec.json.decode(done.stdout, type=Decision)


WEB = server("i-0ccc", "web-prod-02", tags={"Role": "web"})
NAMELESS = server("i-0123456789abcdef0", None, tags={}, tags_known=False, account="222233334444")
GROUP = server("sg-0wizard", "launch-wizard-1", kind="security_group")
EVIL = server(HOSTILE, HOSTILE, account=HOSTILE)


@pytest.mark.parametrize(
    ("host", "told"),
    [
        pytest.param(WEB, [exposure(22, sources=ANYWHERE)], id="one port, anywhere"),
        pytest.param(WEB, [exposure(6379)], id="unknown source"),
        pytest.param(WEB, [exposure(80, 443, sources=ANYWHERE[:1])], id="rest of a range"),
        pytest.param(NAMELESS, [exposure(22, sources=OFFICE), exposure(8000, 8100, sources=OFFICE)], id="two ports"),
        pytest.param(NAMELESS, [exposure(1, sources=OFFICE), exposure(1, 2, ("10.0.0.0/8",))], id="sources differ"),
        pytest.param(NAMELESS, [exposure(1, sources=OFFICE), exposure(1, sources=UNKNOWN)], id="unknown beside known"),
        pytest.param(
            GROUP, [exposure(53, protocol="udp"), exposure(53, sources=("sg-1", "pl-1"))], id="both protocols"
        ),
        pytest.param(
            WEB, [exposure(22, sources=("222233334444/sg-1", "2001:db8::/32", "::/0"))], id="kinds of sources"
        ),
        pytest.param(EVIL, [exposure(22, sources=OFFICE)], id="hostile text"),
    ],
)
def test_pasted_allowance_permits_as_soon_as_it_is_filled(
    gate: Opa, policies: Path, opa_path: str, host: Server, told: list[Exposure]
) -> None:
    """Blank, it passes the checks of form and permits nothing; filled, exactly what was denied is allowed."""
    denied = finding(host, *told)
    pasted = blocks(alert.messages(outcomes(gate, [denied]), SETTINGS, ENGINE)[0].body)
    assert pasted

    paste(policies, pasted)
    checked(policies, opa_path)
    blank = judged(policies, opa_path, denied)
    assert blank.action == "deny"
    assert {problem.field for problem in blank.problems} == {"owner", "reason", "expires"}

    paste(policies, [filled(block) for block in pasted])
    checked(policies, opa_path)
    decision = judged(policies, opa_path, denied)
    assert decision.action == "allow"
    assert decision.problems == ()


BY_VPN = finding(WEB, exposure(22, sources=OFFICE), reach="vpn")


@pytest.fixture(scope="module")
def pasted(gate: Opa, opa_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opa]:
    """Give a gate with the allowance that the mail about `BY_VPN` offers."""
    policies = Path(shutil.copytree(ROOT / "policies", tmp_path_factory.mktemp("pasted") / "policies"))
    paste(policies, [offered(gate, BY_VPN)])
    with Opa(Process(str(policies), opa_path)) as made:
        made.ready()
        yield made


@pytest.mark.parametrize(
    "wider",
    [
        pytest.param(finding(WEB, exposure(21, sources=OFFICE), reach="vpn"), id="port below"),
        pytest.param(finding(WEB, exposure(22, sources=("203.0.112.0/23",)), reach="vpn"), id="wider network"),
        pytest.param(finding(WEB, exposure(22, protocol="udp", sources=OFFICE), reach="vpn"), id="other protocol"),
        pytest.param(
            finding(server("i-0cccc", "web-prod-02"), exposure(22, sources=OFFICE), reach="vpn"), id="other server"
        ),
        pytest.param(
            finding(server("i-0ccc", account="444455556666"), exposure(22, sources=OFFICE), reach="vpn"),
            id="other account",
        ),
        pytest.param(finding(WEB, exposure(22, sources=OFFICE)), id="other way in"),
    ],
)
def test_pasted_allowance_permits_nothing_else(pasted: Opa, wider: Finding) -> None:
    """It is pinned to server, account, ports, protocol and sources, and to a way in that is not the internet."""
    actions = [decision.action for decision in pasted.decide([BY_VPN, wider]) if isinstance(decision, Decision)]
    assert actions == ["allow", "deny"]


def test_ids_of_one_server_differ(gate: Opa) -> None:
    """Two allowances for one server have two ids, though their first port is the same."""
    inside = ("10.0.0.0/8",)
    told = finding(NAMELESS, exposure(22, sources=OFFICE), exposure(22, sources=inside), exposure(80, sources=inside))
    body = alert.messages(outcomes(gate, [told]), SETTINGS, ENGINE)[0].body
    ids = re.findall(r'"id": "(.*)"', body)
    assert ids == ["i-0123456789abcdef0-tcp-22", "i-0123456789abcdef0-tcp-22-2"]


@pytest.mark.parametrize(
    ("expires", "told"),
    [
        pytest.param("2027-06-30", exposure(22, sources=("203.0.112.0/23",)), id="too narrow"),
        pytest.param("2026-06-30", exposure(22, sources=OFFICE), id="expired"),
        pytest.param("soon", exposure(22, sources=OFFICE), id="malformed"),
    ],
)
def test_id_of_an_allowance_that_applies_is_not_given_again(
    gate: Opa, policies: Path, opa_path: str, expires: str, told: Exposure
) -> None:
    """What was pasted before keeps its id, and the checks take the new allowance beside it, once that is mended."""
    first = offered(gate, finding(WEB, exposure(22, sources=OFFICE)))
    paste(policies, [first.replace("2027-06-30", expires)])
    with Opa(Process(str(policies), opa_path)) as again:
        again.ready()
        second = offered(again, finding(WEB, told))
    assert '"id": "web-prod-02-i-0ccc-tcp-22",' in first
    assert '"id": "web-prod-02-i-0ccc-tcp-22-2",' in second
    paste(policies, [first, second])
    assert check(Folder(policies), None, opa_path, date(2026, 11, 24)).errors == []


def test_unknown_source_is_allowed_with_a_warning(gate: Opa) -> None:
    """An allowance for everybody is offered with the sentence that says so."""
    body = alert.messages(outcomes(gate, [finding(WEB, exposure(6379))]), SETTINGS, ENGINE)[0].body
    assert "Only an allowance for everybody covers an unknown address: find out first" in " ".join(body.split())
    assert '\t"sources": ["anywhere"],' in body


def test_prohibition_is_named_and_no_allowance_offered(gate: Opa) -> None:
    """What a prohibition denies is not offered."""
    body = alert.messages(outcomes(gate, [finding(WEB, exposure(23))]), SETTINGS, ENGINE)[0].body
    assert "No allowance lifts the prohibition no-telnet." in body
    assert blocks(body) == []


def test_what_is_not_prohibited_is_still_offered(gate: Opa, policies: Path, opa_path: str) -> None:
    """Of 22-23 only 22 can be allowed, and the rest stays denied."""
    told = finding(WEB, exposure(22, 23))
    pasted = blocks(alert.messages(outcomes(gate, [told]), SETTINGS, ENGINE)[0].body)
    paste(policies, [filled(block) for block in pasted])
    decision = judged(policies, opa_path, told)
    assert [(entry.from_port, entry.to_port, entry.cause) for entry in decision.denied] == [(23, 23, "prohibited")]


def test_unreadable_finding_is_not_offered(gate: Opa) -> None:
    """What could not be judged in full is not allowed in part."""
    told = finding(WEB, exposure(22, sources=("203.0.113.7/24",)), exposure(6379))
    body = alert.messages(outcomes(gate, [told]), SETTINGS, ENGINE)[0].body
    assert "What could not be read in full cannot be allowed" in body
    assert blocks(body) == []


AWS = """#!{python}
import json, pathlib, sys
pathlib.Path({asked!r}).write_text(json.dumps(sys.argv[1:]))
sys.stdout.write(pathlib.Path({answer!r}).read_text())
"""


def inspector(port: int) -> dict[str, Any]:
    """Give an answer of Inspector's list_findings with one open port."""
    (told, *_) = json.loads((CASES / "inspector2/page-of-list-findings/event.json").read_text())["findings"]
    told["networkReachabilityDetails"]["openPortRange"] = {"begin": port, "end": port}
    return {"findings": [told]}


def security_hub(port: int) -> dict[str, Any]:
    """Give an answer of Security Hub's get_findings with one open port."""
    (told,) = json.loads((CASES / "security_hub/inspector-by-its-fields/event.json").read_text())["detail"]["findings"]
    told["Network"]["OpenPortRange"] = {"Begin": port, "End": port}
    return {"Findings": [told]}


@pytest.mark.parametrize(
    ("answer", "query"),
    [
        (inspector(6379), ["inspector2", "list-findings", "--region", "eu-west-1", "--filter-criteria"]),
        (security_hub(6379), ["securityhub", "get-findings", "--region", "eu-west-1", "--filters"]),
    ],
    ids=["inspector2", "security_hub"],
)
def test_command_of_a_mail_shows_that_the_pasted_allowance_holds(
    gate: Opa, policies: Path, opa_path: str, answer: dict[str, Any], query: list[str]
) -> None:
    """Run as it stands it says 1 denied; once the allowance is pasted and filled, it says 0 denied and names it.

    Where AWS has no such report any more, it says 0 denied too, and names nothing.
    """
    records = unwrap(answer, "request").records
    (message,) = alert.messages(
        judge(records, "2026-11-24T06:12:00Z", gate, lambda *_: None).outcomes, SETTINGS, ENGINE
    )
    _, _, below = message.body.partition("Verify it in its repository: this shows its id and says `0 denied`:\n")
    command, folder = below.partition("\n\n")[0], policies.parent
    (folder / "answer.json").write_text(json.dumps(answer))
    asked = folder / "asked.json"
    (folder / "aws").write_text(AWS.format(python=sys.executable, asked=str(asked), answer=str(folder / "answer.json")))
    (folder / "aws").chmod(0o755)
    path = {"PATH": f"{folder}:{Path(sys.executable).parent}:{os.environ['PATH']}", "OPA_PATH": opa_path}

    (name,) = re.findall(r'"id": "(.*)"', message.body)

    def said() -> tuple[int, bool, bool, bool]:
        shell = [str(shutil.which("bash")), "-c", command]
        ran = subprocess.run(shell, cwd=folder, env=os.environ | path, capture_output=True, text=True, check=False)
        return (
            ran.returncode,
            " 1 denied " in ran.stderr,
            " 0 denied " in ran.stderr,
            f"\tallow\t{name} (" in ran.stdout,
        )

    assert said() == (1, True, False, False)
    assert json.loads(asked.read_text())[:-1] == query
    ids = [reporter["id"] for entry in message.data["findings"] for reporter in entry["finding"]["reporters"]]
    assert all(name in json.loads(asked.read_text())[-1] for name in ids)
    paste(policies, [filled(block) for block in blocks(message.body)])
    assert said() == (0, False, True, True)
    (folder / "answer.json").write_text('{"findings": []}')
    assert said() == (0, False, True, False)


@pytest.mark.parametrize(
    ("on", "words"),
    [
        pytest.param({}, "portcullis decide -", id="none"),
        pytest.param({"look_up_sources": True}, "LOOK_UP_SOURCES=true portcullis decide --look-up -", id="one"),
        pytest.param(
            {"look_up_sources": True, "look_up_tags": "always"},
            "LOOK_UP_SOURCES=true LOOK_UP_TAGS=always portcullis decide --look-up -",
            id="two",
        ),
        pytest.param(
            {
                "look_up_sources": True,
                "look_up_tags": "missing",
                "look_up_groups": True,
                "look_up_containers": True,
            },
            "portcullis decide --look-up -",
            id="all",
        ),
    ],
)
def test_command_has_the_look_ups_of_the_function(gate: Opa, on: dict[str, Any], words: str) -> None:
    """The pasted allowance is judged by what the function would read too."""
    settings = msgspec.structs.replace(SETTINGS, **on)
    (message,) = alert.messages(outcomes(gate, [finding(WEB, exposure(22, sources=OFFICE))]), settings, ENGINE)
    assert f" |\n  {words}\n" in message.body


def test_report_of_several_scanners_is_verified_from_a_file(gate: Opa) -> None:
    """No one question to AWS has them all; what a prohibition denies stays denied."""
    told = finding(WEB, exposure(22, 23))
    other = Reporter(name="guardduty", id="arn:aws:guardduty:eu-west-1:111122223333:detector/d/finding/f")
    both = msgspec.structs.replace(told, reporters=(*told.reporters, other))
    (message,) = alert.messages(outcomes(gate, [both]), SETTINGS, ENGINE)
    words = " ".join(message.body.split())
    assert "Verify it in its repository: this shows its id beside `allow`, where FILE has the report: " in words
    assert "\nportcullis decide FILE\n" in message.body
    assert f"\nReport    {told.reporters[0].id}\n          {other.id}\n" in message.body
