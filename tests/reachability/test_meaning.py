"""Each way in and out of a server, as AWS's documents have it: the smallest world, and the sentence it stands on.

Sentences of the API references are quoted as botocore carries them, those of the guides are named by their section.
"""

from ipaddress import ip_network
from typing import Any

import pytest
from msgspec.structs import replace

from handler.finding import Finding
from handler.lookup.inquiry import Place, Read
from handler.lookup.interfaces import ACCELERATOR, CLOUDFRONT, Interface
from handler.lookup.load_balancers import Balancer, Listener, Registered, TargetGroup, Zone
from handler.lookup.network_acls import Acl, Entry
from handler.lookup.security_groups import Rule
from handler.lookup.spans import Span
from handler.reachability.exposures import judged
from handler.reachability.index import Index
from handler.reachability.snapshot import Snapshot
from tests.lookup.cloud import OFFICE, reported, server

EVERYBODY, EVERYBODY_6 = "0.0.0.0/0", "::/0"
OWN, FRONT, OTHER = "sg-0aaaaaaaaaaaaaaa1", "sg-0bbbbbbbbbbbbbbb2", "sg-0ccccccccccccccc3"
PRIVATE = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"}
NIC = Interface("eni-1", "i-1", (OWN,), "subnet-1", "vpc-1", ("10.0.1.7",), zone="a")
SUBNETS = Read({"subnet-1": (ip_network("10.0.1.0/24"),), "subnet-2": (ip_network("10.0.2.0/24"),)})


def rule(group: str, port: int, source: str, high: int = 0) -> Rule:
    """Give a rule for TCP."""
    return Rule((f"sgr-{group[3:5]}{port}",), group, ("tcp",), port, high or port, source)


def acl(*entries: tuple[int, str]) -> Read[Acl]:
    """Let the server's subnet have an ACL that lets these in to these ports, and nobody else."""
    allowing = [Entry("6", port, port, ip_network(source), allows=True) for port, source in entries]
    everybody = [Entry("-1", 0, 65535, ip_network(every), allows=False) for every in (EVERYBODY, EVERYBODY_6)]
    return Read({"subnet-1": Acl("acl-1", [*allowing, *everybody])})


def front(name: str = "net/front/1", *groups: str, subnet: str = "subnet-1", **fields: Any) -> Balancer:
    """Give a load balancer with a node in one subnet; a Network one unless it is named otherwise."""
    kind = {"net": "network", "app": "application"}[name.partition("/")[0]]
    zones = (Zone("a" if subnet == "subnet-1" else "b", subnet),)
    known: dict[str, Any] = {"kind": kind, "address_type": "ipv4", "zones": zones}
    return Balancer(name, groups=groups, arn=f"arn:{name}", **known | fields)


def world(*rules: Rule, **parts: Any) -> Snapshot:
    """Give a server whose group has some of these rules."""
    by_group: dict[str, tuple[Rule, ...]] = {}
    for one in rules:
        by_group[one.group] = (*by_group.get(one.group, ()), one)
    known: dict[str, Any] = {"vpcs": Read({"vpc-1": (ip_network("10.0.0.0/16"),)}), "subnets": SUBNETS}
    return Snapshot(
        Place("111122223333", "eu-west-1"), Read({"i-1": [NIC]}), Read({OWN: ()} | by_group), **known | parts
    )


def balanced(known: Snapshot, balancer: Balancer, *forwards: tuple[int, str, int], **fields: Any) -> Snapshot:
    """Put a load balancer in front that listens on ports and forwards to a target and its port each."""
    groups, targets, listeners = dict(known.groups.items), dict(known.targets.items), []
    for port, target, to in forwards:
        arn = f"group:{balancer.name}:{port}"
        groups[arn] = TargetGroup(arn, vpc="vpc-1", balancers=(balancer.arn,), **fields)
        targets[arn] = (Registered(target, to),)
        listeners.append(Listener(fields.get("protocols", ("tcp",)), port, f"{balancer.arn}:{port}", frozenset([arn])))
    return replace(
        known,
        balancers=Read(known.balancers.items | {balancer.name: balancer}),
        groups=Read(groups),
        targets=Read(targets),
        listeners=Read(known.listeners.items | {balancer.arn: tuple(listeners)}),
        forwards=Read(known.forwards.items | {one.arn: one.forwards for one in listeners}),
    )


