"""Which listener leads to which port of a server: one index over target groups and Classic load balancers.

Instances, addresses, load balancers as targets, and container ports all go through it.
"""

from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from typing import Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from handler.finding import Protocol, Server
from handler.lookup import load_balancers
from handler.lookup.interfaces import Interface
from handler.lookup.load_balancers import Balancer, Listener, Registered, TargetGroup
from handler.lookup.network_acls import Network
from handler.reachability.snapshot import Snapshot, network


class Span(NamedTuple):
    """Ports of one protocol, both ends included."""

    protocol: Protocol
    low: int
    high: int


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


class Hop(Struct, frozen=True):
    """A load balancer that leads to ports of a target, from one of its listeners, by a target group unless Classic.

    `balancer` and `listener` are null where they could not be read. `doubt` says why it may lead there only; `zone` is
    the only zone in which a target gets packets from a load balancer that does not cross zones.
    """

    balancer: Balancer | None
    listener: Listener | None
    group: TargetGroup | None
    from_port: int
    to_port: int
    doubt: str | None = None
    zone: str | None = None


class Node(Struct, frozen=True):
    """Where packets of a load balancer come from: an address, or a subnet's block where no more is known."""

    network: Network
    subnet: str | None


def of_interface(server: Server, interface: Interface, problem: str | None) -> Target:
    """Return an interface of a server as a target."""
    return Target(
        server.id,
        (server.id,) if interface.first else (),
        networks_of(interface),
        interface.groups,
        interface.subnet,
        interface.vpc,
        interface.zone,
        problem,
        server.kind == "instance",
    )


def networks_of(interface: Interface) -> tuple[Network, ...]:
    """Return the addresses of an interface."""
    return tuple(network(address) for address in interface.addresses if address)


