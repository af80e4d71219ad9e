"""The embedded OPA, always the real one: how it starts, what it is asked, what becomes of what it fails to say."""

import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import UnixStreamServer
from typing import Any

import msgspec
import pytest

from handler import bundle
from handler.bundle import Folder
from handler.decision import Decision
from handler.errors import OpaRefusedError, OpaUnavailableError, PolicyFolderError, PolicyRefusedError, SettingError
from handler.finding import Batch, Server
from handler.opa import CHUNK, CHUNK_BYTES, CHUNK_SOURCES, Opa, chunks
from handler.process import BODY_BYTES, Process
from handler.session import Session
from handler.settings import ROOT
from tests.builders import CONFLICT, PANIC, exposure, finding, server, waiting_policy

POLICIES = ROOT / "policies"
WEB = exposure(443)
OURS = "ours"


@pytest.fixture
def process(opa_path: str) -> Process:
    """Give a started OPA with the shipped policies."""
    return Process(str(POLICIES), opa_path)


@pytest.fixture
def gate(process: Process) -> Iterator[Opa]:
    """Give the gate with the shipped policies."""
    with Opa(process) as gate:
        gate.ready()
        yield gate


@pytest.fixture(scope="module")
def shared_process(opa_path: str) -> Process:
    """Give the OPA of `shared_gate`."""
    return Process(str(POLICIES), opa_path)


@pytest.fixture(scope="module")
def shared_gate(shared_process: Process) -> Iterator[Opa]:
    """Give a gate with the shipped policies, for tests that ask it and neither stop nor end its OPA."""
    with Opa(shared_process) as gate:
        gate.ready()
        yield gate


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    """Give a copy of the shipped policies that a test may spoil."""
    return Path(shutil.copytree(POLICIES, tmp_path / "policies"))


def test_says_which_policies_and_which_opa(process: Process) -> None:
    """What is running is known from the start."""
    with Opa(process) as gate:
        engine = gate.ready()
    assert engine.opa == "1.22.2"
    assert engine.policy == Folder(POLICIES).revision


