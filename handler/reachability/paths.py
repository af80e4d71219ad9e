"""The ways of a packet to a port: past which rule, from which addresses, through which load balancers.

A target is reached directly by whom a rule of its groups admits and the network ACL of its subnet does not keep out,
and through load balancers by whoever comes in to a listener that leads to it, if a rule of its groups admits the packet
as it then comes: from the client's address or from a node's. A load balancer behind another is a target, too.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from handler.finding import UNKNOWN
from handler.lookup.load_balancers import Balancer
from handler.lookup.networks import EVERYBODY, network, overlaps, version
from handler.lookup.security_groups import Rule
from handler.lookup.spans import Span, gaps
from handler.reachability import addresses, balancing
from handler.reachability.index import Hop, Index
from handler.reachability.snapshot import Snapshot, Target


class Path(Struct, frozen=True):
    """One way to a port range of a target.

    `sources` are the addresses, groups and lists that come this way now; if empty, `nobody` says why there is none.
    `rule` is the one that admits them by their own address, and `group` the group that it is in; both are null where no
    group judges them. `hops` are the load balancers on the way, the outermost first; past these `by_group` says that a
    rule of the target names the last one's group, and `by_rule` that the target's rule is what admits the sources.
    `hidden` marks a way to a listener whose targets see a node's address, whatever their target group says, `unseen`
    one through a load balancer of which it is not known that it is there, `foreign` whom another account's group may
    stand for.
    `doubt` says what of the way is unknown, and why, `assumptions` what it rests on.
    """

    span: Span
    sources: tuple[str, ...]
    rule: Rule | None = None
    group: str | None = None
    hops: tuple[Hop, ...] = ()
    by_group: bool = False
    by_rule: bool = False
    hidden: bool = False
    unseen: bool = False
    foreign: bool = False
    nobody: str | None = None
    doubt: str | None = None
    assumptions: tuple[str, ...] = ()

    @property
    def balancer(self) -> Balancer | None:
        """The load balancer next to the target."""
        return self.hops[-1].balancer if self.hops else None


def ways(
    index: Index, target: Target, span: Span, passed: frozenset[str] = frozenset(), *, directly: bool = False
) -> Iterator[Path]:
    """Yield every way to ports of a target, or only those through no load balancer; those `passed` are left out."""
    yield from _direct(index.snapshot, target, span, directly=directly)
    if directly:
        return
    yield from _unseen(index.snapshot, target, span)
    for hop in index.hops(target, span):
        if hop.balancer is None or hop.balancer.name not in passed:
            yield from through(index, target, hop, passed)


def _direct(snapshot: Snapshot, target: Target, span: Span, *, directly: bool) -> Iterator[Path]:
    """Yield the ways through no load balancer."""
    if target.groups is None:
        sources, assumptions = addresses.clipped(snapshot, target, EVERYBODY)
        yield Path(span, sources, assumptions=assumptions)
    for group in target.groups or ():
        if problem := snapshot.rules.problem(group):
            yield Path(span, (UNKNOWN,), group=group, doubt=f"{problem}: whom {group} lets in is unknown")
    for rule, part in snapshot.openings(target.groups, span):
        admitted, doubt, nobody = addresses.named_by(snapshot, rule, directly=directly)
        if "/sg-" in rule.source and admitted and not directly:
            whose = f"whether {rule.source} is a load balancer's is not looked up in {rule.source.partition('/')[0]}"
            yield Path(part, (UNKNOWN,), foreign=True, doubt=f"{whose}: who reaches {part} is unknown")
        sources, assumptions = addresses.clipped(snapshot, target, admitted)
        if admitted and not sources:
            nobody = f"{target.name} has no address that {rule.source} could reach"
        path = Path(part, sources, rule, rule.group, nobody=nobody, doubt=doubt, assumptions=assumptions)
        yield from _past_acl(snapshot, target, path, directly=directly)


def _past_acl(snapshot: Snapshot, target: Target, path: Path, *, directly: bool = False) -> Iterator[Path]:
    """Yield what the network ACL of the target's subnet leaves of a path, and the ports at which it leaves nobody."""
    kept, problem = addresses.past_acl(snapshot, target, path.span, path.sources, same_subnet=not path.hops)
    if path.sources and not directly and snapshot.balancers.problem():
        kept = {path.span: path.sources}  # one of those that could not be read may be in the server's subnet
    assumptions = (*path.assumptions, problem) if problem else path.assumptions
    for part, sources in kept.items():
        yield replace(path, span=part, sources=sources, assumptions=assumptions)
    acl = snapshot.acls.get(target.subnet)
    nobody = path.nobody
    if path.sources and acl is not None:
        nobody = f"network ACL {acl.id} keeps out whom {path.group or 'a load balancer'} lets in to {{ports}}"
    for part in gaps(path.span, kept):
        yield replace(path, span=part, sources=(), nobody=nobody)


def _unseen(snapshot: Snapshot, target: Target, span: Span) -> Iterator[Path]:
    """Yield the ways through load balancers of which it is not known that they are there, or where they lead."""
    problem = snapshot.balancers.problem()
    families = {4, 6}
    if problem is None and not target.whole:
        problem = f"what stands in front of the servers of {target.name} is not looked up"
        families = {family for each in snapshot.balancers.items.values() for family in balancing.families_of(each)}
    if problem is None or not families:
        return
    for rule, part in snapshot.openings(target.groups, span):
        if _admits_unseen(snapshot, rule, families):
            yield Path(part, (UNKNOWN,), unseen=True, doubt=f"{problem}: who reaches {part} is unknown")


