"""Reads the snapshot of an account and Region that findings lean on, in as few calls as can be.

Nothing here raises: what AWS does not tell is a problem of the part that it was to fill.
"""

from collections.abc import Iterable, Sequence
from ipaddress import ip_network
from typing import Any

from msgspec.structs import replace

from handler.finding import Finding
from handler.lookup import interfaces, load_balancers, network_acls, prefix_lists, security_groups
from handler.lookup.inquiry import Inquiry, Read
from handler.lookup.load_balancers import Balancer, TargetGroup
from handler.lookup.networks import Network, network, overlaps
from handler.lookup.security_groups import Rule
from handler.lookup.spans import EVERY_PORT, Span, span_of
from handler.reachability.index import Index
from handler.reachability.snapshot import Snapshot, Target, is_unexplained


def read(inquiry: Inquiry, findings: Sequence[Finding]) -> Snapshot:
    """Read what the findings of a place lean on."""
    instances = [finding.server.id for finding in findings if finding.server.kind == "instance"]
    snapshot = Snapshot(inquiry.place, interfaces.of_instances(inquiry, instances))
    targets = _targets(findings, snapshot)
    snapshot = _with_rules(inquiry, snapshot, {group for target in targets for group in target.groups or ()})
    subnets = {target.subnet for target in targets if target.subnet}
    snapshot = replace(snapshot, acls=network_acls.of_subnets(inquiry, subnets))
    unexplained = [finding for finding in findings if any(map(is_unexplained, finding.exposures))]
    reported = [finding for finding in unexplained if finding.reach == "internet"]
    entered = [finding for finding in reported if _names_balancer(finding) or _sources(finding, snapshot)]
    if entered:
        snapshot = replace(snapshot, vpcs=_networks(inquiry, "describe_vpcs", "Vpcs", "VpcId"))
        leaning = [finding for finding in entered if _leans_on_balancers(finding, snapshot)]
        snapshot = _with_balancers(inquiry, snapshot, _targets(leaning, snapshot)) if leaning else snapshot
    narrowed = {subnet for subnet, acl in snapshot.acls.items.items() if not acl.is_open()}
    if snapshot.balancers.items or narrowed:
        snapshot = replace(snapshot, subnets=_networks(inquiry, "describe_subnets", "Subnets", "SubnetId"))
    leading = [balancer for balancer in snapshot.balancers.items.values() if balancer.arn in snapshot.listeners.items]
    fronted = {zone.subnet for balancer in leading if balancer.internal for zone in balancer.zones}
    referenced = _named(snapshot.rules, "sg-") if unexplained else ()
    return replace(
        snapshot,
        services=interfaces.of_services(inquiry, narrowed | fronted),
        members=interfaces.of_groups(inquiry, referenced),
    )


def _targets(findings: Iterable[Finding], snapshot: Snapshot) -> list[Target]:
    """Return the interfaces on which the exposures of findings may lie."""
    exposed = [(finding.server, exposure) for finding in findings for exposure in finding.exposures]
    return list(dict.fromkeys(target for each in exposed for target in snapshot.targets_of(*each)))


def _named(rules: Read[tuple[Rule, ...]], prefix: str) -> set[str]:
    return {rule.source for each in rules.items.values() for rule in each if rule.source.startswith(prefix)}


def _with_rules(inquiry: Inquiry, snapshot: Snapshot, groups: set[str]) -> Snapshot:
    """Add the rules of groups, and the prefix lists that they name."""
    rules = snapshot.rules.joined(security_groups.read(inquiry, groups - snapshot.rules.items.keys()))
    lists = prefix_lists.read(inquiry, _named(rules, "pl-") - snapshot.lists.items.keys())
    return replace(snapshot, rules=rules, lists=snapshot.lists.joined(lists))


def _sources(finding: Finding, snapshot: Snapshot) -> set[str]:
    """Return all sources of the rules that open a port of a finding."""
    groups = {group for target in _targets([finding], snapshot) for group in target.groups or ()}
    openings = [each for span in map(span_of, finding.exposures) for each in snapshot.openings(groups, span)]
    return {source for rule, _ in openings for source in snapshot.sources(rule)}


def _names_balancer(finding: Finding) -> bool:
    return any(isinstance(exposure.load_balancer, str) for exposure in finding.exposures)


def _leans_on_balancers(finding: Finding, snapshot: Snapshot) -> bool:
    """Say whether a load balancer may bring somebody whom the rules do not tell.

    None does where they let in public addresses alone, to whose packets no network ACL does anything.
    """
    if snapshot.vpcs.unread or _names_balancer(finding):
        return True
    acls = [snapshot.acls.get(target.subnet) for target in _targets([finding], snapshot) if target.subnet]
    inside = snapshot.inside()
    leaning = any(network(source) is None or overlaps(source, inside) for source in _sources(finding, snapshot))
    return leaning or not all(acl is not None and acl.is_open() for acl in acls)


