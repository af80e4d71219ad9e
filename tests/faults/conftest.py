"""What the tests of faults share: the function with policies that misbehave for servers of certain names."""

import socket
from collections.abc import Iterator

import pytest

from tests.builders import CONFLICT, PANIC, waiting_policy
from tests.faults.ledger import Ledger
from tests.world import World, start

BUSY = """package allow

allowance contains {} if {
	input.server.name == "busy"
	count([i | some i in numbers.range(1, 300000); i % 7 == 9]) == 1
}
"""
"""Keeps OPA busy for some tenths of a second, and allows nothing."""

GREEDY = """package allow

allowance contains {} if {
	input.server.name == "greedy"
	count(numbers.range(1, 100000000)) == 1
}
"""
"""Needs some gigabytes."""


@pytest.fixture(scope="package")
def started(opa_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Start the function once."""
    folder = tmp_path_factory.mktemp("faults")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endless = waiting_policy("endless", silent.getsockname()[1])
        policies = {"conflict": CONFLICT, "panic": PANIC, "busy": BUSY, "endless": endless, "greedy": GREEDY}
        with start(opa_path, folder, **policies) as world:
            yield world


@pytest.fixture
def ledger(started: World) -> Ledger:
    """Give a ledger of the function, which has an empty queue and an OPA that has just answered."""
    started.alerts()
    ledger = Ledger(started)
    ledger.deliver()
    assert ledger.given_back == set()
    return Ledger(started)