class Index:
    """A snapshot, and what is registered where in it."""

    def __init__(self, known: Snapshot) -> None:
        self.known = known
        self._by_arn = {balancer.arn: balancer for balancer in known.balancers.items.values() if balancer.arn}
        self._by_id: dict[str, list[tuple[TargetGroup, Registered]]] = {}
        self._by_address: dict[Any, list[tuple[TargetGroup, Registered]]] = {}
        self._unread: list[TargetGroup] = []
        self.entries: dict[Any, Any] = {}
        """Who comes in to a listener, once that was worked out."""
        for group in known.groups.items.values():
            self._add(group)

    def _add(self, group: TargetGroup) -> None:
        if self.known.targets.problem(group.arn):
            self._unread.append(group)
        for registered in self.known.targets.get(group.arn) or ():
            if load_balancers.is_address(registered.id):
                self._by_address.setdefault(ip_address(registered.id), []).append((group, registered))
            else:
                self._by_id.setdefault(registered.id, []).append((group, registered))

    def in_group(self, group: str) -> list[Balancer]:
        """Return the load balancers that are in a security group."""
        return [balancer for balancer in self.known.balancers.items.values() if group in balancer.groups]

    def of_balancer(self, balancer: Balancer) -> Target:
        """Return a load balancer as a target of others."""
        nodes = self.known.nodes.get(balancer.name) or []
        networks = tuple(address for node in nodes for address in networks_of(node))
        problem = self.known.nodes.problem(balancer.name)
        nothing = None if networks else f"{balancer.name} has no network interface now"
        ids = (balancer.arn,) if balancer.arn else ()
        return Target(
            balancer.name, ids, networks, balancer.groups or None, vpc=balancer.vpc, problem=problem or nothing
        )

    def of_server(self, server: Server) -> list[Target]:
        """Return the interfaces of a server as targets; a group, and an instance without any, are one of no address."""
        attached = self.known.interfaces.get(server.id) or []
        nothing = None if attached else f"{server.id} has no network interface now"
        problem = self.known.interfaces.problem(server.id) or nothing
        unseen = Interface("", None, (server.id,) if server.kind == "security_group" else server.security_groups)
        return [of_interface(server, interface, problem) for interface in attached or [unseen]]

    def registered(self, target: Target) -> Iterator[tuple[TargetGroup, Registered]]:
        """Yield what is registered of a target, and where."""
        for name in target.ids:
            yield from self._by_id.get(name, ())
        for own in target.networks:
            if own.num_addresses == 1:
                yield from self._by_address.get(own.network_address, ())
            else:
                for address, known in self._by_address.items():
                    if address in own:
                        yield from known

    def doubtful(self, target: Target) -> Iterator[tuple[TargetGroup, str]]:
        """Yield the target groups in which a target may be for all that is known, and why that is not known."""
        for group in self._unread:
            if group.kind == "ip" or (group.kind == "alb") == (target.name in self.known.balancers.items):
                yield group, self.known.targets.problem(group.arn) or ""
        if target.problem is not None and target.whole:
            for group in self.known.groups.items.values():
                if group.kind == "ip" and group.arn in self.known.targets.items and group not in self._unread:
                    yield group, target.problem

    def hops(self, target: Target, span: Span) -> Iterator[Hop]:
        """Yield every way in which a load balancer leads to one of these ports of a target, or may lead there."""
        if not target.whole:
            yield from self._to_group(target, span)
            return
        for group, registered in dict.fromkeys(self.registered(target)):
            if span.low <= registered.port <= span.high:
                port = Span(span.protocol, registered.port, registered.port)
                yield from self._through(group, port, None, registered.zone)
        for group, doubt in self.doubtful(target):
            yield from self._through(group, span, doubt)
        if problem := self.known.groups.problem(None):
            for balancer in self._by_arn.values():
                if target.name != balancer.name:
                    yield from self._from(balancer, Hop(None, None, None, span.low, span.high, problem), span.protocol)
        for balancer in self.known.balancers.items.values():
            if set(target.ids) & set(balancer.servers):
                yield from self._classic(balancer, span)

    def _to_group(self, target: Target, span: Span) -> Iterator[Hop]:
        """Yield the load balancers that the rules of a security group name: they may lead to whatever is in it."""
        doubt = f"what is in {target.name} is not looked up"
        rules = [rule for rule in self.known.rules_of(target.groups or ()) if rule.within(*span)]
        for source in dict.fromkeys(rule.source for rule in rules):
            for balancer in self.in_group(source):
                yield from self._classic(balancer, span)
                if balancer.arn:
                    yield from self._from(balancer, Hop(None, None, None, span.low, span.high, doubt), span.protocol)

    @staticmethod
    def _classic(balancer: Balancer, span: Span) -> Iterator[Hop]:
        """Yield the listeners of a Classic load balancer that lead to some ports of its servers."""
        for listener in balancer.listeners:
            port = listener.server_port
            if port is not None and span.protocol in listener.protocols and span.low <= port <= span.high:
                yield Hop(balancer, listener, None, port, port)

    def _through(self, group: TargetGroup, span: Span, doubt: str | None, zone: str | None = None) -> Iterator[Hop]:
        """Yield the ways through a target group."""
        hop = Hop(None, None, group, span.low, span.high, doubt, zone)
        for arn in group.balancers if span.protocol in group.protocols else ():
            balancer = self._by_arn.get(arn)
            if balancer is None:
                missing = f"{load_balancers.name_in(arn)} was not there a moment ago"
                yield replace(hop, doubt=self.known.balancers.problem(None) or missing)
            else:
                yield from self._from(balancer, hop, span.protocol)

    def _from(self, balancer: Balancer, hop: Hop, protocol: Protocol) -> Iterator[Hop]:
        """Yield a hop from each listener of a load balancer that leads there, all where that is not known."""
        if balancer.kind == "gateway":
            return
        listeners = self.known.listeners.get(balancer.arn) or ()
        problem = self.known.listeners.problem(balancer.arn)
        if problem is not None:
            yield replace(hop, balancer=balancer, doubt=problem)
        for listener in listeners:
            if protocol in listener.protocols and self._leads(balancer, listener, hop.group, len(listeners)):
                yield replace(hop, balancer=balancer, listener=listener)

    def _leads(self, balancer: Balancer, listener: Listener, group: TargetGroup | None, count: int) -> bool:
        """Say whether a listener may forward to a target group: the only one of its load balancer must."""
        if group is None or group.arn in listener.forwards:
            return True
        if self.known.forwards.problem(listener.arn):
            return True
        if listener.arn in self.known.forwards.items:
            return group.arn in self.known.forwards.items[listener.arn]
        return not listener.forwards if balancer.kind == "network" else count == 1

    def leading(self, targets: Iterable[Target]) -> tuple[list[Balancer], set[str]]:
        """Return the load balancers that may send to a target, through others too, and the ARNs of target groups."""
        found: dict[str, Balancer] = {}
        arns: set[str] = set()
        left = list(targets)
        while left:
            target = left.pop()
            groups = self._groups_of(target)
            arns |= {group.arn for group in groups}
            for balancer in self._next(target, {arn for group in groups for arn in group.balancers}):
                if balancer.name not in found and balancer.kind != "gateway":
                    found[balancer.name] = balancer
                    left.append(self.of_balancer(balancer))
        return list(found.values()), arns

    def _groups_of(self, target: Target) -> list[TargetGroup]:
        """Return the target groups in which a target is, or may be."""
        groups = (*(group for group, _ in self.registered(target)), *(group for group, _ in self.doubtful(target)))
        return list(dict.fromkeys(groups)) if target.whole else []

    def _next(self, target: Target, arns: set[str]) -> Iterator[Balancer]:
        """Yield the load balancers that forward to a target, or may."""
        if not target.whole:
            rules = self.known.rules_of(target.groups or ())
            yield from (balancer for rule in rules for balancer in self.in_group(rule.source))
            return
        for balancer in self.known.balancers.items.values():
            if balancer.arn in arns or set(target.ids) & set(balancer.servers) or self.known.groups.problem(None):
                yield balancer

    def nodes(self, balancer: Balancer, family: int) -> list[Node] | None:
        """Return where packets of a load balancer come from in a family; null where that is not known.

        In a zone of which no address is known that is its subnet.
        """
        interfaces = self.known.nodes.get(balancer.name) or []
        attached = [Node(address, node.subnet) for node in interfaces for address in networks_of(node)]
        nodes = [node for node in attached if node.network.version == family]
        seen = set() if self.known.nodes.problem(balancer.name) else {node.subnet for node in nodes}
        for zone in balancer.zones:
            subnet = self.known.subnets.get(zone.subnet)
            listed = [network(address) for address in zone.addresses]
            of_family = [address for address in listed if address.version == family]
            if subnet is None and not of_family and zone.subnet not in seen:
                return None
            blocks = [block for block in subnet.blocks if block.version == family] if subnet else []
            if of_family or zone.subnet not in seen:
                nodes += [Node(address, zone.subnet) for address in of_family or blocks]
        return nodes if nodes or balancer.zones else None
