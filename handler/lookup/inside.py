"""Which sources are inside: private networks, and those of the VPC itself, which may be of public addresses.

The IPv6 addresses of a VPC are mostly public ones. Its CIDR blocks are not looked up: that of a server lies in what is
around its addresses, and of others only the addresses of load balancers matter.
"""

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

from handler.finding import UNKNOWN
from handler.lookup.load_balancers import Target
from handler.lookup.security_groups import PRIVATE, is_cidr

EVERYBODY = frozenset({"0.0.0.0/0", "::/0", UNKNOWN})
"""Whoever else came in beside them would make it no worse."""


def lies_inside(source: str, target: Target) -> bool:
    """Say whether a source is a CIDR of which all addresses are inside, as far as a server's own ones tell."""
    return any(network.subnet_of(one) for network, one in _pairs(source, target))


def may_hide(source: str, target: Target) -> bool:
    """Say whether a source is a CIDR in which a load balancer in front of a server may have its own addresses."""
    return source not in EVERYBODY and any(network.overlaps(one) for network, one in _pairs(source, target))


def _pairs(source: str, target: Target) -> Iterator[tuple[Any, Any]]:
    """Give a source with each network inside of its IP version; nothing unless it is a CIDR."""
    if is_cidr(source):
        network = ip_network(source)
        yield from ((network, one) for one in (*PRIVATE, *target.around) if one.version == network.version)
