"""How policies and findings write ports, dates, tags and networks: read without cleverness, for `gate_reading`.

A set of ports is an integer with one bit a port. A source is taken apart into single addresses: the first of it, and
the first behind every border that a network of the policy draws inside it.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from functools import cache
from ipaddress import IPv6Network, collapse_addresses, ip_network
from typing import Any, NamedTuple

Json = Any
Address = tuple[str, int | str]
"""("4", n) and ("6", n) for IP addresses, ("name", id) for security groups and prefix lists."""

PROTOCOLS = ("tcp", "udp")
STRANGERS = ("sg-stranger", "999999999999/sg-stranger", "pl-stranger")
"""Groups and prefix lists that no policy names: `unknown` may be one of them."""


class Networks(NamedTuple):
    """Readable words, united: the first and last addresses of networks, the names, and whether they are everything."""

    spans: tuple[tuple[str, int, int], ...]
    names: frozenset[str]
    everything: bool

    def hold(self, address: Address, prefix_list: str | None = None) -> bool:
        """Say whether the address, which may be one of a prefix list's, lies in these networks."""
        kind, value = address
        if self.everything or value in self.names or prefix_list in self.names:
            return True
        if kind == "name":
            return "sg-*" in self.names and str(value).startswith("sg-")
        return any(family == kind and first <= int(value) <= last for family, first, last in self.spans)


def bits(low: int, high: int) -> int:
    """Give the set of all ports from low to high."""
    return ((1 << (high - low + 1)) - 1) << low


def spans(ports: int) -> Iterator[tuple[int, int]]:
    """Give the maximal ranges of a set of ports, ascending."""
    while ports:
        low = (ports & -ports).bit_length() - 1
        length = (~(ports >> low) & ((ports >> low) + 1)).bit_length() - 1
        yield low, low + length - 1
        ports &= ~bits(low, low + length - 1)


EVERY_PORT = bits(0, 65535)
EVERYTHING = Networks((), frozenset(), everything=True)
NOTHING = Networks((), frozenset(), everything=False)


def filled(value: Json) -> bool:
    """Say whether a value is text in which something can be seen."""
    return isinstance(value, str) and value.strip() != ""


def is_port(value: Json) -> bool:
    """Say whether a value is a whole number from 0 to 65535."""
    return type(value) in {int, float} and 0 <= value <= 65535 and value == int(value)


def port_bits(value: Json) -> int | None:
    """Read a port or a "low-high" text; None when it is neither."""
    if is_port(value):
        return bits(int(value), int(value))
    if not isinstance(value, str) or not re.fullmatch(r"(0|[1-9][0-9]*)-(0|[1-9][0-9]*)", value):
        return None
    low, high = map(int, value.split("-"))
    return bits(low, high) if low <= high <= 65535 else None


def list_bits(value: Json) -> int | None:
    """Read a list of ports; None when it is none, is empty, or any of it cannot be read."""
    if not isinstance(value, list) or not value:
        return None
    read = [port_bits(port) for port in value]
    total = 0
    for one in read:
        if one is None:
            return None
        total |= one
    return total


def tag_bits(tags: Json, key: str) -> tuple[dict[str, int], set[str]]:
    """Read what the tag declares, and the words of it that declare nothing."""
    text = tags.get(key) if isinstance(tags, dict) else None
    declared = dict.fromkeys(PROTOCOLS, 0)
    unreadable = set()
    for word in re.split(r"[\t\n\f\r ]+", text) if isinstance(text, str) else []:
        protocol, _, ports = word.partition("/")
        read = port_bits(int(ports) if re.fullmatch(r"0|[1-9][0-9]*", ports) else ports)
        if protocol in PROTOCOLS and read is not None:
            declared[protocol] |= read
        elif word:
            unreadable.add(word)
    return declared, unreadable


def is_date(value: Json) -> bool:
    """Say whether a value is a day of the calendar, written like 2027-06-30."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def span(value: Json) -> tuple[str, int, int] | None:
    """Read a CIDR without host bits; None when it is none, or IPv4 in the clothes of IPv6."""
    return _span(value) if isinstance(value, str) else None


@cache
def _span(text: str) -> tuple[str, int, int] | None:
    if not re.fullmatch(r"[0-9A-Fa-f:.]+/(0|[1-9][0-9]{0,2})", text):
        return None
    try:
        network = ip_network(text)
    except ValueError:
        return None
    if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped is not None:
        return None
    return str(network.version), int(network.network_address), int(network.broadcast_address)


def is_name(value: Json) -> bool:
    """Say whether a value is a security group, a prefix list, or `sg-*`."""
    pattern = r"([0-9]{12}/)?sg-[0-9A-Za-z]+|pl-[0-9A-Za-z]+|sg-\*"
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None


def is_source(value: Json) -> bool:
    """Say whether a finding's source can be read."""
    return value == "unknown" or span(value) is not None or (is_name(value) and value != "sg-*")


def members(word: Json, named: Json) -> list[str] | None:
    """Give the literals that a word stands for; None when it, or any of them, cannot be read."""
    literals = named[word] if isinstance(word, str) and word in named else [word]
    if not isinstance(literals, list) or not literals:
        return None
    return literals if all(span(text) is not None or is_name(text) for text in literals) else None


def unite(words: Iterable[Json], named: Json) -> Networks:
    """Unite the readable words."""
    return _united(tuple(literal for word in words for literal in members(word, named) or []))


@cache
def _united(literals: tuple[str, ...]) -> Networks:
    cidrs = [literal for literal in literals if span(literal) is not None]
    merged = {str(whole) for version in (4, 6) for whole in collapse_addresses(_of(version, cidrs))}
    return Networks(
        tuple(read for literal in cidrs if (read := span(literal)) is not None),
        frozenset(literals) - frozenset(cidrs),
        everything=merged >= {"0.0.0.0/0", "::/0"},
    )


def _of(version: int, cidrs: list[str]) -> list[Any]:
    return [network for network in map(ip_network, cidrs) if network.version == version]


def borders(networks: Iterable[Networks]) -> set[Address]:
    """Give one address for each stretch between two borders of the networks, and every name in them."""
    found: set[Address] = {("4", 0), ("6", 0)} | {("name", name) for name in STRANGERS}
    for one in networks:
        found |= {("name", name) for name in one.names if name != "sg-*"}
        for family, first, last in one.spans:
            found |= {(family, first), (family, last + 1)}
    return {address for address in found if address not in {("4", 2**32), ("6", 2**128)}}


def addresses(source: str, different: set[Address]) -> set[Address]:
    """Take a source apart into addresses that the policy may treat differently."""
    if source == "unknown":
        return different
    read = span(source)
    if read is None:
        return {("name", source)}
    family, first, last = read
    inside = {(kind, value) for kind, value in different if kind == family and first < int(value) <= last}
    return {(family, first)} | inside
