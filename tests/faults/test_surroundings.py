"""Look-ups, the machine and the payload fail: no event is lost."""

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

import pytest

from handler import aws, lookup
from handler.settings import LookUps
from load import shapes
from tests.faults.ledger import ALLOWED, DENIED, Ledger, fault
from tests.lookup.endpoint import DENIED as REFUSED
from tests.lookup.endpoint import THROTTLED, Endpoint, Told


class Failing(dict[str, Any]):
    """Answers every action alike, but for the one that asks whose the function is."""

    def __init__(self, told: Told) -> None:
        super().__init__(GetCallerIdentity={"Account": "111122223333"})
        self.told = told

    def get(self, action: str, _: Any = None) -> Any:
        """Give the one answer."""
        return super().get(action, self.told)


@fault("a look-up is throttled, refused or not answered")
@pytest.mark.parametrize("told", [THROTTLED, REFUSED, None], ids=["throttled", "refused", "not-answered"])
def test_look_ups(ledger: Ledger, monkeypatch: pytest.MonkeyPatch, told: Told) -> None:
    """What was to be looked up stays unknown, and everything is decided in time."""
    with Endpoint() as endpoint:
        endpoint.tells = Failing(told)
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint.url)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        monkeypatch.setattr(ledger.world.app, "_LOOK_UP", lookup.prepare(LookUps().all_on()))
        ledger.deliver(seconds=18)
        assert len(set(endpoint.actions())) > 1
    assert (ledger.silent, ledger.alerted, ledger.given_back) == ({*ALLOWED}, {*DENIED}, set())


@fault("the largest batch that Lambda can carry")
def test_largest_batch(ledger: Ledger) -> None:
    """Each of its findings is alerted, is allowed, or is given back."""
    *_, (_, event, findings) = shapes.largest()
    assert len(json.dumps(event)) <= shapes.PAYLOAD
    given_back = len(ledger.world.invoke(event)["batchItemFailures"])
    told = [json.loads(alert["Message"]) for alert in ledger.world.alerts()]
    alerted = sum(len(message["findings"]) + message["left_out"]["findings"] for message in told)
    assert alerted + given_back == findings == len(event["Records"])


@pytest.fixture
def full() -> Iterator[Path]:
    """Give a temporary folder that has no room for anything."""
    with tempfile.TemporaryDirectory() as folder:
        mount = ["mount", "-t", "tmpfs", "-o", "nr_inodes=1", "tmpfs", folder]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("a full folder can only be made where file systems may be mounted")
        yield Path(folder)
        subprocess.run(["umount", folder], check=True)  # noqa: S607  found on PATH like mount


@fault("the temporary folder is full")
def test_full_folder(ledger: Ledger, monkeypatch: pytest.MonkeyPatch, full: Path) -> None:
    """OPA listens without a folder."""
    monkeypatch.setattr(tempfile, "tempdir", str(full))
    os.kill(ledger.world.app.GATE.pid, signal.SIGKILL)
    ledger.deliver()
    assert (ledger.silent, ledger.alerted, ledger.given_back) == ({*ALLOWED}, {*DENIED}, set())
    assert ledger.world.app._PROCESS.address.startswith("@")  # noqa: SLF001  nothing else says how it listens
    os.kill(ledger.world.app.GATE.pid, signal.SIGKILL)


@fault("a proxy is set, and cannot be reached")
def test_proxies(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """OPA is asked without it; the alerts cannot be sent, so their records are given back."""
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setattr(ledger.world.app, "_SNS", aws.client.__wrapped__("sns", "eu-west-1"))
    os.kill(ledger.world.app.GATE.pid, signal.SIGKILL)
    ledger.deliver()
    assert (ledger.silent, ledger.alerted, ledger.given_back) == ({*ALLOWED}, set(), {*DENIED})


@fault("the clock jumps")
def test_clock(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Allowances are in force by the clock as it is; no time limit depends on it."""
    for year, silent in ((1970, {*ALLOWED}), (3000, set()), (2026, {*ALLOWED})):

        class Clock(datetime):
            @classmethod
            def now(cls, _: tzinfo | None = None) -> "Clock":
                return cls(year, 1, 1, tzinfo=UTC)  # noqa: B023  it is called at once

        monkeypatch.setattr(ledger.world.app, "datetime", Clock)
        ledger.deliver(allowed=silent)
        assert (ledger.silent, ledger.given_back) == (silent, set())
        assert ledger.alerted == {*ALLOWED, *DENIED} - silent
        ledger.alerted.clear()


@fault("many events in a row, OPA killed again and again")
def test_nothing_leaks(ledger: Ledger) -> None:
    """No process, no open file and no folder is left behind."""

    def state() -> tuple[int, int, int]:
        local = {line.split()[6] for line in Path("/proc/net/unix").read_text().splitlines()[1:]}
        links = [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
        files = sum(link.startswith("pipe:") or link[len("socket:[") : -1] in local for link in links)
        children = len(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())
        return files, children, len(list(Path(tempfile.gettempdir()).glob("portcullis-*")))

    ledger.deliver()
    before = state()
    for number in range(30):
        if number % 10 == 9:
            os.kill(ledger.world.app.GATE.pid, signal.SIGKILL)
        ledger.deliver()
        assert (ledger.silent, ledger.alerted, ledger.given_back) == ({*ALLOWED}, {*DENIED}, set())
    assert state()[:2] == before[:2]
    assert state()[2] <= before[2] + 1
