"""Sets of addresses: whom a rule names, what of that a target can get, and what a network ACL leaves of it."""

from collections.abc import Iterable
from ipaddress import collapse_addresses
from typing import Any

from handler.finding import UNKNOWN, Protocol
from handler.lookup.interfaces import ACCELERATOR, CLOUDFRONT
from handler.lookup.load_balancers import Balancer
from handler.lookup.security_groups import Rule, is_private
from handler.reachability.index import Index, Target, networks_of
from handler.reachability.snapshot import network

EVERYBODY: tuple[str, ...] = ("0.0.0.0/0", "::/0")
_IPV6 = 6
ROUTES = "routes are not read: public addresses may come in by peering, transit gateway, VPN or Direct Connect"


def version(source: str) -> int | None:
    """Return the family of a CIDR, 4 or 6; null for what is none."""
    cidr = network(source)
    return None if cidr is None else int(cidr.version)


def shared(source: str, others: Iterable[str]) -> list[str]:
    """Return what of a source lies in others, CIDRs all of them; all of these where it is a name or `unknown`."""
    own = network(source)
    cidrs = [other for other in others if network(other) is not None]
    if own is None:
        return cidrs
    pairs = [(other, network(other)) for other in cidrs if version(other) == own.version]
    return [source if own.subnet_of(cidr) else other for other, cidr in pairs if own.overlaps(cidr)]


def seen_in(index: Index, source: str, cidrs: Iterable[str]) -> list[str]:
    """Return what of a source CIDRs admit by its own address: a group as a whole if they hold one of its members."""
    if not source.startswith("sg-") or index.known.members.problem(source):
        return shared(source, cidrs)
    own = [address for member in index.known.members.get(source) or () for address in networks_of(member)]
    return [source] if any(shared(str(address), cidrs) for address in own) else []


