"""Networks: the CIDRs of rules, network ACLs and subnets, and what they have in common."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Any

Network = IPv4Network | IPv6Network

EVERYBODY: tuple[str, ...] = ("0.0.0.0/0", "::/0")
ANYWHERE: tuple[Network, ...] = tuple(map(ip_network, EVERYBODY))
PRIVATE: tuple[Network, ...] = tuple(
    map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
)
"""RFC 1918, RFC 6598 and RFC 4193: from none of their addresses does anything come from the internet."""


@lru_cache(1 << 16)
def network(source: str) -> Any:
    """Return a CIDR or an address as a network; null for a group, a list, `unknown`, and what cannot be read."""
    try:
        return ip_network(source, strict=False)
    except ValueError:
        return None


def version(source: str) -> int | None:
    """Return the family of a CIDR, 4 or 6; null for what is none."""
    cidr = network(source)
    return None if cidr is None else int(cidr.version)


def is_private(source: str) -> bool:
    """Say whether a source is a CIDR of which no address is the internet's."""
    return lies_in(source, PRIVATE)


def lies_in(source: str, networks: Iterable[Network]) -> bool:
    """Say whether a source is a CIDR and has no address outside one of these networks."""
    cidr = network(source)
    return cidr is not None and any(shared(cidr, other) == cidr for other in networks)


def overlaps(source: str, networks: Iterable[Network]) -> bool:
    """Say whether a source is a CIDR and has addresses of any of these networks."""
    cidr = network(source)
    return cidr is not None and any(shared(cidr, other) is not None for other in networks)


def shared(first: Any, second: Any) -> Any:
    """Return what two networks share, which is the smaller of them, or null."""
    small, large = (first, second) if first.prefixlen >= second.prefixlen else (second, first)
    return small if small.network_address in large else None


def united(networks: Iterable[Network]) -> tuple[Any, ...]:
    """Return networks of both families without those that others contain or that are halves of one."""
    distinct = set(networks)
    families: Any = ([each for each in distinct if each.version == family] for family in (4, 6))
    return tuple(each for family in families for each in collapse_addresses(family))