def test_opa_is_not_asked_before_it_listens(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it loads the policies, no request takes the processor from it."""
    get = Session.get

    def asked(session: Session, url: str, timeout: Any) -> Any:
        assert process.listens()
        return get(session, url, timeout)

    monkeypatch.setattr(Session, "get", asked)
    with Opa(process) as gate:
        gate.ready()


def test_revision_follows_the_content(policies: Path) -> None:
    """The same files have the same revision wherever they lie; a changed line changes it."""
    assert Folder(policies).revision == Folder(POLICIES).revision
    with (policies / "forbid" / "forbid.rego").open("a") as file:
        file.write("# changed\n")
    assert Folder(policies).revision != Folder(POLICIES).revision


def test_decides_more_than_a_chunk_in_order(shared_gate: Opa) -> None:
    """Each of many findings gets its own decision, in the order of the findings."""
    findings = [finding(WEB, server=server(number, name=("web-prod-01", "x")[number % 2])) for number in range(1203)]
    decisions = shared_gate.decide(findings)
    assert [decision.id for decision in decisions if isinstance(decision, Decision)] == [one.id for one in findings]
    actions = [decision.action for decision in decisions if isinstance(decision, Decision)]
    assert actions == [("allow", "deny")[number % 2] for number in range(1203)]


def test_findings_asked_about_ahead_are_asked_about_once(shared_gate: Opa, monkeypatch: pytest.MonkeyPatch) -> None:
    """The decisions are those of the answers that came ahead, in the order of the findings."""
    findings = [finding(exposure(port), server=server(port, Role="web")) for port in range(440, 446)]
    expected = shared_gate.decide(findings)
    asked: list[int] = []
    post = Session.post

    def counted(session: Session, url: str, json: dict[str, Batch], timeout: Any) -> Any:
        asked.append(len(json["input"].findings))
        return post(session, url, json, timeout)

    monkeypatch.setattr(Session, "post", counted)
    shared_gate.ask_ahead(findings[:3])
    shared_gate.ask_ahead(findings[3:])
    assert [*shared_gate.decide(findings[:3]), *shared_gate.decide(findings[3:])] == expected
    assert asked == [3, 3]


def test_opa_that_dies_while_it_is_asked_ahead_decides_all(gate: Opa, process: Process) -> None:
    """What OPA did not answer ahead is asked again, of another OPA."""
    findings = [finding(WEB, server=server(number, Role="web")) for number in range(6)]
    os.kill(process.pid, signal.SIGKILL)
    gate.ask_ahead(findings[:3])
    gate.ask_ahead(findings[3:])
    decisions = [*gate.decide(findings[:3]), *gate.decide(findings[3:])]
    assert [decision.action for decision in decisions] == ["allow"] * 6  # type: ignore[union-attr]


def test_dead_opa_is_restarted(gate: Opa, process: Process) -> None:
    """An OPA killed between two batches is started again, and the batch is asked again."""
    before = process.pid
    os.kill(before, signal.SIGKILL)
    assert _actions(gate) == ["allow"]
    assert process.pid != before


def test_hung_opa_is_restarted(gate: Opa, process: Process) -> None:
    """An OPA that does not answer is ended and started again, within the time there is."""
    before = process.pid
    os.kill(before, signal.SIGSTOP)
    os.waitid(os.P_PID, before, os.WSTOPPED | os.WNOWAIT)
    deadline = time.monotonic() + 4
    decisions = gate.decide([finding(WEB)], deadline)
    assert time.monotonic() < deadline
    assert [decision.action for decision in decisions if isinstance(decision, Decision)] == ["allow"]
    assert process.pid != before


def test_frozen_and_thawed_opa_answers(gate: Opa, process: Process) -> None:
    """Lambda freezes everything between invocations; the same OPA answers afterwards."""
    assert _actions(gate) == ["allow"]
    before = process.pid
    os.kill(before, signal.SIGSTOP)
    os.kill(before, signal.SIGCONT)
    assert _actions(gate) == ["allow"]
    assert process.pid == before


def test_opa_that_cannot_be_restarted_decides_nothing(policies: Path, tmp_path: Path, opa_path: str) -> None:
    """When the restart fails, nothing is decided and the next batch tries again, with the policies as read at first."""
    opa = tmp_path / "opa"
    opa.symlink_to(opa_path)
    process = Process(str(policies), str(opa))
    with Opa(process) as gate:
        gate.ready()
        shutil.rmtree(policies)
        kept = opa.rename(tmp_path / "kept")
        os.kill(process.pid, signal.SIGKILL)
        assert [type(answer) for answer in gate.decide([finding(WEB)])] == [OpaUnavailableError]
        kept.rename(opa)
        assert _actions(gate) == ["allow"]


def test_no_time_left_decides_nothing(shared_gate: Opa) -> None:
    """A deadline that has passed is an error, never an answer."""
    [error] = shared_gate.decide([finding(WEB)], time.monotonic() - 1)
    assert isinstance(error, OpaUnavailableError)
    assert str(error) == "no time is left to ask OPA"


def test_opa_without_time_to_start_lacks_no_memory(process: Process) -> None:
    """An OPA that is not given the time to start is not called too slow."""
    with Opa(process) as gate, pytest.raises(OpaUnavailableError, match="no time is left to start OPA"):
        gate.ready(time.monotonic() - 1)


def test_conflict_on_one_finding_spares_the_others(policies: Path, opa_path: str) -> None:
    """A policy that contradicts itself for one of a hundred findings leaves the other 99 decided."""
    (policies / "allow" / "conflict.rego").write_text(CONFLICT)
    findings = [finding(WEB, server=server(number, name="web-prod-01")) for number in range(99)]
    findings.insert(41, finding(WEB, server=server(99, name="guilty")))
    with Opa(Process(str(policies), opa_path)) as gate:
        gate.ready()
        decisions = gate.decide(findings)
    refused = {index: one for index, one in enumerate(decisions) if isinstance(one, OpaRefusedError)}
    assert list(refused) == [41]
    assert "conflict.rego:7: eval_conflict_error" in str(refused[41])
    assert {one.action for one in decisions if isinstance(one, Decision)} == {"allow"}


def test_a_finding_on_which_opa_dies_spares_the_others(policies: Path, opa_path: str) -> None:
    """What OPA never answers to stands alone in the end: it is refused, neither lost nor in the way of others."""
    (policies / "allow" / "panic.rego").write_text(PANIC)
    findings = [finding(WEB, server=server(number)) for number in range(5)]
    findings.insert(3, finding(WEB, server=server(9, name="fatal")))
    with Opa(Process(str(policies), opa_path)) as gate:
        gate.ready()
        decisions = gate.decide(findings)
    refused = {index: one for index, one in enumerate(decisions) if isinstance(one, OpaRefusedError)}
    assert list(refused) == [3]
    assert "no answer to it, while others have one" in str(refused[3])
    assert {one.action for one in decisions if isinstance(one, Decision)} == {"allow"}


@pytest.fixture
def slow_gate(policies: Path, opa_path: str) -> Iterator[Opa]:
    """Give a gate that never judges the server `slow`."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        (policies / "allow" / "slow.rego").write_text(waiting_policy("slow", silent.getsockname()[1]))
        with Opa(Process(str(policies), opa_path)) as gate:
            gate.ready()
            yield gate


def test_a_slow_finding_leaves_time_for_the_others(slow_gate: Opa) -> None:
    """A finding for which no time would be enough does not use up the time in which the others are decided."""
    findings = [finding(WEB, server=server(number)) for number in range(39)]
    findings.append(finding(WEB, server=server(39, name="slow")))
    decisions = slow_gate.decide(findings, time.monotonic() + 6)
    assert [number for number, one in enumerate(decisions) if not isinstance(one, Decision)] == [39]


def test_a_slow_finding_without_a_fair_time_comes_again(slow_gate: Opa) -> None:
    """Where the invocation had too little time left, nobody can say that OPA never answers to the finding."""
    [error] = slow_gate.decide([finding(WEB, server=server(1, name="slow"))], time.monotonic() + 3)
    assert isinstance(error, OpaUnavailableError)
    assert "no time is left" in str(error)
    assert re.fullmatch(r"OPA did not answer in [0-9.]+ seconds", str(error.__cause__))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param([server(number) for number in range(CHUNK)], [], id="before"),
        pytest.param([], [server(1)], id="after"),
    ],
)
def test_what_is_decided_stays_decided(
    policies: Path, tmp_path: Path, opa_path: str, before: list[Server], after: list[Server]
) -> None:
    """When OPA dies and cannot be started again, only what was not decided is without a decision.

    What takes more of OPA than others do is asked last, so the finding of many sources is alone with its fate.
    """
    (policies / "allow" / "panic.rego").write_text(PANIC)
    many = exposure(443, sources=("0.0.0.0/0",) * (CHUNK_SOURCES + 1))
    heavy = finding(many, server=server(number=CHUNK, name="fatal"))
    findings = [*(finding(WEB, server=one) for one in before), heavy, *(finding(WEB, server=one) for one in after)]
    opa = tmp_path / "opa"
    opa.symlink_to(opa_path)
    with Opa(Process(str(policies), str(opa))) as gate:
        gate.ready()
        opa.unlink()
        decisions = gate.decide(findings)
        assert "OPA cannot be started" in str(decisions[len(before)])
        assert {type(one) for one in decisions if one is not decisions[len(before)]} == {Decision}
        opa.symlink_to(opa_path)
        assert _actions(gate) == ["allow"]


