"""`portcullis baseline`: filled in, what it proposes silences exactly what it was made from, as real OPA judges it."""

import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from handler.bundle import Folder
from handler.cli import main, proposal_tests
from handler.cli.proposals import Baseline, text
from handler.cli.summary import Line
from handler.decision import Decision
from handler.finding import UNKNOWN, Finding
from handler.memory.parts import holds
from handler.opa import Opa
from handler.outcome import Outcome
from handler.process import Process
from handler.settings import ROOT
from tests.builders import exposure, finding, server, team_folder
from tests.check_driver import compare
from tests.pages import DOCS, blocks

NOW = "2026-11-24T06:12:00Z"
AT = ("--now", NOW)
OTHER_ACCOUNT = "444455556666"
NETWORKS = """anywhere: [0.0.0.0/0, "::/0"]
office: [203.0.113.0/24]
partner: [198.51.100.0/25, 198.51.100.128/25]
"""
FORBIDS = """package forbid

prohibition contains {
	"id": "no-telnet",
	"tcp": [23],
	"sources": ["anywhere"],
	"reason": "Telnet is never encrypted",
}
"""
SOURCES = (
    *("0.0.0.0/0", "::/0", "203.0.113.0/24", "203.0.113.0/25", "203.0.113.128/25", "203.0.112.0/23"),
    *("198.51.100.0/24", "198.51.100.7/32", "2001:db8::/32", "sg-0a1", "pl-0b2", UNKNOWN),
)
PORTS = (21, 22, 23, 24, 79, 80, 81, 8080)
SERVERS = (
    server(1, name="web-01", Team="shop"),
    server(2, name="web-02", Team="shop"),
    server(3, name="db-01", Team="data"),
    replace(server(4, name="web-01", Team="shop"), account=OTHER_ACCOUNT),
)
STRANGERS = (server(5, name="web-01", Team="shop"), replace(SERVERS[0], account=OTHER_ACCOUNT))


