"""What the paths say is what packets do: nobody who reaches a port is left out, and nobody else is named."""

import os
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from ipaddress import ip_network
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from handler.finding import UNKNOWN, Exposure, Finding
from handler.reachability.addresses import ROUTES
from handler.reachability.exposures import judged
from handler.reachability.index import Index
from tests.lookup.cloud import reported, server
from tests.reachability.oracle import INSIDE, Oracle, holds
from tests.reachability.worlds import PORTS, SERVER, World, broken, snapshot, world

WORLDS = int(os.environ.get("PORTCULLIS_WORLDS", "20000"))
A_GROUP = "a group of which no member gets past a network ACL, by its address or through a load balancer"
A_NETWORK = "a public network that a rule of an internal load balancer names"
TOLERATED = {A_GROUP, A_NETWORK}
"""What is named without need: no ACL is held against groups, and who comes by Direct Connect is not known."""

ADDRESSES = (
    "203.0.113.7",
    "203.0.113.200",
    "198.51.100.9",
    "8.8.8.8",
    "2600:9::1",
    "2a00::1",
    "10.0.0.99",
    "10.0.1.99",
    "10.1.0.99",
    "10.200.0.5",
    "192.168.3.4",
    "198.18.0.99",
    "fd00::9",
    "2600:1:0:100::99",
)
"""One of each network that rules, ACLs and VPCs of the worlds tell apart."""


def found(made: World, known: Any = None) -> Finding:
    """Return what is said of a world's server."""
    finding = reported(server(SERVER), (made.protocol, made.low, made.high))
    return judged(finding, Index(known or snapshot(made)), "now")


def silences(made: World, finding: Finding, oracle: Oracle | None = None) -> Iterator[tuple[str, int]]:
    """Yield the addresses and ports that are reached and that no exposure has."""
    oracle = oracle or Oracle(made)
    own = [address for nic in made.nics if nic.instance != SERVER and not nic.balancer for address in nic.addresses]
    for port in {made.low, made.high, *(port for port in PORTS if made.low < port < made.high)}:
        exposures = [one for one in finding.exposures if one.from_port <= port <= one.to_port]
        sources = {source for one in exposures for source in one.sources}
        for address in () if UNKNOWN in sources else (*ADDRESSES, *own):
            if not any(has(made, source, address) for source in sources) and oracle.reaches(address, port):
                yield address, port


def has(made: World, source: str, address: str) -> bool:
    """Say whether an address is one of a source's."""
    if "/" in source:
        return holds(source, address)
    return any(source in nic.groups and address in nic.addresses for nic in made.nics)


def noises(made: World, finding: Finding, oracle: Oracle) -> Iterator[str]:
    """Yield the kinds of sources that nobody comes from to an end or the middle of their ports."""
    for exposure in finding.exposures:
        if exposure.load_balancer and not exposure.rules and exposure.sources[0].startswith("sg-"):
            continue  # what a rule opens to a load balancer that sends nothing there is told by its group
        ports = {exposure.from_port, (exposure.from_port + exposure.to_port) // 2, exposure.to_port}
        for source in exposure.sources:
            if source != UNKNOWN and not all(reached(made, oracle, source, port) for port in ports):
                yield kind(made, finding, exposure, source)


def reached(made: World, oracle: Oracle, source: str, port: int) -> bool:
    """Say whether some address of a source gets to a port."""
    own = [address for nic in made.nics if not nic.balancer for address in nic.addresses]
    addresses = dict.fromkeys([*some_of(source), *ADDRESSES, *own])
    return any(has(made, source, address) and oracle.reaches(address, port) for address in addresses)


@lru_cache(1 << 12)
def some_of(source: str) -> tuple[str, ...]:
    """Return the first, the middle and the last address of a CIDR; nothing of a group."""
    if "/" not in source:
        return ()
    network = ip_network(source)
    return str(network[0]), str(network[network.num_addresses // 2]), str(network[-1])


def kind(made: World, finding: Finding, exposure: Exposure, source: str) -> str:
    """Name a kind of noise."""
    if source.startswith("sg-"):
        members = [nic for nic in made.nics if source in nic.groups and not nic.balancer]
        return A_GROUP if members else "a group that nothing is in"
    if ROUTES in finding.notes and not any(holds(inside, str(ip_network(source)[0])) for inside in INSIDE):
        return A_NETWORK
    via = "through a load balancer" if exposure.load_balancer else "directly"
    return f"IPv{ip_network(source).version} {via}"


def test_nobody_is_left_out_and_nobody_else_is_named() -> None:
    """In every world; how much is named without need is counted by kind, and there is none."""
    noise: Counter[str] = Counter()
    for seed in range(WORLDS):
        made = world(Random(seed))  # noqa: S311  worlds are no secret
        finding, oracle = found(made), Oracle(made)
        assert list(silences(made, finding, oracle)) == [], f"world {seed}"
        noise.update(noises(made, finding, oracle))
    print(WORLDS, "worlds, needless sources:", dict(noise))  # noqa: T201  the measurement
    assert not noise.keys() - TOLERATED


def test_what_could_not_be_read_leaves_nobody_out() -> None:
    """Where a part of a world, or one thing of it, was not read, who comes that way is unknown."""
    for seed in range(WORLDS // 10):
        random = Random(seed)  # noqa: S311  worlds are no secret
        made = world(random)
        finding = found(made, broken(random, snapshot(made)))
        assert list(silences(made, finding)) == [], f"world {seed}"


class Drawn(Random):
    """What bytes say instead of chance, and nothing but zeros after them: drawing them once is much cheaper."""

    def __init__(self, drawn: bytes) -> None:
        super().__init__(0)
        self._drawn = iter(drawn)

    def random(self) -> float:
        """Return a number from 0 to below 1."""
        return next(self._drawn, 0) / 256

    def getrandbits(self, k: int, /) -> int:
        """Return a number of at most 8 bits: nothing in a world has more choices."""
        assert k <= 8
        return next(self._drawn, 0) % (1 << k)


@settings(max_examples=1000, deadline=None)
@given(st.binary(min_size=400, max_size=400))
def test_nobody_is_left_out_of_shrunk_worlds(drawn: bytes) -> None:
    """The same of worlds that Hypothesis makes small when they fail."""
    made = world(Drawn(drawn))
    assert list(silences(made, found(made))) == []