ENTRY = '{"protocol": "tcp", "from_port": 443, "to_port": 443, "source": "::/0", "by": ["x"]}'
DECISION = (
    '{"id": finding.id, "action": "%s", "severity": "none", "undecidable": false, "denied": [], '
    '"allowed": [%s], "allowances": {}, "prohibitions": {}, "problems": []}'
)
SOUND = DECISION % ("allow", ENTRY)


@pytest.mark.parametrize(
    ("batch", "said"),
    [
        pytest.param("decisions := [] if input.findings == []", "undefined", id="undefined"),
        pytest.param("decisions := []", "not one decision for each", id="no-decision"),
        pytest.param(
            f"decisions := [d | some finding in input.findings; some _ in [1, 2]; d := {SOUND}]", "each", id="two"
        ),
        pytest.param(
            f'decisions := [object.union({SOUND}, {{"id": "x"}}) | some finding in input.findings]', "each", id="id"
        ),
        pytest.param(
            f"decisions := [{DECISION % ('permit', ENTRY)} | some finding in input.findings]",
            "Invalid enum",
            id="action",
        ),
        pytest.param(
            f"decisions := [{DECISION % ('allow', '')} | some finding in input.findings]", "contradicts", id="nothing"
        ),
        pytest.param(
            f'decisions := [object.union({SOUND}, {{"undecidable": true}}) | some finding in input.findings]',
            "contradicts",
            id="undecidable",
        ),
        pytest.param(
            f"decisions := [{DECISION % ('deny', ENTRY)} | some finding in input.findings]",
            "says deny and contradicts",
            id="denies-nothing",
        ),
        pytest.param("decisions := [null | some _ in input.findings]", "not an array of decisions", id="null"),
        pytest.param('decisions := [to_number("x") | some _ in input.findings]', "to_number", id="builtin-error"),
    ],
)
def test_what_is_no_decision_is_never_allow(
    tmp_path: Path, opa_path: str, monkeypatch: pytest.MonkeyPatch, batch: str, said: str
) -> None:
    """Nothing undefined, miscounted, misnamed, unknown, contradictory or failing is taken for a decision."""
    with Opa(_started(tmp_path, opa_path, f"package gate.batch\n\n{batch}\n", monkeypatch)) as gate:
        gate.ready()
        decisions = gate.decide([finding(WEB), finding(exposure(80))])
    assert [type(one) for one in decisions] == [OpaRefusedError, OpaRefusedError]
    assert all(said in str(one) for one in decisions)