def _with_balancers(inquiry: Inquiry, snapshot: Snapshot, targets: Sequence[Target]) -> Snapshot:
    """Add load balancers, and of those that may lead to targets what is needed to follow a packet."""
    snapshot = replace(snapshot, balancers=load_balancers.read(inquiry))
    if not snapshot.balancers.items:
        return snapshot
    snapshot = replace(_with_targets(inquiry, snapshot, targets), nodes=interfaces.of_load_balancers(inquiry))
    leading, groups = _leading(snapshot, targets)
    networks = {balancer.arn for balancer in leading if balancer.kind == "network"}
    dual = {balancer.arn for balancer in leading if balancer.internal and balancer.address_type.startswith("dualstack")}
    preserving = sorted(group.arn for group in groups if networks & set(group.balancers))
    snapshot = replace(
        _with_listeners(inquiry, snapshot, leading),
        attributes=load_balancers.attributes(inquiry, sorted(networks | dual), preserving),
        endpoint_services=_endpoint_services(inquiry) if networks else Read(),
    )
    return _with_rules(inquiry, snapshot, {group for balancer in leading for group in balancer.groups})


def _leading(snapshot: Snapshot, targets: Iterable[Target]) -> tuple[list[Balancer], set[TargetGroup]]:
    """Return the load balancers that may send to targets, through others too, and by which target groups.

    While no listener is read each may send wherever one of its target groups leads.
    """
    index = Index(replace(snapshot, listeners=Read({}, {"": "not read yet"})))
    leading: dict[str, Balancer] = {}
    groups: set[TargetGroup] = set()
    waiting = list(targets)
    while waiting:
        target = waiting.pop()
        hops = [*index.hops(target, Span("tcp", *EVERY_PORT)), *index.hops(target, Span("udp", *EVERY_PORT))]
        groups |= {hop.group for hop in hops if hop.group} | {group for group, _ in index.doubtful(target)}
        balancers = {hop.balancer.name: hop.balancer for hop in hops if hop.balancer}
        waiting += [index.of_balancer(balancer) for name, balancer in balancers.items() if name not in leading]
        leading |= balancers
    return list(leading.values()), groups


def _with_targets(inquiry: Inquiry, snapshot: Snapshot, targets: Iterable[Target]) -> Snapshot:
    """Add the target groups, and what is registered in those that can hold a target, or a load balancer."""
    groups = load_balancers.target_groups(inquiry)
    vpcs = {None if snapshot.interfaces.unread else target.vpc for target in targets if target.whole}
    wanted = [group.arn for group in groups.items.values() if group.balancers and _can_hold(group, vpcs)]
    return replace(snapshot, groups=groups, targets=load_balancers.targets(inquiry, wanted))


def _can_hold(group: TargetGroup, vpcs: set[str | None]) -> bool:
    """Say whether a target group can hold a load balancer, or a server of these VPCs; null is any VPC."""
    of_instances = group.kind == "instance" and (group.vpc in vpcs or None in {group.vpc, *vpcs})
    return group.kind == "alb" or (bool(vpcs) and (group.kind == "ip" or of_instances))


def _with_listeners(inquiry: Inquiry, snapshot: Snapshot, balancers: Iterable[Balancer]) -> Snapshot:
    """Add the listeners of load balancers, and where one that has rules has many, these."""
    kinds = {balancer.arn: balancer.kind for balancer in balancers if balancer.arn}
    listeners = load_balancers.listeners(inquiry, kinds)
    many = [each for arn, each in listeners.items.items() if kinds[arn] != "network" and len(each) > 1]
    ruled = [listener.arn for each in many for listener in each]
    return replace(snapshot, listeners=listeners, forwards=load_balancers.forwards(inquiry, ruled))


def _endpoint_services(inquiry: Inquiry) -> Read[bool]:
    """Read which load balancers (ARNs) are behind endpoint services."""
    answer = inquiry.ask("ec2", "describe_vpc_endpoint_service_configurations", "ServiceConfigurations")
    return answer.read({arn: True for item in answer.items for arn in item.get("NetworkLoadBalancerArns", [])})


def _networks(inquiry: Inquiry, operation: str, field: str, key: str) -> Read[tuple[Network, ...]]:
    """Read the CIDR blocks of all VPCs or of all subnets, by their id."""
    answer = inquiry.ask("ec2", operation, field)
    return answer.read({item.get(key, ""): _blocks(item) for item in answer.items})


def _blocks(item: dict[str, Any]) -> tuple[Network, ...]:
    """Read the CIDR blocks of a VPC or a subnet, of both families."""
    associated = [*item.get("CidrBlockAssociationSet", []), *item.get("Ipv6CidrBlockAssociationSet", [])]
    blocks = {item.get("CidrBlock"), *(each.get("CidrBlock") or each.get("Ipv6CidrBlock") for each in associated)}
    return tuple(ip_network(block, strict=False) for block in sorted(filter(None, blocks)))