def found(known: Snapshot, *ports: int, protocol: str = "tcp") -> Finding:
    """Return what is said of the server's ports, the lowest to the highest."""
    return judged(reported(server("i-1"), (protocol, min(ports), max(ports))), Index(known), "now")


def sources(known: Snapshot, *ports: int, protocol: str = "tcp") -> set[str]:
    """Return everybody who reaches these ports."""
    return {source for one in found(known, *ports, protocol=protocol).exposures for source in one.sources}


def test_a1_a_node_in_the_subnet_of_the_server_passes_its_acl() -> None:
    """VPC guide, "Network ACL basics": rules are evaluated when traffic enters or leaves a subnet, not in it."""
    known = world(rule(OWN, 8080, EVERYBODY), acls=acl((443, EVERYBODY), (8080, OFFICE)))
    assert sources(known, 8080) == {OFFICE, "10.0.1.0/24"}
    assert sources(balanced(known, front(), (443, "i-1", 8080)), 8080) == {OFFICE, "10.0.1.0/24", EVERYBODY}
    elsewhere = front(subnet="subnet-2")
    crossing = Read({elsewhere.arn: {"load_balancing.cross_zone.enabled": "true"}})
    beside = replace(balanced(known, elsewhere, (443, "i-1", 8080)), attributes=crossing)
    assert sources(beside, 8080) == {OFFICE, "10.0.1.0/24"}


def test_a1_the_same_behind_an_application_load_balancer() -> None:
    """ALB guide, "Security groups": targets get traffic from its nodes, which may be in their subnet."""
    known = world(rule(OWN, 8080, EVERYBODY), rule(FRONT, 443, EVERYBODY), acls=acl((443, EVERYBODY), (8080, OFFICE)))
    behind = balanced(known, front("app/front/1", FRONT), (443, "i-1", 8080))
    assert sources(behind, 8080) == {OFFICE, "10.0.1.0/24", EVERYBODY}


@pytest.mark.parametrize("preserved", ["true", "false"])
def test_a2_a_client_of_another_family_comes_from_a_node(preserved: str) -> None:
    """NLB guide, "Client IP preservation": IPv4 targets get IPv6 requests from the node's IPv4 address."""
    known = balanced(world(rule(OWN, 3389, EVERYBODY)), front(address_type="dualstack"), (3389, "i-1", 3389))
    attributes = Read({arn: {"preserve_client_ip.enabled": preserved} for arn in known.groups.items})
    assert sources(replace(known, attributes=attributes), 3389) == {EVERYBODY, EVERYBODY_6}


def test_a2_from_ipv4_to_targets_of_ipv6() -> None:
    """NLB guide, "Client IP preservation": IPv6 targets get IPv4 requests from the node's IPv6 address."""
    nic = replace(NIC, addresses=("10.0.1.7", "2001:db8:0:1::7"))
    known = replace(world(rule(OWN, 3389, EVERYBODY_6)), interfaces=Read({"i-1": [nic]}))
    assert sources(known, 3389) == {EVERYBODY_6}
    dual = front(address_type="dualstack")
    behind = balanced(known, dual, (3389, "2001:db8:0:1::7", 3389), kind="ip", family=6)
    node = Interface("eni-9", None, (), "subnet-1", "vpc-1", ("10.0.1.9", "2001:db8:0:1::9"))
    assert sources(replace(behind, nodes=Read({dual.name: [node]})), 3389) == {EVERYBODY, EVERYBODY_6}


