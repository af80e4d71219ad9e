"""Load balancers: what each listens on, which target groups it forwards to, and what is registered in these.

Shapes: Elastic Load Balancing API reference, versions 2015-12-01 (`LoadBalancer`, `Listener`, `Rule`, `TargetGroup`,
`TargetHealthDescription`, attributes) and 2012-06-01 (`LoadBalancerDescription`, of the Classic ones).
"""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from handler.finding import Protocol
from handler.lookup.inquiry import Inquiry, Items, Read

_TCP: tuple[Protocol, ...] = ("tcp",)
_UDP: dict[str, tuple[Protocol, ...]] = {
    "UDP": ("udp",),
    "QUIC": ("udp",),
    "TCP_UDP": ("tcp", "udp"),
    "TCP_QUIC": ("tcp", "udp"),
    "GENEVE": (),
}
"""What listeners and target groups of these protocols take; all others (HTTP, HTTPS, TCP, TLS, SSL) take TCP."""


class Listener(Struct, frozen=True):
    """A port that a load balancer listens on. `forwards` are the target groups of its default action.

    A Classic one sends to one port of its servers.
    """

    protocols: tuple[Protocol, ...]
    port: int
    arn: str = ""
    forwards: frozenset[str] = frozenset()
    server_port: int | None = None


class Zone(Struct, frozen=True):
    """Where a load balancer has a node; `prefixes` are the IPv6 ones from which it sends UDP."""

    name: str
    subnet: str
    prefixes: tuple[str, ...] = ()


class Balancer(Struct, frozen=True):
    """A load balancer; `name` is as a path has it (`app/web/50dc6c495c0c9188`), `kind` as in the API, or `classic`.

    `address_type` is empty where AWS does not say. `enforced` is false when PrivateLink traffic passes its groups
    unjudged. A Classic one has no ARN, and alone tells its listeners and its servers (ids of instances) itself.
    """

    name: str
    dns_name: str = ""
    groups: tuple[str, ...] = ()
    arn: str = ""
    kind: str = "application"
    internal: bool = False
    address_type: str = ""
    zones: tuple[Zone, ...] = ()
    enforced: bool = True
    listeners: tuple[Listener, ...] = ()
    servers: tuple[str, ...] = ()


class TargetGroup(Struct, frozen=True):
    """A target group. `balancers` are the ARNs of the load balancers that forward to it.

    `kind` says what its targets are: `instance`, `ip`, `alb` (another load balancer), `lambda`. `preserves` is whether
    targets of a Network Load Balancer see the addresses of clients unless an attribute says otherwise.
    """

    arn: str
    name: str = ""
    kind: str = "instance"
    protocols: tuple[Protocol, ...] = ("tcp",)
    family: int = 4
    vpc: str | None = None
    balancers: tuple[str, ...] = ()
    preserves: bool = True


class Registered(Struct, frozen=True):
    """A target: an instance id, an address, or an ARN; its port; and its zone, or `all`, where AWS says one."""

    id: str
    port: int
    zone: str | None = None


def name_in(arn: str) -> str:
    """Return the name of a load balancer as a path has it, from its ARN; empty where this is none."""
    return arn.partition(":loadbalancer/")[2]


def named(balancers: Iterable[Balancer], name: str) -> Balancer | None:
    """Return the load balancer of a name, ARN or DNS name, as a report's path has it."""
    spelled = name_in(name) or name
    return next((balancer for balancer in balancers if spelled in {balancer.name, balancer.dns_name}), None)


def read(inquiry: Inquiry) -> Read[Balancer]:
    """Read the load balancers of a place by name, Classic ones too, and under "" why these are not all."""
    current = inquiry.ask("elbv2", "describe_load_balancers", "LoadBalancers")
    classic = inquiry.ask("elb", "describe_load_balancers", "LoadBalancerDescriptions")
    described = [*map(_current, current.items), *map(_classic, classic.items)]
    return current.read({balancer.name: balancer for balancer in described}).joined(classic.read({}))


def target_groups(inquiry: Inquiry) -> Read[TargetGroup]:
    """Read the target groups of a place by ARN, and under "" why these are not all."""
    answer = inquiry.ask("elbv2", "describe_target_groups", "TargetGroups")
    return answer.read({group.arn: group for group in map(_target_group, answer.items)})


def targets(inquiry: Inquiry, groups: Iterable[str]) -> Read[tuple[Registered, ...]]:
    """Read what is registered in target groups, by the group's ARN; its health narrows nothing."""
    question = ("describe_target_health", "TargetHealthDescriptions", "TargetGroupArn")
    return inquiry.read_each(*question, groups, lambda items: tuple(map(_registered, items)))


