"""Reads the snapshot of an account and Region that findings lean on, in as few calls as can be.

What is rarely needed is read only where something points at it. Nothing here raises: what AWS does not tell is a
problem of the part that it was to fill.
"""

from collections.abc import Iterable, Sequence
from ipaddress import ip_network
from typing import Any

from msgspec.structs import replace

from handler.finding import Finding, Server
from handler.lookup import interfaces, load_balancers, network_acls, prefix_lists, security_groups
from handler.lookup.inquiry import Inquiry, Place, Read
from handler.lookup.interfaces import Interface
from handler.lookup.load_balancers import Balancer
from handler.lookup.network_acls import Network
from handler.lookup.security_groups import Rule, is_cidr
from handler.reachability.index import Index
from handler.reachability.snapshot import Snapshot, Subnet, entrances, is_unexplained, overlaps


def read(inquiry: Inquiry, place: Place, findings: Sequence[Finding]) -> Snapshot:
    """Read what the findings of a place lean on."""
    instances = [finding.server.id for finding in findings if finding.server.kind == "instance"]
    known = Snapshot(place, interfaces.of_instances(inquiry, place, instances))
    ways_in = [interface for finding in findings for interface in _entrances(finding, known)]
    rules = security_groups.read(inquiry, place, (group for interface in ways_in for group in interface.groups))
    known = _with_lists(inquiry, replace(known, rules=rules))
    known = replace(
        known, acls=network_acls.of_subnets(inquiry, place, {each.subnet for each in ways_in if each.subnet})
    )
    open_findings = [finding for finding in findings if any(map(is_unexplained, finding.exposures))]
    entered = [finding for finding in open_findings if finding.reach == "internet" and _is_entered(finding, known)]
    if entered:
        known = replace(known, vpcs=_vpcs(inquiry, place))
        leaning = [finding for finding in entered if _leans_on_balancers(finding, known)]
        known = _with_balancers(inquiry, known, [finding.server for finding in leaning]) if leaning else known
    narrowed = {subnet for subnet, acl in known.acls.items.items() if not acl.is_open()}
    if known.balancers.items or narrowed:
        known = replace(known, subnets=_subnets(inquiry, place))
    fronted = narrowed | {zone.subnet for balancer in _leading_internal(known) for zone in balancer.zones}
    known = replace(known, services=interfaces.of_services(inquiry, place, fronted))
    named = {rule.source for rules in known.rules.items.values() for rule in rules if rule.source.startswith("sg-")}
    return replace(known, members=interfaces.of_groups(inquiry, place, named if open_findings else ()))


def _entrances(finding: Finding, known: Snapshot) -> list[Interface]:
    return [
        interface
        for exposure in finding.exposures
        for interface in entrances(finding.server, exposure, known.interfaces)[0]
    ]


def _with_lists(inquiry: Inquiry, known: Snapshot) -> Snapshot:
    """Add the prefix lists that rules name."""
    named = {rule.source for rules in known.rules.items.values() for rule in rules if rule.source.startswith("pl-")}
    wanted = named - known.lists.items.keys()
    return (
        replace(known, lists=known.lists.joined(prefix_lists.read(inquiry, known.place, wanted))) if wanted else known
    )


def _sources(finding: Finding, known: Snapshot) -> set[str]:
    """Return all sources of the rules that open a port of a finding."""
    rules = (rule for interface in _entrances(finding, known) for rule in known.rules_of(interface.groups))
    spans = [(exposure.protocol, exposure.from_port, exposure.to_port) for exposure in finding.exposures]
    opening = (rule for rule in rules if any(rule.within(*span) for span in spans))
    return {source for rule in opening for source in known.sources(rule)}


def _is_entered(finding: Finding, known: Snapshot) -> bool:
    """Say whether somebody may come in: a rule that was read opens a port, or the report names a load balancer."""
    return bool(_sources(finding, known)) or any(isinstance(one.load_balancer, str) for one in finding.exposures)


def _leans_on_balancers(finding: Finding, known: Snapshot) -> bool:
    """Say whether a load balancer may bring somebody whom the rules do not tell.

    None does where they let in public addresses alone, to whose packets no network ACL does anything.
    """
    if known.vpcs.unread or any(isinstance(exposure.load_balancer, str) for exposure in finding.exposures):
        return True
    subnets = {interface.subnet for interface in _entrances(finding, known) if interface.subnet}
    acls = [known.acls.get(subnet) for subnet in subnets]
    inside = known.inside()
    leaning = any(not is_cidr(source) or overlaps(source, inside) for source in _sources(finding, known))
    return leaning or not all(acl is not None and acl.is_open() for acl in acls)