def test_sound_decision_is_taken(tmp_path: Path, opa_path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gates of the test above fail for what is wrong with them, not for their form."""
    batch = f"package gate.batch\n\ndecisions := [{SOUND} | some finding in input.findings]\n"
    with Opa(_started(tmp_path, opa_path, batch, monkeypatch)) as gate:
        gate.ready()
        assert _actions(gate) == ["allow"]


def test_refused_policies_stop_the_start(policies: Path, opa_path: str) -> None:
    """OPA's own message says what is wrong with the policies, and names the file as the person did."""
    broken = policies / "allow" / "broken.rego"
    broken.write_text("package allow\n\nallowance contains {")
    with Opa(Process(str(policies), opa_path)) as gate, pytest.raises(PolicyRefusedError) as refused:
        gate.ready()
    assert f"{broken}:3: rego_parse_error" in str(refused.value)


def test_engine_without_the_gate_stops_the_start(
    tmp_path: Path, opa_path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that decides nothing is refused before the first event."""
    started = _started(tmp_path, opa_path, "package gate\n\nx := 1\n", monkeypatch)
    with Opa(started) as gate, pytest.raises(PolicyRefusedError, match=r"data\.gate\.batch\.decisions is not there"):
        gate.ready()


def test_missing_executable_and_folder_are_named(opa_path: str) -> None:
    """What cannot be started is named by its variable."""
    with pytest.raises(SettingError, match="OPA_PATH is 'no-such-opa'"):
        Process(str(POLICIES), "no-such-opa")
    with pytest.raises(PolicyFolderError, match=r"no-such-folder is no folder: .* POLICIES_PATH"):
        Process("no-such-folder", opa_path)


def test_policies_see_no_environment_but_the_token(
    policies: Path, opa_path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A policy that reads the environment of the process finds no credentials in it."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    (policies / "allow" / "curious.rego").write_text(
        'package allow\n\nallowance contains {"id": concat(",", object.keys(opa.runtime().env)), "tcp": [443], '
        '"sources": ["anywhere"], "owner": "x", "reason": "x", "expires": "2027-01-01"}\n'
    )
    with Opa(Process(str(policies), opa_path)) as gate:
        gate.ready()
        [decision] = gate.decide([finding(WEB, server=server(name="stranger"))])
    assert isinstance(decision, Decision)
    assert decision.allowed[0].by == ("GOGC,GOMEMLIMIT,OPA_TOKEN",)


def test_loopback_needs_no_proxy(opa_path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in the function's environment does not get the findings."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with Opa(Process(str(POLICIES), opa_path)) as gate:
        gate.ready()
        assert _actions(gate) == ["allow"]


@pytest.mark.parametrize(
    ("request_line", "token", "status"),
    [
        pytest.param("POST v1/data/gate/batch/decisions", OURS, 200, id="the-question"),
        pytest.param("POST v1/data/gate/batch/decisions", None, 401, id="the-question-without-token"),
        pytest.param("POST v1/data/gate/batch/decisions", "guessed", 401, id="the-question-with-another-token"),
        pytest.param("POST v1/data/gate/decision", OURS, 401, id="another-question"),
        pytest.param("POST v1/data", OURS, 401, id="all-data"),
        pytest.param("POST v1/query", OURS, 401, id="an-ad-hoc-query"),
        pytest.param("PUT v1/policies/x", OURS, 401, id="a-policy"),
        pytest.param("GET v1/data/gate/batch/decisions", OURS, 401, id="another-method"),
        pytest.param("GET health", None, 200, id="health"),
    ],
)
@pytest.mark.usefixtures("shared_gate")
def test_opa_answers_one_question(shared_process: Process, request_line: str, token: str | None, status: int) -> None:
    """Only the holder of the token may ask, and only for decisions."""
    method, path = request_line.split()
    headers = {"Authorization": f"Bearer {shared_process.token if token == OURS else token}"} if token else {}
    answered, _ = _request(shared_process, method, path, headers, b'{"input": {"findings": []}}')
    assert answered == status


@pytest.mark.parametrize("token", [OURS, None])
def test_body_larger_than_any_query_is_refused_unread(
    shared_process: Process, shared_gate: Opa, token: str | None
) -> None:
    """OPA answers to the header alone of a body that is too large, whoever sends it."""
    headers = {"Content-Length": str(BODY_BYTES + 1)}
    headers |= {"Authorization": f"Bearer {shared_process.token}"} if token else {}
    status, body = _request(shared_process, "POST", "v1/data/gate/batch/decisions", headers)
    assert status == 400
    assert b"server.decoding.max_length" in body
    assert _actions(shared_gate) == ["allow"]


def test_socket_is_ours_alone_and_goes_with_opa(process: Process) -> None:
    """Nobody else may connect to the socket or list its folder, which is removed when OPA is ended."""
    with Opa(process) as gate:
        gate.ready()
        path = Path(process.address)
        assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert not path.parent.exists()


@pytest.mark.parametrize("folder", ["/no/such/folder", "long"])
def test_without_a_folder_for_the_socket_opa_is_asked_by_name(
    opa_path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    """Where no socket can be put into the temporary folder, or its path is too long, OPA decides all the same."""
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long) if folder == "long" else folder)
    with Opa(Process(str(POLICIES), opa_path)) as gate:
        gate.ready()
        assert _actions(gate) == ["allow"]
    assert not list(long.iterdir())


IMPOSTOR = """
import socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1].replace("@", chr(0), 1))
listener.listen()
print("listening", flush=True)
while True:
    connection = listener.accept()[0]
    connection.settimeout(1)
    sys.exit(connection.recv(1) != b"")
