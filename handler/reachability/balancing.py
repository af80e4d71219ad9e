"""How packets leave a load balancer: from whose address, from which zones, and whether a rule admits its nodes."""

from msgspec import Struct

from handler.finding import UNKNOWN
from handler.lookup.load_balancers import Balancer
from handler.reachability import addresses
from handler.reachability.index import Hop, Index, Node, Span, Target
from handler.reachability.snapshot import overlaps

PRESERVED = "its targets see the addresses of its clients, as is the default"


class Arrival(Struct, frozen=True):
    """How packets of a hop arrive at a target.

    `keeps` and `hides` say whether the target may see the client's address, and whether a node's; both where that could
    not be read, for which `doubt` is the reason. A client of another family than the target's, one of `families`, is
    hidden always. `zones` are the only ones from which packets come, null for all; none come if `closed`.
    """

    target: Target
    hop: Hop
    keeps: bool = False
    hides: bool = True
    families: tuple[int, ...] = (4,)
    zones: frozenset[str] | None = None
    closed: bool = False
    same_subnet: bool = False
    doubt: str | None = None
    assumptions: tuple[str, ...] = ()

    def appearance(self, source: str, *, hidden: bool) -> tuple[bool, bool]:
        """Say whether a client may be seen by a node's address, and whether by its own. Names may be of any family."""
        family = addresses.version(source)
        other = family is None or {*self.families} != {family}
        return self.hides or hidden or other, self.keeps and not hidden and family in {None, *self.families}


def families_of(balancer: Balancer) -> set[int]:
    """Return the families of a load balancer's clients; both where AWS does not say."""
    return {4} if balancer.address_type == "ipv4" else {4, 6}


def arrival(index: Index, target: Target, hop: Hop) -> Arrival:
    """Return how packets of a hop arrive at a target."""
    balancer, group = hop.balancer, hop.group
    if balancer is None:
        return Arrival(target, hop)
    zones = _zones(index, target, hop, balancer)
    own = [zone for zone in balancer.zones if zones is None or zone.name in zones]
    families = (group.family,) if group else (4,) if balancer.kind == "classic" else (4, 6)
    subnets = {zone.subnet for zone in own} | {
        node.subnet for node in _nodes(index, balancer, zones, families[0]) or ()
    }
    keeps, hides, doubt, assumptions = _preservation(index, hop, balancer)
    return Arrival(
        target,
        hop,
        keeps,
        hides,
        families,
        zones,
        closed=bool(balancer.zones) and not own,
        same_subnet=target.subnet in subnets or (target.subnet is not None and not subnets),
        doubt=doubt,
        assumptions=assumptions,
    )


def _preservation(index: Index, hop: Hop, balancer: Balancer) -> tuple[bool, bool, str | None, tuple[str, ...]]:
    """Say whether targets may see the client's address, whether a node's, why both, and what that rests on."""
    group = hop.group
    if balancer.kind != "network":
        return False, True, None, ()
    if group is None:
        return True, True, hop.doubt, ()
    if group.kind == "alb":
        return True, False, None, ()
    if problem := index.known.attributes.problem(group.arn):
        return True, True, f"{problem}: whether its targets see its clients is unknown", ()
    value = (index.known.attributes.get(group.arn) or {}).get("preserve_client_ip.enabled")
    if value in {"true", "false"}:
        return value == "true", value == "false", None, ()
    return group.preserves, not group.preserves, None, (f"{balancer.name}: {PRESERVED}",) if group.preserves else ()


def _zones(index: Index, target: Target, hop: Hop, balancer: Balancer) -> frozenset[str] | None:
    """Return the only zones from which a target gets packets; null for all. By default Network ones do not cross."""
    zone = hop.zone or target.zone
    if balancer.kind != "network" or hop.group is None or zone is None or not target.whole:
        return None
    if index.known.attributes.problem(balancer.arn) or index.known.attributes.problem(hop.group.arn):
        return None
    name = "load_balancing.cross_zone.enabled"
    values = [(index.known.attributes.get(arn) or {}).get(name) for arn in (hop.group.arn, balancer.arn)]
    crosses = next((value for value in values if value in {"true", "false"}), "false")
    return None if crosses == "true" else frozenset([zone])


def _nodes(index: Index, balancer: Balancer, zones: frozenset[str] | None, family: int) -> list[Node] | None:
    """Return the nodes of a load balancer in some zones, null where they are not known."""
    by_subnet = {zone.subnet: zone.name for zone in balancer.zones}
    nodes = index.nodes(balancer, family)
    if nodes is None or zones is None:
        return nodes
    return [node for node in nodes if by_subnet.get(node.subnet or "") in {None, *zones}]


def admits_node(index: Index, arriving: Arrival, span: Span, admitted: tuple[str, ...] | None) -> bool:
    """Say whether a node of a load balancer, where it may be, is let in to a target; null admits every address.

    Where no node is known it may have any address inside.
    """
    if admitted is not None and UNKNOWN in admitted:
        return True
    target, balancer = arriving.target, arriving.hop.balancer
    nodes: list[Node] = []
    for family in arriving.families:
        known = _nodes(index, balancer, arriving.zones, family) if balancer else None
        inside = index.known.inside()
        if known is None and (admitted is None or any(overlaps(source, inside) for source in admitted)):
            return True
        nodes += known or []
    acl = index.known.acls.get(target.subnet)
    return any(
        (admitted is None or any(overlaps(source, [node.network]) for source in admitted))
        and (acl is None or node.subnet == target.subnet or acl.narrow(*span, str(node.network)))
        for node in nodes
    )
