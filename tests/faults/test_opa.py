"""OPA fails: what is decided is alerted or silent, and the rest is given back."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.ledger import ALLOWED, DENIED, Ledger, fault, named


@pytest.fixture
def killer(ledger: Ledger) -> Iterator[threading.Thread]:
    """Kill OPA as soon as it has worked for some time on what comes next."""
    pid = ledger.world.app.GATE.pid
    before = worked(pid)

    def kill() -> None:
        while worked(pid) < before + 10:
            pass
        os.kill(pid, signal.SIGKILL)

    thread = threading.Thread(target=kill)
    yield thread
    thread.join()


def worked(pid: int) -> int:
    """Return the processor time that a process has taken, in hundredths of a second."""
    numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(numbers[11]) + int(numbers[12])


@fault("OPA is killed before a query")
def test_killed_before_a_query(ledger: Ledger) -> None:
    """It is started again, and everything is decided."""
    os.kill(ledger.world.app.GATE.pid, signal.SIGKILL)
    ledger.deliver()
    assert (ledger.silent, ledger.alerted, ledger.given_back) == ({*ALLOWED}, {*DENIED}, set())


@fault("OPA is killed during a query")
def test_killed_during_a_query(ledger: Ledger, killer: threading.Thread) -> None:
    """It is started again and asked again, and everything is decided."""
    pid = ledger.world.app.GATE.pid
    killer.start()
    ledger.deliver(named("busy", 10), allowed={*ALLOWED, 10})
    assert ledger.world.app.GATE.pid != pid
    assert (ledger.silent, ledger.alerted, ledger.given_back) == ({*ALLOWED, 10}, {*DENIED}, set())


@fault("OPA is killed after a query")
def test_killed_after_a_query(ledger: Ledger) -> None:
    """Neither what was decided before nor what comes next is lost."""
    for _ in range(2):
        ledger.deliver()
        assert (ledger.silent, ledger.alerted, ledger.given_back) == ({*ALLOWED}, {*DENIED}, set())
        os.kill(ledger.world.app.GATE.pid, signal.SIGKILL)


@fault("OPA is stopped and does not answer")
def test_stopped(ledger: Ledger) -> None:
    """It is ended and started again, and everything is decided."""
    pid = ledger.world.app.GATE.pid
    os.kill(pid, signal.SIGSTOP)
    os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)
    ledger.deliver()
    assert ledger.world.app.GATE.pid != pid
    assert (ledger.silent, ledger.alerted, ledger.given_back) == ({*ALLOWED}, {*DENIED}, set())


@fault("OPA cannot be started again")
def test_not_startable(ledger: Ledger) -> None:
    """Everything that needs a decision is given back, and decided when OPA can be started; the rest is done."""
    opa = ledger.world.policies.with_name("opa")
    kept = opa.rename(opa.with_name("kept"))
    os.kill(ledger.world.app.GATE.pid, signal.SIGKILL)
    unreadable = {"source": "strange", "server": f"i-{10:017x}"}
    ledger.deliver(unreadable)
    assert (ledger.silent, ledger.alerted, ledger.given_back) == (set(), {10}, {*ALLOWED, *DENIED})
    kept.rename(opa)
    ledger.deliver(unreadable)
    assert (ledger.silent, ledger.alerted, ledger.given_back) == ({*ALLOWED}, {*DENIED, 10}, set())


@fault("OPA needs more memory than it may have")
def test_memory_limit(ledger: Ledger) -> None:
    """The finding that is too much for it alerts; the others are decided."""
    opa = ledger.world.policies.with_name("opa")
    kept = opa.rename(opa.with_name("kept"))
    opa.write_text(f'#!/bin/sh\nulimit -d 200000\nexec {kept} "$@"\n')
    opa.chmod(0o700)
    os.kill(ledger.world.app.GATE.pid, signal.SIGKILL)
    ledger.deliver(named("greedy", 10))
    assert (ledger.silent, ledger.alerted, ledger.given_back) == ({*ALLOWED}, {*DENIED, 10}, set())
    kept.replace(opa)
    os.kill(ledger.world.app.GATE.pid, signal.SIGKILL)


@fault("one record that no answer is given to, among good ones")
def test_poison(ledger: Ledger) -> None:
    """What OPA dies at, what policies contradict themselves on, and what cannot be read alerts and spoils no other."""
    broken = f'{{"server": "i-{12:017x}"'
    ledger.deliver(named("fatal", 10), named("guilty", 11), broken)
    assert (ledger.silent, ledger.alerted, ledger.given_back) == ({*ALLOWED}, {*DENIED, 10, 11, 12}, set())


@fault("the time runs out while a batch is decided")
def test_time_runs_out(ledger: Ledger) -> None:
    """What was decided is alerted or silent; what was not is given back."""
    ledger.deliver(named("endless", 10), seconds=8)
    assert (ledger.silent, ledger.alerted, ledger.given_back) == ({*ALLOWED}, {*DENIED}, {10})
