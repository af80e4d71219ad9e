"""Which listener leads to which port of a server: one index over target groups and Classic load balancers.

Instances, addresses, load balancers as targets, and container ports all go through it.
"""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from handler.lookup import load_balancers
from handler.lookup.inquiry import grouped
from handler.lookup.load_balancers import Balancer, Listener, Registered, TargetGroup
from handler.lookup.networks import network, shared
from handler.lookup.spans import Span
from handler.reachability.snapshot import Snapshot, Target, networks_of


class Hop(Struct, frozen=True):
    """A load balancer that leads to ports of a target, from one of its listeners, by a target group unless Classic.

    `balancer` and `listener` are null where they could not be read. `doubt` says why it may lead there only; `zone` is
    the only zone in which a target gets packets from a load balancer that does not cross zones, or `all`.
    """

    span: Span
    balancer: Balancer | None = None
    listener: Listener | None = None
    group: TargetGroup | None = None
    doubt: str | None = None
    zone: str | None = None


class Index:
    """A snapshot, and what is registered where in it."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._by_arn = {balancer.arn: balancer for balancer in snapshot.balancers.items.values() if balancer.arn}
        groups = snapshot.groups.items.values()
        registered = [(group, target) for group in groups for target in snapshot.targets.get(group.arn) or ()]
        self._registered = grouped((network(target.id) or target.id, (group, target)) for group, target in registered)
        self._unread = [group for group in groups if snapshot.targets.problem(group.arn)]
        self._suspected: dict[Any, list[Hop]] = {}
        self.entries: dict[Any, Any] = {}
        """Who comes in to a listener, once that was worked out."""

    def of_balancer(self, balancer: Balancer) -> Target:
        """Return a load balancer as a target of others."""
        nodes = self.snapshot.nodes.get(balancer.name) or []
        networks = tuple(address for node in nodes for address in networks_of(node))
        nothing = None if networks else f"{balancer.name} has no network interface now"
        problem = self.snapshot.nodes.problem(balancer.name) or nothing
        ids = (balancer.arn,) if balancer.arn else ()
        return Target(balancer.name, ids, networks, balancer.groups or None, problem=problem)

    def registered(self, target: Target) -> Iterator[tuple[TargetGroup, Registered]]:
        """Yield what is registered of a target, and where."""
        keys: list[Any] = [*target.ids]
        for address in target.networks:
            inside = (key for key in self._registered if not isinstance(key, str) and shared(address, key))
            keys += inside if address.num_addresses > 1 else [address]
        for key in keys:
            yield from self._registered.get(key, ())

    def doubtful(self, target: Target) -> Iterator[tuple[TargetGroup, str]]:
        """Yield the target groups in which a target may be for all that is known, and why that is not known."""
        for group in self._unread:
            if group.kind == "ip" or (group.kind == "alb") == (target.name in self.snapshot.balancers.items):
                yield group, self.snapshot.targets.problem(group.arn) or ""
        if target.problem is not None and target.whole:
            for group in self.snapshot.groups.items.values():
                read = group.arn in self.snapshot.targets.items and not self.snapshot.targets.problem(group.arn)
                if group.kind == "ip" and read:
                    yield group, target.problem

    def hops(self, target: Target, span: Span) -> Iterator[Hop]:
        """Yield every way in which a load balancer leads to one of these ports of a target, or may lead there."""
        if not target.whole:
            yield from self._to_group(target, span)
            return
        for group, registered in dict.fromkeys(self.registered(target)):
            port = span.shared(registered.port, registered.port)
            if port is not None:
                yield from self._through(group, Hop(port, group=group, zone=registered.zone))
        yield from self._suspicions(target, span)
        if problem := self.snapshot.groups.problem():
            for balancer in self._by_arn.values():
                if target.name != balancer.name:
                    yield from self._from(balancer, Hop(span, doubt=problem))
        for balancer in self.snapshot.balancers.items.values():
            if set(target.ids) & set(balancer.servers):
                yield from self._from(balancer, Hop(span))

    def _suspicions(self, target: Target, span: Span) -> list[Hop]:
        """Return the ways that may lead to a target through target groups of which that is not known.

        Where a thousand groups could not be read, those that do the same to a packet are one way.
        """
        key = (span, target.name in self.snapshot.balancers.items, target.problem)
        if key not in self._suspected:
            doubts = self.doubtful(target)
            hops = [hop for group, why in doubts for hop in self._through(group, Hop(span, group=group, doubt=why))]
            alike = grouped((self._effect(hop), hop) for hop in hops)
            self._suspected[key] = [first for first, *_ in alike.values()]
        return self._suspected[key]

    def _effect(self, hop: Hop) -> tuple[Any, ...]:
        """Return a hop with what its target group does to a packet in place of the group."""
        group, attributes = hop.group or TargetGroup(""), self.snapshot.attributes
        values = attributes.problem(group.arn) or repr(attributes.get(group.arn))
        return replace(hop, group=None), group.kind, group.family, group.preserves, values

    def _to_group(self, target: Target, span: Span) -> Iterator[Hop]:
        """Yield the load balancers that the rules of a security group name: they may lead to whatever is in it."""
        doubt = f"what is in {target.name} is not looked up"
        openings = self.snapshot.openings(target.groups, span)
        for source in dict.fromkeys(rule.source for rule, _ in openings):
            for balancer in self.snapshot.in_group(source):
                yield from self._from(balancer, Hop(span, doubt=doubt))

    def _through(self, group: TargetGroup, hop: Hop) -> Iterator[Hop]:
        """Yield the ways through a target group."""
        for arn in group.balancers if hop.span.protocol in group.protocols else ():
            balancer = self._by_arn.get(arn)
            if balancer is None:
                missing = f"{load_balancers.name_in(arn)} was not there a moment ago"
                yield replace(hop, doubt=self.snapshot.balancers.problem() or missing)
            else:
                yield from self._from(balancer, hop)

    def _from(self, balancer: Balancer, hop: Hop) -> Iterator[Hop]:
        """Yield a hop from each listener of a load balancer that leads there, all where that is not known."""
        if balancer.kind == "gateway":
            return
        listeners = self.snapshot.listeners.get(balancer.arn) or balancer.listeners
        problem = self.snapshot.listeners.problem(balancer.arn)
        if problem is not None:
            yield replace(hop, balancer=balancer, doubt=problem)
        for listener in listeners:
            port = listener.server_port
            span = hop.span if port is None else hop.span.shared(port, port)
            leads = hop.span.protocol in listener.protocols and self._leads(
                balancer, listener, hop.group, len(listeners)
            )
            if span is not None and leads:
                yield replace(hop, span=span, balancer=balancer, listener=listener)

    def _leads(self, balancer: Balancer, listener: Listener, group: TargetGroup | None, count: int) -> bool:
        """Say whether a listener may forward to a target group: the only one of its load balancer must."""
        if group is None or group.arn in listener.forwards or self.snapshot.forwards.problem(listener.arn):
            return True
        if listener.arn in self.snapshot.forwards.items:
            return group.arn in self.snapshot.forwards.items[listener.arn]
        return not listener.forwards if balancer.kind == "network" else count == 1
