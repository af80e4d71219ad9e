"""Reads the attributes of a network finding of Inspector Classic: texts by key, wherever they are kept.

Shapes: Inspector Classic user guide, "Network Reachability". Aggregates are written as `[[22 - 22], [8000 - 8100]]`.
Classic never says which addresses can reach a port.
"""

import re
from collections.abc import Iterable, Iterator

from handler.errors import UnreadableError
from handler.finding import UNKNOWN, Exposure, Protocol, Reach
from handler.reporters import _fields as fields

NETWORK_KEYS = {"PORT", "TCP_PORTS", "UDP_PORTS", "REACHABILITY_TYPE"}
"""A finding that has one of these is about the network."""

_AGGREGATES: tuple[tuple[str, Protocol], ...] = (("TCP_PORTS", "tcp"), ("UDP_PORTS", "udp"))
_LOAD_BALANCERS = ("ELB2", "ELB")
_REACH: dict[str, Reach] = {"internet": "internet", "peeredvpc": "peered_vpc", "vgw": "vpn"}
_RANGE = re.compile(r"\[\s*(\d{1,5})\s*-\s*(\d{1,5})\s*\]", re.ASCII)


_READ = {*NETWORK_KEYS, *_LOAD_BALANCERS, "PROTOCOL", "SECURITY_GROUP", "INSTANCE_ID", "ENI", "VPC"}


def is_network_rule(rule: str) -> bool:
    """Say whether a finding's `id`, which is the sentence of its rule, is about the network."""
    return "reachable from" in rule.casefold() or fields.folded(rule).startswith("network exposure")


def is_network(keys: Iterable[str]) -> bool:
    """Say whether one of the attributes is about the network, or has the name of such a one misspelled."""
    wanted = set(map(_close, NETWORK_KEYS))
    return any(_close(key) in wanted for key in keys)


def _close(name: str) -> str:
    """Give what near misses of an attribute's name have in common: `UDP_PORTS` and `udp port`."""
    return fields.squeezed(name).rstrip("s")


def exposures(attributes: dict[str, str], path: str) -> tuple[Exposure, ...]:
    """Read what is open. `path` is where the attributes stand, with what stands before a key of them.

    A near miss of an attribute's name spoils the finding: beside `TCP_PORTS`, `UDP_Ports` may hold more.
    """
    known = {_close(name): name for name in _READ}
    for name in attributes:
        if name not in _READ and _close(name) in known:
            raise UnreadableError(path + name, f"is close to {known[_close(name)]}, and is not it")
    balancers = _balancers(attributes)
    return tuple(
        Exposure(
            protocol=protocol,
            from_port=low,
            to_port=high,
            sources=(UNKNOWN,),
            security_group=fields.spoken(attributes.get("SECURITY_GROUP")),
            interface=fields.known(attributes.get("ENI")),
            load_balancer=fields.known(balancers[0] if balancers else None),
        )
        for protocol, low, high in _ports(attributes, path)
    )


def reach(attributes: dict[str, str]) -> Reach | None:
    """Read from where the ports can be reached; null if that is not told."""
    return _REACH.get(attributes.get("REACHABILITY_TYPE", "").lower())


def notes(attributes: dict[str, str]) -> tuple[str, ...]:
    """Name the load balancers on the way."""
    return tuple(f"Inspector reached it through the load balancer {balancer}" for balancer in _balancers(attributes))


def _balancers(attributes: dict[str, str]) -> list[str]:
    return [attributes[key] for key in _LOAD_BALANCERS if attributes.get(key)]


def _ports(attributes: dict[str, str], path: str) -> list[tuple[Protocol, int, int]]:
    """Read the one port, and the aggregates of both protocols, without repeats."""
    ports: list[tuple[Protocol, int, int]] = []
    if "PORT" in attributes:
        port = fields.port(attributes, "PORT", path)
        ports.append((fields.protocol(attributes, "PROTOCOL", path), port, port))
    for key, protocol in _AGGREGATES:
        if key in attributes:
            ports += ((protocol, low, high) for low, high in _ranges(attributes, key, path))
    if not ports:
        raise UnreadableError(path.rstrip("./"), "name no port: PORT, TCP_PORTS and UDP_PORTS are absent or empty")
    return list(dict.fromkeys(ports))


def _ranges(attributes: dict[str, str], key: str, path: str) -> Iterator[tuple[int, int]]:
    """Read `[[22 - 22], [8000 - 8100]]`; a text that was cut off is refused."""
    value = attributes[key].strip()
    words = value[1:-1].split(",") if value[1:-1].strip() else []
    matches = [_RANGE.fullmatch(word.strip()) for word in words]
    if value[:1] + value[-1:] != "[]" or not all(matches):
        raise fields.refusal(attributes, key, path, "a list like [[22 - 22], [8000 - 8100]]")
    for low, high in (map(int, match.groups()) for match in filter(None, matches)):
        if low > high or high > fields.HIGHEST_PORT:
            raise UnreadableError(path + key, f"[{low} - {high}] is no range from 0 to {fields.HIGHEST_PORT}")
        yield low, high