def _with_balancers(inquiry: Inquiry, known: Snapshot, servers: Sequence[Server]) -> Snapshot:
    """Add load balancers, and of those that may lead to the servers whatever is needed to follow a packet through."""
    place = known.place
    known = replace(known, balancers=load_balancers.read(inquiry, place))
    if not known.balancers.items:
        return known
    known = replace(with_targets(inquiry, known, servers), nodes=interfaces.of_load_balancers(inquiry, place))
    index = Index(known)
    leading, on_the_way = index.leading(target for server in servers for target in index.of_server(server))
    arns = [balancer.arn for balancer in leading if balancer.arn]
    network = {balancer.arn for balancer in leading if balancer.kind == "network"}
    dual = {balancer.arn for balancer in leading if balancer.internal and balancer.address_type.startswith("dualstack")}
    groups = [known.groups.items[arn] for arn in sorted(on_the_way)]
    preserving = [group.arn for group in groups if network & set(group.balancers)]
    known = replace(
        with_listeners(inquiry, known, arns),
        attributes=load_balancers.attributes(inquiry, place, sorted(network | dual), preserving),
        endpoint_services=_endpoint_services(inquiry, place) if network else Read(),
    )
    wanted = {group for balancer in leading for group in balancer.groups} - known.rules.items.keys()
    rules = security_groups.read(inquiry, place, wanted) if wanted else Read[tuple[Rule, ...]]()
    return _with_lists(inquiry, replace(known, rules=known.rules.joined(rules)))


def with_targets(inquiry: Inquiry, known: Snapshot, servers: Iterable[Server]) -> Snapshot:
    """Add the target groups, and what is registered in those that can hold one of the servers, or a load balancer."""
    groups = load_balancers.target_groups(inquiry, known.place)
    attached = [known.interfaces.get(server.id) for server in servers if server.kind == "instance"]
    vpcs = {interface.vpc for interfaces in attached for interface in interfaces or ()}
    anywhere = None in vpcs or not all(attached) or bool(known.interfaces.unread)
    wanted = [
        group.arn
        for group in groups.items.values()
        if group.balancers
        and (
            group.kind == "alb"
            or (attached and group.kind == "ip")
            or (attached and group.kind == "instance" and (anywhere or group.vpc in {None, *vpcs}))
        )
    ]
    return replace(known, groups=groups, targets=load_balancers.targets(inquiry, known.place, wanted))


def with_listeners(inquiry: Inquiry, known: Snapshot, arns: Sequence[str]) -> Snapshot:
    """Add the listeners of load balancers by their ARNs, and where an application one has many, their rules."""
    listeners = load_balancers.listeners(inquiry, known.place, arns)
    kinds = {balancer.arn: balancer.kind for balancer in known.balancers.items.values()}
    many = [arn for arn, own in listeners.items.items() if kinds.get(arn) != "network" and len(own) > 1]
    ruled = [listener.arn for arn in many for listener in listeners.items[arn]]
    return replace(known, listeners=listeners, forwards=load_balancers.forwards(inquiry, known.place, ruled))


def _endpoint_services(inquiry: Inquiry, place: Place) -> Read[bool]:
    """Read which load balancers (ARNs) are behind endpoint services."""
    answer = inquiry.ask(place, "ec2", "describe_vpc_endpoint_service_configurations", "ServiceConfigurations")
    arns = {arn: True for told in answer.items for arn in told.get("NetworkLoadBalancerArns", [])}
    return Read(arns, {"": answer.problem} if answer.problem else {})


def _leading_internal(known: Snapshot) -> list[Balancer]:
    """Return the internal load balancers on the way to a server."""
    balancers = (balancer for balancer in known.balancers.items.values() if balancer.internal)
    return [balancer for balancer in balancers if not balancer.arn or balancer.arn in known.listeners.items]


def _vpcs(inquiry: Inquiry, place: Place) -> Read[tuple[Network, ...]]:
    answer = inquiry.ask(place, "ec2", "describe_vpcs", "Vpcs")
    vpcs = {told.get("VpcId", ""): _blocks(told) for told in answer.items}
    return Read(vpcs, {"": answer.problem} if answer.problem else {})


def _subnets(inquiry: Inquiry, place: Place) -> Read[Subnet]:
    answer = inquiry.ask(place, "ec2", "describe_subnets", "Subnets")
    subnets = {told.get("SubnetId", ""): Subnet(_blocks(told), told.get("AvailabilityZone")) for told in answer.items}
    return Read(subnets, {"": answer.problem} if answer.problem else {})


def _blocks(told: dict[str, Any]) -> tuple[Network, ...]:
    """Read the CIDR blocks of a VPC or a subnet, of both families."""
    associated = [*told.get("CidrBlockAssociationSet", []), *told.get("Ipv6CidrBlockAssociationSet", [])]
    blocks = {told.get("CidrBlock"), *(item.get("CidrBlock") or item.get("Ipv6CidrBlock") for item in associated)}
    return tuple(ip_network(block, strict=False) for block in sorted(filter(None, blocks)))
