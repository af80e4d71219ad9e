"""The ways of a packet to a port: past which rule, from which addresses, through which load balancers.

A target is reached directly by whom a rule of its groups admits and the network ACL of its subnet does not keep out,
and through load balancers by whoever comes in to a listener that leads to it, if a rule of its groups admits the packet
as it then comes: from the client's address or from a node's. A load balancer behind another is a target, too.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from handler.finding import UNKNOWN, Protocol
from handler.lookup.load_balancers import Balancer
from handler.lookup.security_groups import Rule, is_cidr
from handler.reachability import addresses, balancing
from handler.reachability.addresses import EVERYBODY
from handler.reachability.index import Hop, Index, Span, Target
from handler.reachability.snapshot import overlaps


class Path(Struct, frozen=True, kw_only=True):
    """One way to a port range of a target.

    `sources` are the addresses, groups and lists that come this way now; if empty, `nobody` says why there is none.
    `rule` is the one that admits them by their own address, and `group` the group that it is in; both are null where no
    group judges them. `hops` are the load balancers on the way, the outermost first; past these `named` says that a
    rule of the target names the last one's group, and `own` that the target's rule is what admits the sources.
    `foreign` marks whom another account's group may stand for, `by_acl` that a network ACL is what leaves nobody.
    `doubt` says why a part of the way is unknown, `assumptions` what it rests on.
    """

    protocol: Protocol
    from_port: int
    to_port: int
    sources: tuple[str, ...]
    rule: Rule | None = None
    group: str | None = None
    hops: tuple[Hop, ...] = ()
    named: bool = False
    own: bool = False
    foreign: bool = False
    by_acl: bool = False
    nobody: str | None = None
    doubt: str | None = None
    assumptions: tuple[str, ...] = ()

    @property
    def is_unseen(self) -> bool:
        """Whether it leads through a load balancer of which it is not known that it is there."""
        return self.group is None and not self.hops and self.sources == (UNKNOWN,)

    @property
    def balancer(self) -> Balancer | None:
        """The load balancer next to the target."""
        return self.hops[-1].balancer if self.hops else None


class _Client(Struct, frozen=True):
    """Who comes in to a listener, and whether its targets see a node's address whatever their group says."""

    path: Path
    hidden: bool = False


def ways(
    index: Index, target: Target, span: Span, passed: frozenset[str] = frozenset(), *, directly: bool = False
) -> Iterator[Path]:
    """Yield every way to ports of a target, or only those through no load balancer; those `passed` are left out."""
    yield from _direct(index, target, span, directly=directly)
    if directly:
        return
    yield from _unseen(index, target, span)
    for hop in index.hops(target, span):
        if hop.balancer is None or hop.balancer.name not in passed:
            yield from through(index, target, span.protocol, hop, passed)


def _openings(index: Index, target: Target, span: Span) -> Iterator[tuple[Rule, Span]]:
    """Yield the rules that open some of the ports of a target, and which."""
    for rule in index.known.rules_of(target.groups or ()):
        part = rule.within(*span)
        if part is not None:
            yield rule, Span(span.protocol, *part)


def _path(span: Span, sources: tuple[str, ...], **fields: Any) -> Path:
    return Path(protocol=span.protocol, from_port=span.low, to_port=span.high, sources=sources, **fields)


def _direct(index: Index, target: Target, span: Span, *, directly: bool) -> Iterator[Path]:
    """Yield the ways through no load balancer."""
    if target.groups is None:
        sources, assumptions = addresses.clipped(index, target, EVERYBODY)
        yield _path(span, sources, assumptions=assumptions)
    for group in target.groups or ():
        if problem := index.known.rules.problem(group):
            yield _path(span, (UNKNOWN,), group=group, doubt=f"{problem}: whom {group} lets in is unknown")
    for rule, part in _openings(index, target, span):
        named, doubt, nobody = addresses.named_by(index, rule, directly=directly)
        if "/sg-" in rule.source and named and not directly:
            whose = f"whether {rule.source} is a load balancer's is not looked up in {rule.source.partition('/')[0]}"
            yield _path(part, (UNKNOWN,), foreign=True, doubt=whose)
        sources, assumptions = addresses.clipped(index, target, named)
        if named and not sources:
            nobody = f"{target.name} has no address that {rule.source} could reach"
        path = _path(part, sources, rule=rule, group=rule.group, doubt=doubt, nobody=nobody, assumptions=assumptions)
        yield from _past_acl(index, target, path, directly=directly)


