"""What is read of an account and Region before anything is judged: plain values, each with why it may not be whole.

What is rarely needed is read only where something points at it, so an empty part means that nothing leans on it.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from handler.finding import UNKNOWN, Exposure, Server
from handler.lookup.inquiry import Place, Read
from handler.lookup.interfaces import Interface
from handler.lookup.load_balancers import Balancer, Listener, Registered, TargetGroup
from handler.lookup.network_acls import Acl
from handler.lookup.networks import ANYWHERE, PRIVATE, Network, network
from handler.lookup.security_groups import Rule
from handler.lookup.spans import Span


class Target(Struct, frozen=True):
    """What packets arrive at: an interface of a server, or a load balancer behind another.

    `ids` are what it is registered by beside its addresses, `problem` says why it may be registered otherwise. `groups`
    is null where nothing judges who comes in: a load balancer without any. `whole` is false for a security group, which
    is in no target group itself: what is in it may be.
    """

    name: str
    ids: tuple[str, ...] = ()
    networks: tuple[Network, ...] = ()
    groups: tuple[str, ...] | None = ()
    subnet: str | None = None
    vpc: str | None = None
    zone: str | None = None
    problem: str | None = None
    whole: bool = True


class Snapshot(Struct, frozen=True):
    """An account in a Region, as far as findings lean on it.

    Interfaces by instance, rules and members by security group, sources of prefix lists by list, ACLs by subnet, CIDR
    blocks of subnets and of VPCs. Load balancers and their nodes by name (as in a path); listeners, registered targets
    and attributes by ARN, forwards by the listener's ARN. `endpoint_services` has the ARNs of load balancers behind
    PrivateLink; `services` the interfaces, by subnet, by which accelerators and CloudFront come in.
    """

    place: Place
    interfaces: Read[list[Interface]] = Read()
    rules: Read[tuple[Rule, ...]] = Read()
    members: Read[list[Interface]] = Read()
    lists: Read[tuple[str, ...]] = Read()
    acls: Read[Acl] = Read()
    subnets: Read[tuple[Network, ...]] = Read()
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

    def openings(self, groups: Iterable[str] | None, span: Span) -> Iterator[tuple[Rule, Span]]:
        """Yield the rules of groups that open some of these ports, and which."""
        rules = [rule for group in groups or () for rule in self.rules.get(group) or ()]
        yield from ((rule, part) for rule in rules if (part := rule.within(span)))

    def in_group(self, group: str) -> list[Balancer]:
        """Return the load balancers that are in a security group."""
        return [balancer for balancer in self.balancers.items.values() if group in balancer.groups]

    def targets_of(self, server: Server, exposure: Exposure | None = None) -> list[Target]:
        """Return the interfaces on which an exposure of a server may lie, all that it has without an exposure.

        That is the one that the report names, while it is the server's. A group, and an instance of which no interface
        is known, count as one of which nothing is known but its groups.
        """
        if server.kind == "security_group":
            return [Target(server.id, groups=(server.id,), whole=False)]
        attached = self.interfaces.get(server.id) or []
        nothing = None if attached else f"{server.id} has no network interface now"
        problem = self.interfaces.problem(server.id) or nothing
        groups = (exposure.security_group,) if exposure and exposure.security_group else server.security_groups
        named = [interface for interface in attached if exposure and interface.id == exposure.interface]
        return [
            Target(
                server.id,
                (server.id,) if interface.first else (),
                networks_of(interface),
                interface.groups,
                interface.subnet,
                interface.vpc,
                interface.zone,
                problem,
            )
            for interface in named or attached or [Interface("", None, groups)]
        ]


def networks_of(interface: Interface) -> tuple[Network, ...]:
    """Return the addresses of an interface."""
    return tuple(network(address) for address in interface.addresses if address)


def is_unexplained(exposure: Exposure) -> bool:
    """Say whether who reaches an exposure is not told in full."""
    return UNKNOWN in exposure.sources