@pytest.fixture(autouse=True)
def _shell(opa_path: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPA_PATH", opa_path)
    monkeypatch.chdir(tmp_path)


def folder(path: Path) -> Path:
    """Write a folder that allows nothing and prohibits telnet."""
    for name, content in (("networks/data.yaml", NETWORKS), ("forbid/telnet.rego", FORBIDS)):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(content)
    (path / "allow").mkdir(exist_ok=True)
    return path


@pytest.fixture(scope="module")
def unchanged(opa_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opa]:
    """Give a gate of the folder as `folder` writes it."""
    with Opa(Process(str(folder(tmp_path_factory.mktemp("unchanged"))), opa_path)) as gate:
        gate.ready()
        yield gate


def judged(policies: Path, opa_path: str, findings: Sequence[Finding]) -> list[Decision]:
    """Judge findings by a folder."""
    with Opa(Process(str(policies), opa_path)) as gate:
        gate.ready()
        return decided(gate, findings)


def decided(gate: Opa, findings: Sequence[Finding]) -> list[Decision]:
    """Judge findings, of which none may be refused."""
    decisions = gate.decide(findings)
    assert all(isinstance(decision, Decision) for decision in decisions), decisions
    return [decision for decision in decisions if isinstance(decision, Decision)]


def proposed(policies: Path, findings: Iterable[Finding], decisions: Iterable[Decision]) -> str:
    """Return the Rego that is proposed for what was decided."""
    return both(policies, findings, decisions)[0]


def both(policies: Path, findings: Iterable[Finding], decisions: Iterable[Decision]) -> tuple[str, str]:
    """Return the Rego that is proposed for what was decided, and its tests."""
    baseline = Baseline("Team")
    for finding_, decision in zip(findings, decisions, strict=True):
        outcome = Outcome(records=("1",), report=finding_, decision=decision)
        baseline.add(Line(file="findings.json", record="1", told=outcome.told()))
    proposals = baseline.proposals(())
    rego = text(proposals, baseline.left_out, Folder(policies), ["Proposed."], "2026-12-24")
    return rego, proposal_tests.text(proposals, "baseline")


def filled(rego: str) -> str:
    """Fill the blanks, as a person does."""
    return rego.replace('"owner": ""', '"owner": "netops"').replace('"reason": ""', '"reason": "Judged necessary"')


def formatted(opa_path: str, file: Path) -> str:
    """Return what `opa fmt` would change."""
    done = subprocess.run([opa_path, "fmt", "--diff", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


exposures = st.builds(
    lambda port, to, protocol, sources: exposure(port, to=max(port, to), protocol=protocol, sources=tuple(sources)),
    st.sampled_from(PORTS),
    st.sampled_from(PORTS),
    st.sampled_from(["tcp", "udp"]),
    st.lists(st.sampled_from(SOURCES), min_size=1, max_size=3, unique=True),
)
findings_of_servers = st.lists(
    st.builds(
        lambda host, reach, opened: replace(finding(*opened, server=host), reach=reach),
        st.sampled_from(SERVERS),
        st.sampled_from(["internet", "vpn"]),
        st.lists(exposures, min_size=1, max_size=2),
    ),
    min_size=1,
    max_size=5,
)


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(findings=findings_of_servers)
def test_silences_exactly_what_it_was_made_from(
    tmp_path: Path, unchanged: Opa, opa_path: str, findings: list[Finding]
) -> None:
    """Judged again, what was denied is allowed, but for telnet and unknown addresses.

    Other ports, servers, accounts, ways in and wider sources are denied as before.
    """
    policies = folder(tmp_path / "policies")
    file = policies / "allow" / "baseline.rego"
    file.unlink(missing_ok=True)
    rego = proposed(policies, findings, decided(unchanged, findings))
    file.write_text(rego)
    assert formatted(opa_path, file) == ""
    file.write_text(filled(rego))

    probes = [
        replace(
            finding(*(exposure(port, protocol=protocol, sources=SOURCES) for port in PORTS), server=host), reach=reach
        )
        for host, reach, protocol in product((*SERVERS, *STRANGERS), ("internet", "vpn"), ("tcp", "udp"))
    ]
    decisions = judged(policies, opa_path, [*findings, *probes])
    for asked, decision in zip(probes, decisions[len(findings) :], strict=True):
        allowed = {
            (entry.protocol, port, entry.source)
            for entry in decision.allowed
            for port in range(entry.from_port, entry.to_port + 1)
        }
        assert allowed == expected(asked, findings)
    assert not any(problem for decision in decisions for problem in decision.problems)
    left = {
        entry.cause for decision in decisions[: len(findings)] for entry in decision.denied if entry.source != UNKNOWN
    }
    assert left <= {"prohibited"}


def expected(asked: Finding, findings: Iterable[Finding]) -> set[tuple[str, int, str]]:
    """Return the points of a finding that the proposal should allow, worked out address by address and port by port."""
    of_server = [
        made
        for made in findings
        if (made.server.account, made.server.id) == (asked.server.account, asked.server.id)
        and made.reach in {"internet", asked.reach}
    ]
    points: set[tuple[str, int, str]] = set()
    for opened in asked.exposures:
        port, protocol = opened.from_port, opened.protocol
        sources = frozenset(
            source
            for made in of_server
            for denied in made.exposures
            if denied.protocol == protocol and denied.from_port <= port <= denied.to_port
            for source in denied.sources
            if source != UNKNOWN
        )
        if (protocol, port) != ("tcp", 23):
            points |= {(protocol, port, source) for source in opened.sources if holds(sources, source)}
    return points


HALVES = "203.0.113.0/25", "203.0.113.128/25"


def test_equal_servers_of_an_account_and_a_team_share_an_allowance(tmp_path: Path, unchanged: Opa) -> None:
    """Sources are united, a network of the folder with the same addresses is named, administrative ports come last."""
    policies = folder(tmp_path / "policies")
    findings = [
        *(finding(exposure(80, sources=HALVES), exposure(81, to=90, sources=HALVES), server=host) for host in SERVERS),
        finding(exposure(22), server=SERVERS[0]),
        finding(exposure(8080, sources=("198.51.100.0/24",)), server=SERVERS[2]),
        finding(exposure(9000, sources=("0.0.0.0/1", "128.0.0.0/1")), server=SERVERS[2]),
        replace(finding(exposure(53, protocol="udp", sources=("10.0.0.0/8",)), server=SERVERS[2]), reach="vpn"),
    ]
    rego, tests = both(policies, findings, decided(unchanged, findings))
    compare("baseline.txt", rego)
    compare("baseline_tests.txt", tests)


def test_its_tests_pass_and_reach_every_line(unchanged: Opa, capsys: pytest.CaptureFixture[str]) -> None:
    """With the tests that come with it, a folder passes the check that the workflow of `portcullis init` runs."""
    policies = folder(Path("policies"))
    shutil.rmtree(policies / "forbid")
    findings = [
        finding(exposure(22), exposure(80, to=90, sources=HALVES), server=SERVERS[0]),
        finding(exposure(80, to=90, sources=HALVES), server=SERVERS[1]),
        replace(
            finding(exposure(53, protocol="udp", sources=("10.0.0.0/8", "sg-0a1")), server=SERVERS[0]), reach="vpn"
        ),
    ]
    rego, tests = both(policies, findings, decided(unchanged, findings))
    file = Path("policy_tests/allow/baseline_test.rego")
    file.parent.mkdir(parents=True)
    file.write_text(tests)
    (policies / "allow" / "baseline.rego").write_text(filled(rego))
    assert main(["check", "--coverage", *AT]) == 0
    assert "ok: 3 statements, 3 tests" in capsys.readouterr().out
    (policies / "allow" / "baseline.rego").write_text(filled(rego).replace("[22]", "[23]"))
    assert main(["check", *AT]) == 1
    assert "test_allows_web_01_i_00000000000000001_tcp_22 fails" in capsys.readouterr().out


def test_names_and_long_lists_that_are_hostile_are_formatted(tmp_path: Path, unchanged: Opa, opa_path: str) -> None:
    """No name ends a comment or a text, and what does not fit on a line has a line for each of its members."""
    policies = folder(tmp_path / "policies")
    hostile = 'METADATA\n}\u202e" } allowance contains {'
    many = tuple(f"10.{number}.0.0/24" for number in range(60))
    hosts = [server(number, name=hostile, Team=hostile) for number in range(80)]
    findings = [finding(exposure(8443, sources=many), server=host) for host in hosts]
    rego = proposed(policies, findings, decided(unchanged, findings))
    assert rego.count("allowance contains {\n") == 1
    file = policies / "allow" / "baseline.rego"
    file.write_text(filled(rego))
    assert formatted(opa_path, file) == ""
    assert {decision.action for decision in judged(policies, opa_path, findings)} == {"allow"}


def test_check_refuses_it_until_the_blanks_are_filled(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each blank is named with its file and line and what to write; filled, it passes and allows all."""
    folder(Path("policies"))
    event = str(ROOT / "tests/cases/security_hub/control-of-cis-1-2/event.json")
    assert main(["baseline", *AT, "--tests", "web_test.rego", event]) == 0
    printed = capsys.readouterr()
    assert "package policy_tests.allow.web\n" in Path("web_test.rego").read_text()
    assert "1 allowance proposed for 1 server\n" in printed.err
    file = Path("policies/allow/baseline.rego")
    file.write_text(printed.out)

    assert main(["check", *AT]) == 1
    faults = [line for line in capsys.readouterr().out.splitlines() if "warning" not in line]
    lines = printed.out.splitlines()
    owner, reason = (lines.index(f'\t"{field}": "",') + 1 for field in ("owner", "reason"))
    refused = "it covers nothing until this is mended"
    assert faults == [
        f"{file}:{owner}: allowance sg-0a1-tcp-22: owner is blank; write who answers for it; {refused}",
        f"{file}:{reason}: allowance sg-0a1-tcp-22: reason is blank; write why it is there, as a sentence; {refused}",
    ]
    assert main(["decide", *AT, event]) == 1

    file.write_text(filled(printed.out))
    assert main(["check", *AT]) == 0
    assert main(["decide", *AT, event]) == 0
    capsys.readouterr()
    assert main(["baseline", *AT, event]) == 0
    assert "allowance contains" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "status", "says"),
    [
        pytest.param(
            "07-telnet",
            1,
            "a prohibition forbids it.\n#   shop.example.com (i-0aaaaaaaaaaaaaaa7): tcp 23 from",
            id="prohibited",
        ),
        pytest.param(
            "05-bastion-ssh",
            1,
            "it is not known from where it is open. With --look-up that is read from AWS.\n#   bastion-01",
            id="unknown",
        ),
        pytest.param(
            "08-reversed-range",
            2,
            "it could not be judged. Treat it as open.\n#   FILE: record 1: detail.",
            id="undecidable",
        ),
    ],
)
def test_what_is_not_proposed_is_listed_in_comments(
    name: str, status: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is prohibited, open to an unknown address or could not be judged has no allowance, and a status."""
    folder(Path("policies"))
    Path("FILE").write_text((ROOT / "handler/cli/demo_events" / f"{name}.json").read_text())
    assert main(["baseline", *AT, "FILE"]) == status
    printed = capsys.readouterr()
    assert f"Not proposed: {says}" in printed.out
    assert "No allowance is proposed: what is denied is listed below" in printed.out
    assert "allowance contains" not in printed.out
    assert "0 allowances proposed for 0 servers, 1 not proposed: the comments in the file say why\n" in printed.err


def test_ids_of_the_folder_are_not_proposed_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An id that the folder has is numbered, since no two allowances may share one."""
    policies = folder(tmp_path / "policies")
    event = str(ROOT / "tests/cases/security_hub/control-of-cis-1-2/event.json")
    command = ["baseline", *AT, "--policies", str(policies), event]
    assert main(command) == 0
    (policies / "allow" / "baseline.rego").write_text(capsys.readouterr().out)
    assert main(command) == 0
    assert '"id": "sg-0a1-tcp-22-2",' in capsys.readouterr().out


def test_output_within_the_folder_is_refused(tmp_path: Path) -> None:
    """The shell empties the file before anything is read, so it is named instead of being refused as policies."""
    policies = folder(tmp_path / "policies")
    event = str(ROOT / "tests/cases/security_hub/control-of-cis-1-2/event.json")
    file = policies / "allow" / "baseline.rego"
    command = [sys.executable, "-m", "handler.cli", "baseline", "--policies", str(policies), event]
    with file.open("w") as output:
        done = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, text=True, check=False, cwd=ROOT)
    assert (done.returncode, file.read_text()) == (2, "")
    assert done.stderr == f"{file} is both read and written: let the output be a file elsewhere, and move it there\n"


def test_proposal_of_the_guide_is_what_comes_out(tmp_path: Path, opa_path: str) -> None:
    """The allowance that the guide shows is proposed by the shipped example for two servers of a team."""
    policies = team_folder(tmp_path)
    (shown,) = blocks(DOCS / "quiet-start.md", "rego")
    names = {"web-01": "i-0aaa", "web-02": "i-0bbb"}
    findings = [
        finding(
            exposure(8443, sources=("203.0.113.0/24", "2001:db8:ff1::/48")),
            server=replace(server(1, name=name, Role="web", Team="shop"), id=identifier),
        )
        for name, identifier in names.items()
    ]
    rego = proposed(policies, findings, judged(policies, opa_path, findings))
    assert rego.removeprefix("# Proposed.\n\n") == shown.text