def test_b1_a_customers_list_is_one_exposure_that_names_it() -> None:
    """VPC guide, "Managed prefix lists": a rule that references a list is for all CIDRs of its entries."""
    known = world(rule(OWN, 22, "pl-1"), lists=Read({"pl-1": (OFFICE, "198.51.100.0/24")}), acls=acl((22, OFFICE)))
    [exposure] = found(known, 22).exposures
    assert (exposure.sources, exposure.prefix_list) == ((OFFICE,), "pl-1")
    unread = replace(known, lists=Read({"pl-1": ("unknown",)}, {"pl-1": "ec2:DescribeManagedPrefixLists was denied"}))
    [exposure] = found(unread, 22).exposures
    assert (exposure.sources, exposure.prefix_list) == (("unknown",), "pl-1")


def test_n1_an_internal_load_balancer_has_no_clients_of_the_internet_gateway() -> None:
    """API LoadBalancer: "The nodes of an internal load balancer have only private IP addresses." The inside remains."""
    known = world(rule(OWN, 80, FRONT), rule(FRONT, 443, EVERYBODY))
    behind = balanced(known, front("app/front/1", FRONT, internal=True), (443, "i-1", 80))
    assert sources(behind, 80) == PRIVATE


@pytest.mark.parametrize("service", [ACCELERATOR, CLOUDFRONT])
def test_n1_unless_an_accelerator_or_cloudfront_leads_there(service: str) -> None:
    """CloudFront guide, "Restrict access with VPC origins", as of accelerators: those in private subnets."""
    known = world(rule(OWN, 80, FRONT), rule(FRONT, 443, EVERYBODY))
    behind = balanced(known, front("app/front/1", FRONT, internal=True), (443, "i-1", 80))
    entrance = Interface("eni-8", None, (OTHER,), "subnet-1", "vpc-1", services=(service,))
    assert sources(replace(behind, services=Read({"subnet-1": [entrance]})), 80) == {EVERYBODY}


def test_n2_a_family_that_the_server_does_not_have_lets_nobody_in() -> None:
    """VPC guide, "IP addressing": IPv6 needs an address of its own, which is assigned or not."""
    assert sources(world(rule(OWN, 22, OFFICE), rule(OWN, 22, EVERYBODY_6)), 22) == {OFFICE}


def test_n2_nor_one_that_the_load_balancer_does_not_have() -> None:
    """API LoadBalancer: "dualstack-without-public-ipv4 (public IPv6 addresses and private IPv4 and IPv6 addresses)"."""
    known = world(rule(OWN, 80, FRONT), rule(FRONT, 443, EVERYBODY), rule(FRONT, 443, EVERYBODY_6))
    assert sources(balanced(known, front("app/front/1", FRONT), (443, "i-1", 80)), 80) == {EVERYBODY}
    private = front("app/front/1", FRONT, address_type="dualstack-without-public-ipv4")
    assert sources(balanced(known, private, (443, "i-1", 80)), 80) == {EVERYBODY_6, *PRIVATE}


def test_n3_a_load_balancer_reaches_no_more_than_its_target() -> None:
    """API TargetDescription: "The port on which the target is listening"; the others are for the group alone."""
    known = world(rule(OWN, 0, FRONT, 65535), rule(FRONT, 443, EVERYBODY))
    finding = found(balanced(known, front("app/front/1", FRONT), (443, "i-1", 8080)), 0, 65535)
    spans = {(one.from_port, one.to_port, one.sources) for one in finding.exposures}
    assert spans == {(8080, 8080, (EVERYBODY,)), (0, 8079, (FRONT,)), (8081, 65535, (FRONT,))}


def test_n4_only_the_group_that_the_rule_names_is_said() -> None:
    """EC2 API, UserIdGroupPair: a rule names one group, whatever others its members are in."""
    known = world(rule(OWN, 22, FRONT), rule(FRONT, 443, EVERYBODY))
    assert sources(balanced(known, front("app/front/1", FRONT, OTHER), (443, "i-1", 80)), 22) == {FRONT}