def _admits_unseen(snapshot: Snapshot, rule: Rule, families: set[int]) -> bool:
    """Say whether a rule lets in an address inside, from which others than it names may come."""
    sources = snapshot.sources(rule)
    everybody = {version(source) for source in sources if source in EVERYBODY}
    return any(overlaps(source, snapshot.inside()) for source in sources) and not (everybody and families <= everybody)


def through(index: Index, target: Target, hop: Hop, passed: frozenset[str] = frozenset()) -> Iterator[Path]:
    """Yield the ways of whoever comes in to a listener that leads to a target."""
    snapshot = index.snapshot
    arriving = balancing.arrival(snapshot, target, hop)
    openings: list[tuple[Rule | None, Span]] = [*snapshot.openings(target.groups, hop.span)]
    openings += [(None, hop.span)] if target.groups is None else []
    clients = [] if arriving.closed else _entering(index, hop, passed)
    for rule, span in openings:
        cidrs = _admitted(snapshot, hop, rule)
        by_node = balancing.admits_node(snapshot, arriving, span, cidrs)
        for client in clients:
            hidden, seen = _split(snapshot, arriving, client, cidrs, by_node=by_node)
            path = replace(
                client,
                span=span,
                hops=(*client.hops, hop),
                by_group=cidrs is None,
                by_rule=False,
                hidden=False,
                unseen=False,
                doubt=client.doubt or arriving.doubt,
                assumptions=(*client.assumptions, *arriving.assumptions),
            )
            yield from [replace(path, sources=hidden)] if hidden else ()
            yield from _seen(snapshot, arriving, replace(path, sources=seen), rule) if seen else ()
        if (cidrs is None or by_node) and hop.balancer and not any(client.sources for client in clients):
            yield Path(
                span, (), hops=(hop,), nobody=f"the groups of load balancer {hop.balancer.name} let nobody in now"
            )


def _admitted(snapshot: Snapshot, hop: Hop, rule: Rule | None) -> tuple[str, ...] | None:
    """Return the CIDRs that a rule admits; null if it, or having none, admits a load balancer at any address."""
    if rule is None or (hop.balancer and rule.source in hop.balancer.groups):
        return None
    return tuple(source for source in snapshot.sources(rule) if network(source) or source == UNKNOWN)


def _split(
    snapshot: Snapshot, arriving: balancing.Arrival, client: Path, cidrs: tuple[str, ...] | None, *, by_node: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return which of a listener's clients are let in by the address of a node, and which by their own."""
    hidden: list[str] = []
    seen: list[str] = []
    for source in client.sources:
        hides, keeps = arriving.appearance(source, hidden=client.hidden)
        if hides and by_node:
            hidden.append(source)
        elif keeps:
            seen += [source] if cidrs is None else addresses.seen_in(snapshot, source, cidrs)
    return tuple(hidden), tuple(dict.fromkeys(seen))


def _seen(snapshot: Snapshot, arriving: balancing.Arrival, path: Path, rule: Rule | None) -> Iterator[Path]:
    """Yield what the network ACL leaves of clients whose own addresses a target sees."""
    judged = replace(path, rule=rule, group=rule.group, by_rule=True) if rule and not path.by_group else path
    yield from [judged] if arriving.same_subnet else _past_acl(snapshot, arriving.target, judged)


def _entering(index: Index, hop: Hop, passed: frozenset[str]) -> list[Path]:
    """Return who comes in to the listener of a hop, be it through others."""
    name = hop.balancer.name if hop.balancer else None
    key = (name, hop.listener, hop.span.protocol, None if hop.listener else (hop.doubt, hop.span), passed)
    if key not in index.entries:
        index.entries[key] = list(_clients(index, hop, passed))
    clients: list[Path] = index.entries[key]
    return clients


def _clients(index: Index, hop: Hop, passed: frozenset[str]) -> Iterator[Path]:
    balancer, listener = hop.balancer, hop.listener
    if balancer is None or listener is None:
        via = f" through {balancer.name}" if balancer else ""
        doubt = f"{hop.doubt}: who reaches {hop.span}{via} is unknown"
        yield Path(hop.span, (UNKNOWN,), hidden=balancer is None, doubt=doubt)
        return
    span = Span(hop.span.protocol, listener.port, listener.port)
    paths = list(ways(index, index.of_balancer(balancer), span, passed | {balancer.name}))
    yield from paths
    if balancer.kind == "network":
        yield from _by_private_link(index.snapshot, balancer, span, paths)


def _by_private_link(snapshot: Snapshot, balancer: Balancer, span: Span, paths: Iterable[Path]) -> Iterator[Path]:
    """Yield who comes in through an endpoint service: private addresses, which the groups judge where they have to."""
    services = snapshot.endpoint_services
    if problem := services.problem():
        yield Path(span, (UNKNOWN,), hidden=True, doubt=f"{problem}: who comes through an endpoint service is unknown")
    if balancer.arn not in services.items:
        return
    if not balancer.groups or not balancer.enforced:
        families = balancing.families_of(balancer)
        inside = [str(block) for block in snapshot.inside() if block.version in families]
        yield Path(span, tuple(dict.fromkeys(inside)), hidden=True)
        return
    for path in paths:
        sources = addresses.inner(snapshot, path.sources)
        if sources and not path.hops:
            yield replace(path, sources=sources, hidden=True)