def listeners(inquiry: Inquiry, balancers: Iterable[str]) -> Read[tuple[Listener, ...]]:
    """Read the listeners of load balancers, by the balancer's ARN."""
    question = ("describe_listeners", "Listeners", "LoadBalancerArn")
    return inquiry.read_each(*question, balancers, lambda items: tuple(map(_listener, items)))


def forwards(inquiry: Inquiry, listener_arns: Iterable[str]) -> Read[frozenset[str]]:
    """Read the target groups to which any rule of a listener forwards, by the listener's ARN."""
    question = ("describe_rules", "Rules", "ListenerArn")
    return inquiry.read_each(*question, listener_arns, lambda rules: _forwards(rules, "Actions"))


def attributes(inquiry: Inquiry, balancers: Iterable[str], groups: Iterable[str]) -> Read[dict[str, str]]:
    """Read the attributes of load balancers and of target groups, by their ARN."""
    of_balancers = ("describe_load_balancer_attributes", "Attributes", "LoadBalancerArn")
    of_groups = ("describe_target_group_attributes", "Attributes", "TargetGroupArn")
    return inquiry.read_each(*of_balancers, balancers, _values).joined(inquiry.read_each(*of_groups, groups, _values))


def _values(items: Items) -> dict[str, str]:
    return {item.get("Key", ""): item.get("Value", "") for item in items}


def _current(item: dict[str, Any]) -> Balancer:
    """Read an application, network or gateway load balancer."""
    arn, zones = item.get("LoadBalancerArn", ""), item.get("AvailabilityZones", [])
    return Balancer(
        name_in(arn) or item.get("LoadBalancerName", ""),
        item.get("DNSName", ""),
        tuple(item.get("SecurityGroups", [])),
        arn,
        kind=item.get("Type", "application"),
        internal=item.get("Scheme") == "internal",
        address_type=item.get("IpAddressType", ""),
        zones=tuple(
            Zone(zone.get("ZoneName", ""), zone.get("SubnetId", ""), tuple(zone.get("SourceNatIpv6Prefixes", [])))
            for zone in zones
        ),
        enforced=item.get("EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic") != "off",
    )


def _classic(item: dict[str, Any]) -> Balancer:
    """Read a Classic load balancer."""
    described = [listener.get("Listener", {}) for listener in item.get("ListenerDescriptions", [])]
    return Balancer(
        item.get("LoadBalancerName", ""),
        item.get("DNSName", ""),
        tuple(item.get("SecurityGroups", [])),
        kind="classic",
        internal=item.get("Scheme") == "internal",
        address_type="ipv4",
        zones=tuple(Zone("", subnet) for subnet in item.get("Subnets", [])),
        listeners=tuple(
            Listener(("tcp",), listener.get("LoadBalancerPort", 0), server_port=listener.get("InstancePort"))
            for listener in described
        ),
        servers=tuple(instance.get("InstanceId", "") for instance in item.get("Instances", [])),
    )


def _listener(item: dict[str, Any]) -> Listener:
    arn, forwards_to = item.get("ListenerArn", ""), _forwards([item], "DefaultActions")
    return Listener(_UDP.get(item.get("Protocol", ""), _TCP), item.get("Port", 0), arn, forwards_to)


def _forwards(items: Iterable[dict[str, Any]], field: str) -> frozenset[str]:
    """Return the target groups to which the actions of listeners or of rules forward."""
    actions = [action for item in items for action in item.get(field, [])]
    weighted = [group for action in actions for group in action.get("ForwardConfig", {}).get("TargetGroups", [])]
    return frozenset(each["TargetGroupArn"] for each in (*actions, *weighted) if "TargetGroupArn" in each)


def _target_group(item: dict[str, Any]) -> TargetGroup:
    kind, protocol = item.get("TargetType", "instance"), item.get("Protocol", "")
    return TargetGroup(
        item.get("TargetGroupArn", ""),
        item.get("TargetGroupName", ""),
        kind,
        _UDP.get(protocol, _TCP),
        family=6 if item.get("IpAddressType") == "ipv6" else 4,
        vpc=item.get("VpcId"),
        balancers=tuple(item.get("LoadBalancerArns", [])),
        preserves=kind != "ip" or protocol in _UDP,
    )


def _registered(item: dict[str, Any]) -> Registered:
    target = item.get("Target", {})
    return Registered(target.get("Id", ""), target.get("Port", -1), target.get("AvailabilityZone"))