def test_n5_a_listener_of_another_protocol_leads_nowhere() -> None:
    """API CreateTargetGroup: "A TCP_UDP listener must be associated with a TCP_UDP target group."; UDP is none."""
    known = world(rule(OWN, 53, "10.0.0.0/16"))
    behind = balanced(known, front(), (53, "i-1", 53), protocols=("udp",), preserves=False)
    assert sources(behind, 53) == {"10.0.0.0/16"}


def test_n6_a_classic_load_balancer_sends_to_its_own_servers() -> None:
    """Classic API, LoadBalancerDescription: `Instances` are those of the load balancer, whatever group it shares."""
    known = world(rule(OWN, 80, FRONT), rule(FRONT, 443, EVERYBODY), rule(FRONT, 8443, OFFICE))
    classics = {
        name: Balancer(name, "", (FRONT,), kind="classic", address_type="ipv4", listeners=listeners, servers=servers)
        for name, listeners, servers in (
            ("ours", (Listener(("tcp",), 8443, server_port=80),), ("i-1",)),
            ("theirs", (Listener(("tcp",), 443, server_port=80),), ("i-2",)),
        )
    }
    assert sources(replace(known, balancers=Read(classics)), 80) == {OFFICE, FRONT}


def test_n7_a_group_that_is_let_in_brings_no_clients_where_no_target_group_leads() -> None:
    """API Listener and Rule: traffic goes to target groups that an action forwards to; being let in sends nothing."""
    known = world(rule(OWN, 80, FRONT), rule(FRONT, 443, OTHER), rule(FRONT, 443, OFFICE), rule(OTHER, 443, EVERYBODY))
    first = balanced(known, front("app/front/1", FRONT), (443, "i-1", 80))
    assert sources(balanced(first, front("app/other/2", OTHER), (443, "i-2", 443)), 80) == {OFFICE}


@pytest.mark.parametrize("cidr", [EVERYBODY, "198.0.0.0/8", "198.51.100.0/24"])
def test_n8_an_acl_that_keeps_a_few_out_leaves_the_cidr_as_it_is(cidr: str) -> None:
    """The product's own choice, where at least 15/16 of it are left, at every size: one line a rule, not thirty."""
    few = Entry("6", 22, 22, ip_network("198.51.100.9/32"), allows=False)
    everybody = Entry("-1", 0, 65535, ip_network(EVERYBODY), allows=True)
    known = world(rule(OWN, 22, cidr), acls=Read({"subnet-1": Acl("acl-1", [few, everybody])}))
    assert sources(known, 22) == {cidr}


def test_a_rule_that_names_the_group_of_a_network_load_balancer_admits_its_clients() -> None:
    """NLB guide, "Update the security groups": targets that name its group accept its traffic, preserved or not."""
    known = world(rule(OWN, 80, FRONT), rule(FRONT, 443, EVERYBODY), acls=acl((80, OFFICE)))
    elsewhere = front("net/front/1", FRONT, subnet="subnet-2")
    crossing = Read({elsewhere.arn: {"load_balancing.cross_zone.enabled": "true"}})
    behind = replace(balanced(known, elsewhere, (443, "i-1", 80)), attributes=crossing)
    assert sources(behind, 80) == {OFFICE}
    assert sources(balanced(known, front("net/front/1", FRONT), (443, "i-1", 80)), 80) == {EVERYBODY}


def test_an_accelerator_comes_in_past_the_acl() -> None:
    """Global Accelerator guide, "Guidelines and restrictions": traffic of preserved clients bypasses network ACLs."""
    known = world(rule(OWN, 22, EVERYBODY), acls=acl((22, OFFICE)))
    entrance = Interface("eni-8", None, (OTHER,), "subnet-1", "vpc-1", services=(ACCELERATOR,))
    finding = found(replace(known, services=Read({"subnet-1": [entrance]})), 22)
    assert {source for one in finding.exposures for source in one.sources} == {EVERYBODY}
    assert "an accelerator may lead to subnet-1: network ACL acl-1 does not narrow it" in finding.notes


