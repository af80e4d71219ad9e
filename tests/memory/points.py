"""Sets of (port, address) points by brute force: what the memory's parts mean, over a small universe."""

from collections.abc import Iterable

from handler.finding import UNKNOWN
from handler.memory.parts import Part

Point = tuple[str, int, str]

IPV4 = frozenset({"203.0.113.0", "203.0.113.1", "10.0.0.1", "10.128.0.1", "1.1.1.1", "198.51.100.1"})
IPV6 = frozenset({"2001:db8::1", "8000::1"})
OTHERS = frozenset({"sg-1", "sg-2", "111122223333/sg-1", "pl-1", "an address that nobody has read"})
EVERYTHING = IPV4 | IPV6 | OTHERS

ADDRESSES = {
    "0.0.0.0/0": IPV4,
    "0.0.0.0/1": {"10.0.0.1", "10.128.0.1", "1.1.1.1"},
    "128.0.0.0/1": {"203.0.113.0", "203.0.113.1", "198.51.100.1"},
    "10.0.0.0/8": {"10.0.0.1", "10.128.0.1"},
    "10.0.0.0/9": {"10.0.0.1"},
    "10.128.0.0/9": {"10.128.0.1"},
    "203.0.113.0/31": {"203.0.113.0", "203.0.113.1"},
    "203.0.113.0/32": {"203.0.113.0"},
    "203.0.113.1/32": {"203.0.113.1"},
    "::/0": IPV6,
    "::/1": {"2001:db8::1"},
    "8000::/1": {"8000::1"},
    "sg-1": {"sg-1"},
    "sg-2": {"sg-2"},
    "111122223333/sg-1": {"111122223333/sg-1"},
    "pl-1": {"pl-1"},
    UNKNOWN: EVERYTHING,
}
"""Of each source the addresses that it holds: one stands for all that no other source tells from it."""


def completed(addresses: Iterable[str]) -> frozenset[str]:
    """Return everything for whatever holds all of IPv4 and IPv6, as the gate does."""
    addresses = frozenset(addresses)
    return EVERYTHING if addresses >= IPV4 | IPV6 else addresses


def addresses_at(parts: Iterable[Part], protocol: str, port: int) -> frozenset[str]:
    """Return the addresses that some parts hold at a port."""
    here = [part for part in parts if part.protocol == protocol and part.from_port <= port <= part.to_port]
    return completed(address for part in here for address in ADDRESSES[part.source])


def points(parts: Iterable[Part]) -> frozenset[Point]:
    """Return every point of some parts."""
    parts = tuple(parts)
    places = {place for part in parts for place, _ in split(part)}
    return frozenset(
        (protocol, port, address) for protocol, port in places for address in addresses_at(parts, protocol, port)
    )


def split(part: Part) -> list[tuple[tuple[str, int], str]]:
    """Return a part port by port, each with the source."""
    return [((part.protocol, port), part.source) for port in range(part.from_port, part.to_port + 1)]


def placed(parts: Iterable[Part]) -> set[tuple[tuple[str, int], str]]:
    """Return some parts port by port, each with its source."""
    return {place for part in parts for place in split(part)}
