"""How packets leave a load balancer: from whose address, from which zones, and whether a rule admits its nodes."""

from msgspec import Struct

from handler.finding import UNKNOWN
from handler.lookup.load_balancers import Balancer
from handler.lookup.networks import Network, network, overlaps, version
from handler.lookup.spans import Span
from handler.reachability.index import Hop
from handler.reachability.snapshot import Snapshot, Target, networks_of

PRESERVED = "its targets see the addresses of its clients, as is the default"


class Node(Struct, frozen=True):
    """Where packets of a load balancer come from: an address, or a subnet's block where no more is known."""

    network: Network
    subnet: str | None


class Arrival(Struct, frozen=True):
    """How packets of a hop arrive at a target.

    `keeps` and `hides` say whether the target may see the client's address, and whether a node's; both where that could
    not be read, for which `doubt` is the reason. A client of another family than the target's, one of `families`, is
    hidden always. `nodes` are those from which packets come, by family, null where they are not known; none come if
    `closed`.
    """

    target: Target
    keeps: bool = False
    hides: bool = True
    families: tuple[int, ...] = (4,)
    nodes: tuple[list[Node] | None, ...] = (None,)
    closed: bool = False
    same_subnet: bool = False
    doubt: str | None = None
    assumptions: tuple[str, ...] = ()

    def appearance(self, source: str, *, hidden: bool) -> tuple[bool, bool]:
        """Say whether a client may be seen by a node's address, and whether by its own. Names may be of any family."""
        family = version(source)
        other = family is None or {*self.families} != {family}
        return self.hides or hidden or other, self.keeps and not hidden and family in {None, *self.families}


def families_of(balancer: Balancer) -> set[int]:
    """Return the families of a load balancer's clients; both where AWS does not say."""
    return {4} if balancer.address_type == "ipv4" else {4, 6}


def arrival(snapshot: Snapshot, target: Target, hop: Hop) -> Arrival:
    """Return how packets of a hop arrive at a target."""
    balancer, group = hop.balancer, hop.group
    if balancer is None:
        return Arrival(target)
    zone = _only_zone(snapshot, target, hop, balancer)
    sending = [each for each in balancer.zones if zone is None or each.name == zone]
    families = (group.family,) if group else (4,) if balancer.kind == "classic" else (4, 6)
    nodes = tuple(_nodes(snapshot, balancer, zone, family) for family in families)
    subnets = {each.subnet for each in sending} | {node.subnet for node in nodes[0] or ()}
    keeps, hides, doubt, assumptions = _preservation(snapshot, hop, balancer)
    return Arrival(
        target,
        keeps,
        hides,
        families,
        nodes,
        closed=bool(balancer.zones) and not sending,
        same_subnet=target.subnet in subnets or (target.subnet is not None and not subnets),
        doubt=doubt,
        assumptions=assumptions,
    )


def _preservation(snapshot: Snapshot, hop: Hop, balancer: Balancer) -> tuple[bool, bool, str | None, tuple[str, ...]]:
    """Say whether targets may see the client's address, whether a node's, why both, and what that rests on."""
    group, attributes = hop.group, snapshot.attributes
    if balancer.kind != "network":
        return False, True, None, ()
    if group is None:
        return True, True, f"{hop.doubt}: who reaches {hop.span} through {balancer.name} is unknown", ()
    if group.kind == "alb":
        return True, False, None, ()
    if problem := attributes.problem(group.arn):
        return True, True, f"{problem}: whether targets of {balancer.name} see its clients is unknown", ()
    value = (attributes.get(group.arn) or {}).get("preserve_client_ip.enabled")
    if value in {"true", "false"}:
        return value == "true", value == "false", None, ()
    return group.preserves, not group.preserves, None, (f"{balancer.name}: {PRESERVED}",) if group.preserves else ()


def _only_zone(snapshot: Snapshot, target: Target, hop: Hop, balancer: Balancer) -> str | None:
    """Return the only zone from which a target gets packets; null for all. By default Network ones do not cross."""
    zone, attributes = hop.zone or target.zone, snapshot.attributes
    if balancer.kind != "network" or hop.group is None or not target.whole or zone == "all":
        return None
    arns = (hop.group.arn, balancer.arn)
    values = [(attributes.get(arn) or {}).get("load_balancing.cross_zone.enabled") for arn in arns]
    crosses = next((value for value in values if value in {"true", "false"}), "false")
    return None if crosses == "true" or any(map(attributes.problem, arns)) else zone


def _nodes(snapshot: Snapshot, balancer: Balancer, only_zone: str | None, family: int) -> list[Node] | None:
    """Return where packets of a load balancer come from, in one zone or in all; null where that is not known.

    In a zone of which no address is known that is its subnet.
    """
    attached = [
        (address, node.subnet) for node in snapshot.nodes.get(balancer.name) or () for address in networks_of(node)
    ]
    nodes = [Node(address, subnet) for address, subnet in attached if address.version == family]
    seen = set() if snapshot.nodes.problem(balancer.name) else {node.subnet for node in nodes}
    for zone in balancer.zones:
        blocks = snapshot.subnets.get(zone.subnet) if zone.subnet not in seen else ()
        if blocks is None:
            return None
        parts = (*blocks, *filter(None, map(network, zone.prefixes)))
        nodes += [Node(part, zone.subnet) for part in parts if part.version == family]
    elsewhere = {zone.subnet for zone in balancer.zones if only_zone not in {None, zone.name}}
    sending = [node for node in nodes if node.subnet not in elsewhere]
    return sending if nodes or balancer.zones else None


def admits_node(snapshot: Snapshot, arriving: Arrival, span: Span, admitted: tuple[str, ...] | None) -> bool:
    """Say whether a node of a load balancer, where it may be, is let in to a target; null admits every address.

    Where no node is known it may have any address inside.
    """
    target, acl = arriving.target, snapshot.acls.get(arriving.target.subnet)
    if admitted is not None and UNKNOWN in admitted:
        return True
    if None in arriving.nodes and (admitted is None or any(overlaps(each, snapshot.inside()) for each in admitted)):
        return True
    return any(
        (admitted is None or any(overlaps(source, [node.network]) for source in admitted))
        and (acl is None or node.subnet == target.subnet or acl.narrow(*span, str(node.network)))
        for nodes in arriving.nodes
        for node in nodes or ()
    )