def _past_acl(index: Index, target: Target, path: Path, *, directly: bool = False) -> Iterator[Path]:
    """Yield what the network ACL of the target's subnet leaves of a path, and the ports at which it leaves nobody."""
    ports = (path.from_port, path.to_port)
    kept, problem = addresses.past_acl(index, target, path.protocol, ports, path.sources, own=not path.hops)
    if path.sources and not directly and index.known.balancers.problem(None):
        kept = {ports: path.sources}  # one of those that could not be read may be in the server's subnet
    assumptions = (*path.assumptions, problem) if problem else path.assumptions
    for (low, high), sources in kept.items():
        yield replace(path, from_port=low, to_port=high, sources=sources, assumptions=assumptions)
    acl = index.known.acls.get(target.subnet)
    nobody = path.nobody
    if path.sources and not kept and acl is not None:
        who = "whom a load balancer sends" if path.group is None else f"whom {path.group} lets in"
        nobody = f"network ACL {acl.id} keeps out {who} to {{ports}}"
    for low, high in addresses.gaps(ports, kept):
        yield replace(path, from_port=low, to_port=high, sources=(), by_acl=bool(path.sources), nobody=nobody)


def _unseen(index: Index, target: Target, span: Span) -> Iterator[Path]:
    """Yield the ways through load balancers of which it is not known that they are there, or where they lead."""
    problem = index.known.balancers.problem(None)
    families = {4, 6}
    if problem is None and not target.whole:
        problem = f"what stands in front of the servers of {target.name} is not looked up"
        families = {family for each in index.known.balancers.items.values() for family in balancing.families_of(each)}
    if problem is None or not families:
        return
    for rule, part in _openings(index, target, span):
        if _admits_unseen(index, rule, families):
            yield _path(part, (UNKNOWN,), doubt=problem)


def _admits_unseen(index: Index, rule: Rule, families: set[int]) -> bool:
    """Say whether a rule lets in an address inside, from which others than it names may come."""
    sources = [source for source in index.known.sources(rule) if is_cidr(source)]
    inside = index.known.inside()
    everybody = {addresses.version(source) for source in sources if source in EVERYBODY}
    return any(overlaps(source, inside) for source in sources) and not (everybody and families <= everybody)


def through(
    index: Index, target: Target, protocol: Protocol, hop: Hop, passed: frozenset[str] = frozenset()
) -> Iterator[Path]:
    """Yield the ways of whoever comes in to a listener that leads to a target."""
    span = Span(protocol, hop.from_port, hop.to_port)
    arriving = balancing.arrival(index, target, hop)
    admitting: list[tuple[Rule | None, Span]] = [*_openings(index, target, span)]
    admitting += [(None, span)] if target.groups is None else []
    clients = [] if arriving.closed else _entering(index, hop, protocol, passed)
    for rule, part in admitting:
        named, admitted = _admitted(index, hop, rule)
        by_node = balancing.admits_node(index, arriving, part, None if named else admitted)
        for client in clients:
            yield from _met(index, arriving, client, _Meeting(part, rule, named, by_node, admitted))
        if (named or by_node) and hop.balancer is not None and not any(client.path.sources for client in clients):
            nobody = f"the groups of load balancer {hop.balancer.name} let nobody in now"
            yield _path(part, (), hops=(hop,), nobody=nobody)


