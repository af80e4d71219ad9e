"""Load balancers: what each listens on, which target groups it forwards to, and what is registered in these.

Shapes: Elastic Load Balancing API reference, versions 2015-12-01 (`LoadBalancer`, `Listener`, `Rule`, `TargetGroup`,
`TargetHealthDescription`, attributes) and 2012-06-01 (`LoadBalancerDescription`, of the Classic ones).
"""

from collections.abc import Callable, Iterable, Iterator
from ipaddress import ip_address
from typing import Any

from msgspec import Struct

from handler.finding import Protocol
from handler.lookup.inquiry import Inquiry, Item, Place, Read

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
    """Where a load balancer has a node: zone, subnet, and addresses that AWS lists for it (often none)."""

    name: str
    subnet: str
    addresses: tuple[str, ...] = ()


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
    vpc: str | None = None
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
    """A target: an instance id, an address, or an ARN; its port; and its zone if it is bound to one."""

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


def read(inquiry: Inquiry, place: Place) -> Read[Balancer]:
    """Read the load balancers of a place by name, Classic ones too, and under "" why these are not all."""
    current = inquiry.ask(place, "elbv2", "describe_load_balancers", "LoadBalancers")
    classic = inquiry.ask(place, "elb", "describe_load_balancers", "LoadBalancerDescriptions")
    balancers = (*map(_current, current.items), *map(_classic, classic.items))
    return Read({balancer.name: balancer for balancer in balancers}, _missing(current.problem or classic.problem))


def target_groups(inquiry: Inquiry, place: Place) -> Read[TargetGroup]:
    """Read the target groups of a place by ARN, and under "" why these are not all."""
    answer = inquiry.ask(place, "elbv2", "describe_target_groups", "TargetGroups")
    groups = map(_target_group, answer.items)
    return Read({group.arn: group for group in groups}, _missing(answer.problem))


def targets(inquiry: Inquiry, place: Place, groups: Iterable[str]) -> Read[tuple[Registered, ...]]:
    """Read what is registered in target groups, by the group's ARN; its health narrows nothing."""
    question = ("describe_target_health", "TargetHealthDescriptions", "TargetGroupArn")
    return _each(inquiry, place, question, groups, lambda items: tuple(map(_registered, items)))


def listeners(inquiry: Inquiry, place: Place, balancers: Iterable[str]) -> Read[tuple[Listener, ...]]:
    """Read the listeners of load balancers, by the balancer's ARN."""
    question = ("describe_listeners", "Listeners", "LoadBalancerArn")
    return _each(inquiry, place, question, balancers, lambda items: tuple(map(_listener, items)))


def forwards(inquiry: Inquiry, place: Place, listener_arns: Iterable[str]) -> Read[frozenset[str]]:
    """Read the target groups to which any rule of a listener forwards, by the listener's ARN."""
    question = ("describe_rules", "Rules", "ListenerArn")
    return _each(inquiry, place, question, listener_arns, lambda rules: frozenset(_forwards(rules, "Actions")))


def attributes(inquiry: Inquiry, place: Place, balancers: Iterable[str], groups: Iterable[str]) -> Read[dict[str, str]]:
    """Read the attributes of load balancers and of target groups, by their ARN."""
    of_balancers = ("describe_load_balancer_attributes", "Attributes", "LoadBalancerArn")
    of_groups = ("describe_target_group_attributes", "Attributes", "TargetGroupArn")
    read = _each(inquiry, place, of_balancers, balancers, _by_key)
    return read.joined(_each(inquiry, place, of_groups, groups, _by_key))


def _by_key(items: Iterable[dict[str, Any]]) -> dict[str, str]:
    return {item.get("Key", ""): item.get("Value", "") for item in items}


def _each(
    inquiry: Inquiry, place: Place, question: tuple[str, str, str], values: Iterable[str], spelled: Callable[..., Item]
) -> Read[Item]:
    """Ask a question (operation, field of the answer, parameter) of each value by itself."""
    operation, field, name = question
    answers = inquiry.ask_each(values, lambda one: inquiry.ask(place, "elbv2", operation, field, **{name: one}))
    problems = {key: answer.problem for key, answer in answers.items() if answer.problem}
    return Read({key: spelled(answer.items) for key, answer in answers.items()}, problems)