def test_the_group_of_cloudfront_means_its_viewers() -> None:
    """CloudFront guide, "Restrict access with VPC origins": a rule for its service-managed group lets CloudFront in."""
    entrance = Interface("eni-8", None, (OTHER,), "subnet-1", "vpc-1", services=(CLOUDFRONT,))
    assert sources(world(rule(OWN, 443, OTHER), members=Read({OTHER: [entrance]})), 443) == {EVERYBODY}


def test_a_node_without_cross_zone_sends_only_to_its_own_zone() -> None:
    """API LoadBalancerAttribute: "The default for Network Load Balancers and Gateway Load Balancers is false"."""
    known = world(rule(OWN, 80, FRONT), rule(FRONT, 443, EVERYBODY))
    elsewhere = front("net/front/1", FRONT, subnet="subnet-2")
    assert EVERYBODY not in sources(balanced(known, elsewhere, (443, "i-1", 80)), 80)
    crossing = Read({f"group:{elsewhere.name}:443": {"load_balancing.cross_zone.enabled": "true"}})
    behind = replace(balanced(known, elsewhere, (443, "i-1", 80)), attributes=crossing)
    assert sources(behind, 80) == {EVERYBODY}


@pytest.mark.parametrize(("zone", "reached"), [(None, False), ("a", False), ("all", True)])
def test_a_target_of_all_zones_gets_packets_from_every_node(zone: str | None, reached: bool) -> None:  # noqa: FBT001  a case
    """API TargetDescription: `all` for traffic "from all enabled Availability Zones for the load balancer"."""
    known = world(rule(OWN, 80, FRONT), rule(FRONT, 443, EVERYBODY))
    behind = balanced(known, front("net/front/1", FRONT, subnet="subnet-2"), (443, "10.0.1.7", 80), kind="ip")
    targets = Read({arn: (Registered("10.0.1.7", 80, zone),) for arn in behind.targets.items})
    assert (EVERYBODY in sources(replace(behind, targets=targets), 80)) == reached


def test_a_client_of_udp_over_ipv6_comes_from_the_prefix_of_a_node() -> None:
    """API SubnetMapping: "[Network Load Balancers with UDP listeners] The IPv6 prefix to use for source NAT"."""
    prefix = "2001:db8:0:1:7::/80"
    own = front(address_type="dualstack", zones=(Zone("a", "subnet-1", (prefix,)),))
    nodes = Read({own.name: [Interface("eni-9", None, (), "subnet-1", "vpc-1", ("10.0.1.9", "2001:db8:0:1::9"))]})
    rules = [replace(rule(OWN, 53, source), protocols=("udp",)) for source in (prefix, OFFICE)]
    target = {"protocols": ("udp",), "family": 6}
    behind = balanced(world(*rules, nodes=nodes), own, (53, "i-1", 53), **target)
    assert sources(behind, 53, protocol="udp") >= {EVERYBODY}


@pytest.mark.parametrize(("enforced", "expected"), [(True, {OFFICE}), (False, {OFFICE, "10.0.0.0/16", *PRIVATE})])
def test_consumers_of_an_endpoint_service_come_from_private_addresses(enforced: bool, expected: set[str]) -> None:  # noqa: FBT001  a case
    """NLB guide, "Update the security groups": under inbound rules PrivateLink clients have their private addresses."""
    known = world(rule(OWN, 80, FRONT), rule(FRONT, 443, OFFICE))
    own = front("net/front/1", FRONT, enforced=enforced)
    behind = balanced(known, own, (443, "i-1", 80))
    assert sources(replace(behind, endpoint_services=Read({own.arn: True})), 80) == expected
    unread = Read[bool]({}, {"": "ec2:DescribeVpcEndpointServiceConfigurations was denied in 111122223333"})
    assert sources(replace(behind, endpoint_services=unread), 80) == {OFFICE, "unknown"}


