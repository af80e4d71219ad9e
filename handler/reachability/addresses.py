"""Sets of addresses: whom a rule names, what of that a target can get, and what a network ACL leaves of it."""

from collections.abc import Iterable

from handler.finding import UNKNOWN
from handler.lookup.interfaces import ACCELERATOR
from handler.lookup.load_balancers import Balancer
from handler.lookup.networks import EVERYBODY, is_private, network, shared, united, version
from handler.lookup.security_groups import Rule
from handler.lookup.spans import Span
from handler.reachability.snapshot import Snapshot, Target, networks_of

_IPV6 = 6
ROUTES = "routes are not read: public addresses may come in by peering, transit gateway, VPN or Direct Connect"


def common(source: str, others: Iterable[str]) -> list[str]:
    """Return what of a source lies in others, CIDRs all of them; all of these where it is a name or `unknown`."""
    network_of_source = network(source)
    cidrs = [cidr for other in others if (cidr := network(other))]
    parts = cidrs if network_of_source is None else [shared(network_of_source, cidr) for cidr in cidrs]
    return [str(part) for part in parts if part is not None]


def seen_in(snapshot: Snapshot, source: str, cidrs: Iterable[str]) -> list[str]:
    """Return what of a source CIDRs admit by its own address: a group as a whole if they hold one of its members."""
    if not source.startswith("sg-") or snapshot.members.problem(source):
        return common(source, cidrs)
    addresses = [address for member in snapshot.members.get(source) or () for address in networks_of(member)]
    return [source] if any(common(str(address), cidrs) for address in addresses) else []


def inner(snapshot: Snapshot, sources: Iterable[str]) -> tuple[str, ...]:
    """Return what of CIDRs lies inside, united; names stay, and `unknown`."""
    cidrs = [cidr for source in sources if (cidr := network(source))]
    parts = [part for cidr in cidrs for block in snapshot.inside() if (part := shared(cidr, block))]
    return (*map(str, united(parts)), *(source for source in sources if not network(source)))


def named_by(snapshot: Snapshot, rule: Rule, *, directly: bool) -> tuple[tuple[str, ...], str | None, str | None]:
    """Return the sources that a rule admits by their own address, why one is unknown, and why there is none.

    A group is whatever is in it but load balancers, whose clients come in through their listeners.
    """
    source = rule.source
    if rule.stale:
        return (), None, f"{source} is a group of a VPC that is peered no more: nobody comes from it"
    if source.startswith("sg-"):
        return _group(snapshot, source, directly=directly)
    problem = snapshot.lists.unread.get(source)
    return snapshot.sources(rule), f"{problem}: whom {source} lets in is unknown" if problem else None, None


def _group(snapshot: Snapshot, group: str, *, directly: bool) -> tuple[tuple[str, ...], str | None, str | None]:
    """Return whom a group stands for: everybody, if accelerators or CloudFront come in by it."""
    members = snapshot.members.get(group) or []
    balancers = {balancer.name for balancer in snapshot.in_group(group)}
    if any(member.services for member in members):
        return EVERYBODY, None, None
    if directly:
        return (group,), None, None
    if problem := snapshot.balancers.problem():
        return (UNKNOWN,), f"{problem}: whether {group} is a load balancer's is unknown", None
    if problem := snapshot.members.problem(group):
        return (group,), f"{problem}: what else is in {group} is unknown", None
    if all(member.balancer in balancers for member in members):
        return (), None, None if balancers else f"nothing is in {group} now: nobody comes from it"
    return (group,), None, None


def clipped(snapshot: Snapshot, target: Target, sources: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what of sources can send a packet to a target of its families and scheme, and what that rests on."""
    inside_alone, assumptions = _families(snapshot, target)
    reaching: list[str] = []
    for source in sources:
        family = version(source)
        if family is None or inside_alone.get(family) is False:
            reaching.append(source)
        elif family in inside_alone:
            parts = inner(snapshot, (source,))
            reaching += parts or (source,)
            assumptions += (ROUTES,) if not parts else ()
    return tuple(dict.fromkeys(reaching)), tuple(dict.fromkeys(assumptions))


def _families(snapshot: Snapshot, target: Target) -> tuple[dict[int, bool], tuple[str, ...]]:
    """Return the families in which a target gets packets, each with whether from inside alone, and the assumptions."""
    balancer = snapshot.balancers.get(target.name)
    if balancer is not None:
        return _of_balancer(snapshot, balancer)
    if not target.networks:
        return {4: False, 6: False}, ()
    families: dict[int, bool] = {address.version: False for address in target.networks}
    if _IPV6 in families:
        families[_IPV6] = all(is_private(str(address)) for address in target.networks if address.version == _IPV6)
    return families, ()


def _of_balancer(snapshot: Snapshot, balancer: Balancer) -> tuple[dict[int, bool], tuple[str, ...]]:
    families = {4: False} if balancer.address_type == "ipv4" else {4: False, 6: False}
    families |= {4: True} if balancer.address_type == "dualstack-without-public-ipv4" else {}
    if not balancer.internal:
        return families, ()
    subnets = [zone.subnet for zone in balancer.zones]
    problem = next(filter(None, map(snapshot.services.problem, subnets)), None)
    if problem or any(map(snapshot.services.get, subnets)):
        why = f" ({problem})" if problem else ""
        return families, (f"an accelerator or CloudFront may lead to {balancer.name}, although it is internal{why}",)
    attributes = snapshot.attributes.get(balancer.arn) or {}
    denied = attributes.get("ipv6.deny_all_igw_traffic") == "true"
    return {family: family != _IPV6 or denied for family in families}, ()


def past_acl(
    snapshot: Snapshot, target: Target, span: Span, sources: tuple[str, ...], *, same_subnet: bool
) -> tuple[dict[Span, tuple[str, ...]], str | None]:
    """Return what a network ACL leaves of sources by port range, and why it narrows nothing, or may not.

    It is about addresses: groups and lists stay. It does not stand between the interfaces of one subnet (of
    `same_subnet` packets may be), nor before the clients of an accelerator.
    """
    subnet = target.subnet
    whole = {span: sources} if sources else {}
    acl = snapshot.acls.get(subnet)
    if acl is None or subnet is None:
        problem = snapshot.acls.unread.get(subnet or "")
        return whole, f"{problem}: network ACLs narrow nothing" if problem else None
    if acl.is_open():
        return whole, None
    problem = snapshot.services.problem(subnet)
    if problem or any(ACCELERATOR in interface.services for interface in snapshot.services.get(subnet) or ()):
        why = f" ({problem})" if problem else ""
        return whole, f"an accelerator may lead to {subnet}{why}: network ACL {acl.id} does not narrow it"
    past = (snapshot.subnets.get(subnet) or snapshot.inside()) if same_subnet else ()
    remaining: dict[Span, list[str]] = {}
    for source in sources:
        parts = acl.narrow(*span, source, past) if network(source) else [(span.low, span.high, (source,))]
        for low, high, admitted in parts:
            remaining.setdefault(Span(span.protocol, low, high), []).extend(admitted)
    return {part: tuple(dict.fromkeys(admitted)) for part, admitted in remaining.items()}, None