def _missing(problem: str | None) -> dict[str, str]:
    return {"": problem} if problem else {}


def _taken(protocol: str) -> tuple[Protocol, ...]:
    return _UDP.get(protocol, ("tcp",))


def _current(told: dict[str, Any]) -> Balancer:
    """Read an application, network or gateway load balancer."""
    arn = told.get("LoadBalancerArn", "")
    name = name_in(arn) or told.get("LoadBalancerName", "")
    kinds = {"app": "application", "net": "network", "gwy": "gateway"}
    return Balancer(
        name,
        told.get("DNSName", ""),
        tuple(told.get("SecurityGroups", [])),
        arn,
        told.get("Type") or kinds.get(name.partition("/")[0], "application"),
        internal=told.get("Scheme") == "internal",
        address_type=told.get("IpAddressType", ""),
        vpc=told.get("VpcId"),
        zones=tuple(map(_zone, told.get("AvailabilityZones", []))),
        enforced=told.get("EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic") != "off",
    )


def _zone(told: dict[str, Any]) -> Zone:
    addresses = [
        address
        for item in told.get("LoadBalancerAddresses", [])
        for address in (item.get("PrivateIPv4Address"), item.get("IPv6Address"))
        if address
    ]
    return Zone(
        told.get("ZoneName", ""), told.get("SubnetId", ""), (*addresses, *told.get("SourceNatIpv6Prefixes", []))
    )


def _classic(told: dict[str, Any]) -> Balancer:
    """Read a Classic load balancer."""
    described = [item.get("Listener", {}) for item in told.get("ListenerDescriptions", [])]
    return Balancer(
        told.get("LoadBalancerName", ""),
        told.get("DNSName", ""),
        tuple(told.get("SecurityGroups", [])),
        kind="classic",
        internal=told.get("Scheme") == "internal",
        address_type="ipv4",
        vpc=told.get("VPCId"),
        zones=tuple(Zone("", subnet) for subnet in told.get("Subnets", [])),
        listeners=tuple(
            Listener(("tcp",), item.get("LoadBalancerPort", 0), server_port=item.get("InstancePort"))
            for item in described
        ),
        servers=tuple(item.get("InstanceId", "") for item in told.get("Instances", [])),
    )


def _listener(told: dict[str, Any]) -> Listener:
    return Listener(
        _taken(told.get("Protocol", "")),
        told.get("Port", 0),
        told.get("ListenerArn", ""),
        frozenset(_forwards([told], "DefaultActions")),
    )


def _forwards(told: Iterable[dict[str, Any]], field: str) -> Iterator[str]:
    """Give the target groups to which the actions of listeners or of rules forward."""
    for action in (action for item in told for action in item.get(field, [])):
        if "TargetGroupArn" in action:
            yield action["TargetGroupArn"]
        for group in action.get("ForwardConfig", {}).get("TargetGroups", []):
            yield group.get("TargetGroupArn", "")


def _target_group(told: dict[str, Any]) -> TargetGroup:
    kind, protocol = told.get("TargetType", "instance"), told.get("Protocol", "")
    return TargetGroup(
        told.get("TargetGroupArn", ""),
        told.get("TargetGroupName", ""),
        kind,
        _taken(protocol),
        6 if told.get("IpAddressType") == "ipv6" else 4,
        told.get("VpcId"),
        tuple(told.get("LoadBalancerArns", [])),
        preserves=kind != "ip" or protocol in _UDP,
    )


def _registered(told: dict[str, Any]) -> Registered:
    target = told.get("Target", {})
    zone = target.get("AvailabilityZone")
    return Registered(target.get("Id", ""), target.get("Port", -1), None if zone in {None, "all"} else zone)


def is_address(target: str) -> bool:
    """Say whether what is registered is an address."""
    try:
        ip_address(target)
    except ValueError:
        return False
    return True