"""
"""Listens in OPA's place, and ends with status 0 when the first that connects sends nothing."""


@pytest.mark.parametrize("folder", ["/tmp", "/no/such/folder"])  # noqa: S108  both kinds of address are tried
def test_another_process_in_the_place_of_opa_is_told_nothing(
    opa_path: str, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    """Whoever listens where OPA should gets neither token nor finding, and OPA is started anew somewhere else."""
    monkeypatch.setattr(tempfile, "tempdir", folder)
    process = Process(str(POLICIES), opa_path)
    with Opa(process) as gate:
        gate.ready()
        os.kill(process.pid, signal.SIGKILL)
        with suppress(PolicyRefusedError, OpaUnavailableError):
            while True:
                process.check()
        Path(process.address).unlink(missing_ok=True)
        with subprocess.Popen([sys.executable, "-c", IMPOSTOR, process.address], stdout=subprocess.PIPE) as impostor:
            assert impostor.stdout
            assert impostor.stdout.readline() == b"listening\n"
            assert _actions(gate) == ["allow"]
            assert impostor.wait(10) == 0


def test_texts_travel_in_utf8(tmp_path: Path) -> None:
    """A character of four bytes takes four bytes of a query, and not the twelve of its escapes."""
    bodies = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "13")
            self.end_headers()
            self.wfile.write(b'{"result":[]}')

        def address_string(self) -> str:
            return "socket"

        def log_message(self, *_: object) -> None:
            """Keep the tests' output clean."""

    with UnixStreamServer(str(tmp_path / "socket"), Handler) as listener:
        threading.Thread(target=listener.handle_request).start()
        session = Session(str(tmp_path / "socket"), os.getpid(), {})
        known = finding(WEB, server=server(name="\U0001f6aa"))
        answer = session.post("http://localhost/", json={"input": Batch(findings=(known,))}, timeout=5)
        assert answer.json().result == ()
        session.close()
    assert bodies[0].count("\U0001f6aa".encode()) == 2
    assert msgspec.json.decode(bodies[0], type=dict[str, Batch])["input"].findings == (known,)