def test_a_gateway_load_balancer_is_no_way_to_a_listener() -> None:
    """API CreateTargetGroup: "For Gateway Load Balancers, the supported protocol is GENEVE", on udp 6081."""
    known = world(rule(OWN, 80, "10.0.0.0/16"))
    behind = balanced(known, replace(front(), kind="gateway", name="gwy/front/1"), (80, "i-1", 80))
    assert sources(behind, 80) == {"10.0.0.0/16"}


def test_a_group_of_a_vpc_that_is_peered_no_more_lets_nobody_in() -> None:
    """API UserIdGroupPair, UserId: "If the referenced security group is deleted, this value is not returned"."""
    stale = replace(rule(OWN, 22, OTHER), stale=True)
    finding = found(world(rule(OWN, 22, OFFICE), stale, members=Read({OTHER: [NIC]})), 22)
    assert {source for one in finding.exposures for source in one.sources} == {OFFICE}
    assert f"{OTHER} is a group of a VPC that is peered no more: nobody comes from it" in finding.notes


def test_a_client_preserved_by_default_is_an_assumption() -> None:
    """API TargetGroupAttribute, of client addresses: "Otherwise, the default is enabled."; said where it counts."""
    known = world(rule(OWN, 80, FRONT), rule(FRONT, 443, EVERYBODY))
    finding = found(balanced(known, front("net/front/1", FRONT), (443, "i-1", 80)), 80)
    assert "net/front/1: its targets see the addresses of its clients, as is the default" in finding.notes


def test_what_is_missing_makes_only_the_ways_through_it_unknown() -> None:
    """One load balancer's listeners are not told; the other's, and the rules, are."""
    known = world(rule(OWN, 80, FRONT), rule(FRONT, 443, OFFICE), rule(OWN, 80, "198.51.100.0/24"))
    first = balanced(known, front("app/front/1", FRONT), (443, "i-1", 80))
    both = balanced(first, front("app/other/2", FRONT), (443, "i-1", 80))
    problem = "elasticloadbalancing:DescribeListeners was denied in 111122223333"
    finding = found(replace(both, listeners=Read(first.listeners.items, {"arn:app/other/2": problem})), 80)
    assert {(one.sources, one.load_balancer or None) for one in finding.exposures} == {
        ((OFFICE,), "app/front/1"),
        (("198.51.100.0/24",), None),
        (("unknown",), "app/other/2"),
    }
    assert f"{problem}: who reaches tcp 80 through app/other/2 is unknown" in finding.notes


@pytest.mark.parametrize("name", ["app/front/1", "net/front/1"])
def test_a_thousand_target_groups_that_could_not_be_read_are_one_way(name: str) -> None:
    """Each of them may lead from the same listener, so that following one of them tells all."""
    arns = [f"group:{number}" for number in range(1000)]
    groups = {arn: TargetGroup(arn, vpc="vpc-1", balancers=(f"arn:{name}",)) for arn in arns}
    problem = "elasticloadbalancing:DescribeTargetHealth was denied in 111122223333"
    known = balanced(world(rule(OWN, 80, FRONT), rule(FRONT, 443, OFFICE)), front(name, FRONT), (443, "i-1", 80))
    listeners = Read({f"arn:{name}": (Listener(("tcp",), 443, "listener", frozenset(arns)),)})
    unread = replace(known, groups=Read(groups), targets=Read({}, dict.fromkeys(arns, problem)), listeners=listeners)
    [target] = unread.targets_of(server("i-1"))
    [hop] = Index(unread).hops(target, Span("tcp", 80, 80))
    assert (hop.balancer, hop.doubt) == (front(name, FRONT), problem)
    assert sources(unread, 80) == {OFFICE}
