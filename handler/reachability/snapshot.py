"""What is read of an account and Region before anything is judged: plain values, each with why it may not be whole.

What is rarely needed is read only where something points at it, so an empty part means that nothing leans on it.
"""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_network
from typing import Any

from msgspec import Struct

from handler.finding import UNKNOWN, Exposure, Server
from handler.lookup.inquiry import Place, Read
from handler.lookup.interfaces import Interface
from handler.lookup.load_balancers import Balancer, Listener, Registered, TargetGroup
from handler.lookup.network_acls import Acl, Network
from handler.lookup.security_groups import PRIVATE, Rule

ANYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))


class Subnet(Struct, frozen=True):
    """The CIDR blocks of a subnet and its zone."""

    blocks: tuple[Network, ...]
    zone: str | None = None


class Snapshot(Struct, frozen=True):
    """An account in a Region, as far as findings lean on it.

    Interfaces by instance, rules and members by security group, sources of prefix lists by list, ACLs and subnets by
    subnet, CIDR blocks by VPC. Load balancers and their nodes by name (as in a path); listeners, registered targets and
    attributes by ARN, forwards by the listener's ARN. `endpoint_services` has the ARNs of load balancers behind
    PrivateLink; `services` the interfaces, by subnet, by which accelerators and CloudFront come in.
    """

    place: Place
    interfaces: Read[list[Interface]] = Read()
    rules: Read[tuple[Rule, ...]] = Read()
    members: Read[list[Interface]] = Read()
    lists: Read[tuple[str, ...]] = Read()
    acls: Read[Acl] = Read()
    subnets: Read[Subnet] = Read()
    vpcs: Read[tuple[Network, ...]] = Read()
    balancers: Read[Balancer] = Read()
    nodes: Read[list[Interface]] = Read()
    listeners: Read[tuple[Listener, ...]] = Read()
    forwards: Read[frozenset[str]] = Read()
    groups: Read[TargetGroup] = Read()
    targets: Read[tuple[Registered, ...]] = Read()
    attributes: Read[dict[str, str]] = Read()
    endpoint_services: Read[bool] = Read()
    services: Read[list[Interface]] = Read()

    def inside(self) -> tuple[Network, ...]:
        """Return the networks of which no address is an internet gateway's client: private ones and VPCs' own.

        Where VPCs could not be read that may be any.
        """
        if self.vpcs.unread or not self.vpcs.items:
            return ANYWHERE
        return (*PRIVATE, *(block for blocks in self.vpcs.items.values() for block in blocks))

    def sources(self, rule: Rule) -> tuple[str, ...]:
        """Return the sources that a rule's source stands for: a prefix list its CIDRs, all others themselves."""
        return () if rule.stale else self.lists.items.get(rule.source, (rule.source,))

    def rules_of(self, groups: Iterable[str]) -> list[Rule]:
        """Return the rules of groups."""
        return [rule for group in groups for rule in self.rules.get(group) or ()]


def entrances(server: Server, exposure: Exposure, known: Read[list[Interface]]) -> tuple[list[Interface], str | None]:
    """Return the interfaces on which an exposure may lie, and why these are not all.

    That is the one that the report names, while it is the server's; else all that the server has. A group, and an
    instance of which no interface is known, count as one of which nothing is known but its groups.
    """
    if server.kind == "security_group":
        return [_unseen((server.id,))], None
    attached = known.get(server.id) or []
    problem = known.problem(server.id) or (None if attached else f"{server.id} has no network interface now")
    if attached:
        return [one for one in attached if one.id == exposure.interface] or attached, problem
    return [_unseen((exposure.security_group,) if exposure.security_group else server.security_groups)], problem


def is_unexplained(exposure: Exposure) -> bool:
    """Say whether who reaches an exposure is not told in full."""
    return UNKNOWN in exposure.sources


def _unseen(groups: tuple[str, ...]) -> Interface:
    return Interface("", None, groups)


@lru_cache(1 << 16)
def network(source: str) -> Any:
    """Return a CIDR, or an address, as a network; null for a group, a prefix list and `unknown`."""
    return ip_network(source, strict=False) if "-" not in source and source != UNKNOWN else None


def overlaps(source: str, networks: Iterable[Network]) -> bool:
    """Say whether a CIDR has addresses of any of these networks."""
    cidr = network(source)
    return any(cidr.version == network.version and cidr.overlaps(network) for network in networks)