def _admitted(index: Index, hop: Hop, rule: Rule | None) -> tuple[bool, tuple[str, ...]]:
    """Say whether a rule, or having none, admits a load balancer whatever its addresses are, and return its CIDRs."""
    if rule is None or (hop.balancer is not None and rule.source in hop.balancer.groups):
        return True, ()
    return False, tuple(source for source in index.known.sources(rule) if is_cidr(source) or source == UNKNOWN)


def _entering(index: Index, hop: Hop, protocol: Protocol, passed: frozenset[str]) -> list[_Client]:
    """Return who comes in to the listener of a hop, be it through others."""
    name = hop.balancer.name if hop.balancer else None
    key = (name, hop.listener, protocol, None if hop.listener else hop.doubt, passed)
    if key not in index.entries:
        index.entries[key] = list(_clients(index, hop, protocol, passed))
    clients: list[_Client] = index.entries[key]
    return clients


def _clients(index: Index, hop: Hop, protocol: Protocol, passed: frozenset[str]) -> Iterator[_Client]:
    balancer, listener = hop.balancer, hop.listener
    if balancer is None or listener is None:
        yield _Client(_path(Span(protocol, 0, 0), (UNKNOWN,), doubt=hop.doubt), hidden=balancer is None)
        return
    span = Span(protocol, listener.port, listener.port)
    paths = list(ways(index, index.of_balancer(balancer), span, passed | {balancer.name}))
    yield from map(_Client, paths)
    if balancer.kind == "network":
        yield from (_Client(path, hidden=True) for path in _by_private_link(index, balancer, span, paths))


def _by_private_link(index: Index, balancer: Balancer, span: Span, paths: Iterable[Path]) -> Iterator[Path]:
    """Yield who comes in through an endpoint service: private addresses, which the groups judge where they have to."""
    services = index.known.endpoint_services
    if problem := services.problem(None):
        yield _path(span, (UNKNOWN,), doubt=f"{problem}: who comes through an endpoint service is unknown")
    if balancer.arn not in services.items:
        return
    if not balancer.groups or not balancer.enforced:
        families = balancing.families_of(balancer)
        inside = [str(block) for block in index.known.inside() if block.version in families]
        yield _path(span, tuple(dict.fromkeys(inside)))
        return
    for path in paths:
        sources = addresses.inner(index, path.sources)
        if sources and not path.hops:
            yield replace(path, sources=sources)


class _Meeting(Struct, frozen=True):
    """What a packet meets: a rule that opens ports of a target, or null where nothing judges who comes in.

    `named` and `by_node` say whether the load balancer is admitted by its group or by the address of a node, `admitted`
    are the CIDRs that are.
    """

    span: Span
    rule: Rule | None
    named: bool
    by_node: bool
    admitted: tuple[str, ...]


def _met(index: Index, arriving: balancing.Arrival, client: _Client, meeting: _Meeting) -> Iterator[Path]:
    """Yield what of whoever a load balancer sends is let in."""
    path, rule = client.path, meeting.rule
    whole: list[str] = []
    kept: list[str] = []
    for source in path.sources:
        hidden, preserved = arriving.appearance(source, hidden=client.hidden)
        if hidden and meeting.by_node:
            whole.append(source)
        elif preserved:
            kept += [source] if meeting.named else addresses.seen_in(index, source, meeting.admitted)
    base = replace(
        path,
        from_port=meeting.span.low,
        to_port=meeting.span.high,
        hops=(*path.hops, arriving.hop),
        named=meeting.named,
        own=False,
        doubt=path.doubt or arriving.doubt,
        assumptions=(*path.assumptions, *arriving.assumptions),
    )
    if whole:
        yield replace(base, sources=tuple(whole))
    if kept:
        by_rule = base if meeting.named or rule is None else replace(base, rule=rule, group=rule.group, own=True)
        seen = replace(by_rule, sources=tuple(dict.fromkeys(kept)))
        yield from [seen] if arriving.same_subnet else _past_acl(index, arriving.target, seen)