def gaps(whole: tuple[int, int], covered: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the parts of a port range that lie in none of the others, ascending."""
    left, low = [], whole[0]
    for start, end in sorted(covered):
        if start > low:
            left.append((low, min(start - 1, whole[1])))
        low = max(low, end + 1)
    left += [(low, whole[1])] if low <= whole[1] else []
    return [(start, end) for start, end in left if start <= end]


def named_by(index: Index, rule: Rule, *, directly: bool) -> tuple[tuple[str, ...], str | None, str | None]:
    """Return the sources that a rule admits by their own address, why one is unknown, and why there is none.

    A group is whatever is in it but load balancers, whose clients come in through their listeners.
    """
    source = rule.source
    if rule.stale:
        return (), None, f"{source} is a group of a VPC that is peered no more: nobody comes from it"
    if source.startswith("sg-"):
        return _group(index, source, directly=directly)
    problem = index.known.lists.unread.get(source)
    return index.known.sources(rule), f"{problem}: whom {source} lets in is unknown" if problem else None, None


def _group(index: Index, group: str, *, directly: bool) -> tuple[tuple[str, ...], str | None, str | None]:
    """Return whom a group stands for: everybody, if accelerators or CloudFront come in by it."""
    known = index.known
    members = known.members.get(group) or []
    balancers = {balancer.name for balancer in index.in_group(group)}
    sources: tuple[str, ...] = (group,)
    doubt: str | None = None
    nobody: str | None = None
    if any(member.services for member in members):
        sources = EVERYBODY
    elif directly:
        pass
    elif problem := known.balancers.problem(None):
        sources, doubt = (UNKNOWN,), f"{problem}: whether {group} is a load balancer's is unknown"
    elif problem := known.members.problem(group):
        doubt = f"{problem}: what else is in {group} is unknown"
    elif all(member.balancer in balancers for member in members):
        sources = ()
        nobody = None if balancers else f"nothing is in {group} now: nobody comes from it"
    return sources, doubt, nobody


def clipped(index: Index, target: Target, sources: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what of sources can send a packet to a target of its families and scheme, and what that rests on."""
    inside, assumptions = _families(index, target)
    clipped: list[str] = []
    for source in sources:
        family = version(source)
        if family is None or inside.get(family) is False:
            clipped.append(source)
        elif family in inside:
            parts = inner(index, (source,))
            clipped += parts or (source,)
            assumptions += (ROUTES,) if not parts else ()
    return tuple(dict.fromkeys(clipped)), tuple(dict.fromkeys(assumptions))


def _families(index: Index, target: Target) -> tuple[dict[int, bool], tuple[str, ...]]:
    """Return the families in which a target gets packets, each with whether from inside alone, and the assumptions."""
    balancer = index.known.balancers.get(target.name)
    if balancer is not None:
        return _of_balancer(index, balancer)
    if not target.networks:
        return {4: False, 6: False}, ()
    families: dict[int, bool] = {own.version: False for own in target.networks}
    if _IPV6 in families:
        families[_IPV6] = all(is_private(str(own)) for own in target.networks if own.version == _IPV6)
    return families, ()


def _of_balancer(index: Index, balancer: Balancer) -> tuple[dict[int, bool], tuple[str, ...]]:
    families = {4: False} if balancer.address_type == "ipv4" else {4: False, 6: False}
    families |= {4: True} if balancer.address_type == "dualstack-without-public-ipv4" else {}
    if not balancer.internal:
        return families, ()
    if (service := _fronted_by(index, balancer)) is not None:
        return families, (f"{service} may lead to {balancer.name}, although it is internal",)
    attributes = index.known.attributes.get(balancer.arn) or {}
    denied = attributes.get("ipv6.deny_all_igw_traffic") == "true"
    return {family: family != _IPV6 or denied for family in families}, ()


def _fronted_by(index: Index, balancer: Balancer) -> str | None:
    """Name what may bring the internet to an internal load balancer; null where nothing does."""
    services = index.known.services
    for zone in balancer.zones:
        if problem := services.problem(zone.subnet):
            return f"an accelerator or CloudFront ({problem})"
        if found := [service for interface in services.get(zone.subnet) or () for service in interface.services]:
            return {ACCELERATOR: "an accelerator", CLOUDFRONT: "CloudFront"}[found[0]]
    return None


def inner(index: Index, sources: Iterable[str]) -> tuple[str, ...]:
    """Return what of CIDRs lies inside, united; names stay, and `unknown`."""
    inside = [str(one) for one in index.known.inside()]
    parts = [part for source in sources if network(source) is not None for part in shared(source, inside)]
    names = [source for source in sources if network(source) is None]
    united = [str(one) for family in (4, 6) for one in collapse_addresses(_of(parts, family))]
    return (*united, *names)


def _of(parts: Iterable[str], family: int) -> list[Any]:
    return [network(part) for part in parts if version(part) == family]


def past_acl(  # noqa: PLR0913  packets, and what they meet
    index: Index, target: Target, protocol: Protocol, ports: tuple[int, int], sources: tuple[str, ...], *, own: bool
) -> tuple[dict[tuple[int, int], tuple[str, ...]], str | None]:
    """Return what a network ACL leaves of sources by port range, and why it narrows nothing, or may not.

    It is about addresses: groups and lists stay. It does not stand between the interfaces of one subnet (`own` says
    that packets may come from there), nor before the clients of an accelerator.
    """
    known, subnet = index.known, target.subnet
    whole = {ports: sources} if sources else {}
    acl = known.acls.get(subnet)
    if acl is None or subnet is None:
        problem = known.acls.unread.get(subnet or "")
        return whole, f"{problem}: network ACLs narrow nothing" if problem else None
    if acl.is_open():
        return whole, None
    if problem := known.services.problem(subnet):
        return whole, f"{problem}: network ACL {acl.id} narrows nothing, since an accelerator is not ruled out"
    if any(ACCELERATOR in interface.services for interface in known.services.get(subnet) or ()):
        return whole, f"an accelerator may lead to {subnet}: network ACL {acl.id} does not narrow it"
    read = known.subnets.get(subnet)
    past = () if not own else read.blocks if read else known.inside()
    left: dict[tuple[int, int], list[str]] = {}
    for source in sources:
        parts = acl.narrow(protocol, *ports, source, past) if network(source) else [(*ports, (source,))]
        for low, high, remaining in parts:
            left.setdefault((low, high), []).extend(remaining)
    return {span: tuple(dict.fromkeys(remaining)) for span, remaining in left.items()}, None