def test_queries_are_cut_by_their_bytes(shared_gate: Opa) -> None:
    """Findings with many tags are asked about a few at a time, one that fills a query alone; all are decided."""
    tags = {f"tag-{number}": "\U0001f6aa" * 256 for number in range(50)}
    findings = [finding(WEB, server=server(number, **tags)) for number in range(60)]
    findings.insert(7, finding(WEB, server=server(60, **tags | {"large": "x" * CHUNK_BYTES})))
    cut = list(chunks(findings))
    assert [known for chunk in cut for known in chunk] == findings
    sizes = [len(msgspec.json.encode(Batch(findings=tuple(chunk)))) for chunk in cut]
    assert all(size <= CHUNK_BYTES or len(chunk) == 1 for chunk, size in zip(cut, sizes, strict=True))
    assert len(cut) == 5
    assert {type(one) for one in shared_gate.decide(findings)} == {Decision}


def test_finding_larger_than_any_query_is_refused(shared_gate: Opa) -> None:
    """It is undecidable, says why, and leaves the others decided."""
    large = finding(WEB, server=server(2, large="x" * BODY_BYTES))
    before = shared_gate.pid
    decisions = shared_gate.decide([finding(WEB), large])
    assert isinstance(decisions[0], Decision)
    assert isinstance(decisions[1], OpaRefusedError)
    assert "OPA reads no more than" in str(decisions[1])
    assert shared_gate.pid == before


def test_lone_surrogate_is_judged(shared_gate: Opa) -> None:
    """A name that UTF-8 cannot carry is judged as one that no policy knows."""
    findings = [finding(WEB), finding(WEB, server=server(name="\ud800"))]
    decisions = shared_gate.decide(findings)
    assert [one.action for one in decisions if isinstance(one, Decision)] == ["allow", "deny"]


def test_opa_dies_with_its_parent(opa_path: str, tmp_path: Path) -> None:
    """An OPA whose parent is killed does not live on."""
    program = (
        "import os, signal\nfrom handler.process import Process\n"
        f"print(Process({str(POLICIES)!r}, {opa_path!r}).pid, flush=True)\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}  # the folder of its socket stays
    command = [sys.executable, "-c", program]
    parent = subprocess.run(command, stdout=subprocess.PIPE, cwd=ROOT, env=environment, check=False)
    assert parent.returncode == -signal.SIGKILL
    with suppress(ProcessLookupError):
        watched = os.pidfd_open(int(parent.stdout))
        assert select.select([watched], [], [], 10)[0] == [watched]
        os.close(watched)


def _actions(gate: Opa) -> list[str]:
    return [one.action if isinstance(one, Decision) else str(one) for one in gate.decide([finding(WEB)])]


def _started(folder: Path, opa_path: str, engine: str, monkeypatch: pytest.MonkeyPatch) -> Process:
    """Start OPA with an engine that is this file of Rego alone."""
    (folder / "engine").mkdir()
    (folder / "engine" / "gate.rego").write_text(engine)
    monkeypatch.setattr(bundle, "engine", lambda: folder / "engine")
    (folder / "policies" / "networks").mkdir(parents=True)
    shutil.copy(POLICIES / "networks" / "data.yaml", folder / "policies" / "networks")
    return Process(str(folder / "policies"), opa_path)


def _request(
    process: Process, method: str, path: str, headers: dict[str, str], body: bytes | None = None
) -> tuple[int, bytes]:
    """Ask OPA at its socket; return status and body of its answer."""
    with closing(HTTPConnection("localhost", timeout=5)) as connection:
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(process.address)
        connection.request(method, f"/{path}", body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
