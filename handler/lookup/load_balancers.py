"""Load balancers: which one is in a security group, and through which of its listeners a port of a server is reached.

Shapes: Elastic Load Balancing API reference, versions 2015-12-01 (`LoadBalancer`, `Listener`, `Rule`, `TargetGroup`,
`TargetHealthDescription`) and 2012-06-01 (`LoadBalancerDescription`, of the Classic ones).
"""

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from msgspec import Struct

from handler.finding import Protocol
from handler.lookup.inquiry import Answer, Inquiry, Place
from handler.lookup.interfaces import Interface

_UDP: dict[str, tuple[Protocol, ...]] = {
    "UDP": ("udp",),
    "QUIC": ("udp",),
    "TCP_UDP": ("tcp", "udp"),
    "TCP_QUIC": ("tcp", "udp"),
}
"""What is taken by listeners and target groups of these protocols; all others (HTTP, HTTPS, TCP, TLS, SSL) take TCP."""


_LARGEST = {4: 16, 6: 44}
"""The shortest prefix that a CIDR block of a VPC has, by IP version (Amazon VPC user guide, "VPC CIDR blocks")."""

ANYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))
"""What is around a target of which no address is known, and where load balancers are of which none is."""

MOST_TARGET_GROUPS = 50
"""The most target groups of a load balancer that are searched; AWS tells the targets of one at a time."""


class Listener(Struct, frozen=True):
    """A port that a load balancer listens on. A Classic one sends it to one port of its servers."""

    protocol: Protocol
    port: int
    arn: str = ""
    server_port: int | None = None


class Balancer(Struct, frozen=True):
    """A load balancer; `name` is as a path has it (`app/web/50dc6c495c0c9188`).

    A Classic one has no ARN, and alone tells its listeners and its servers (ids of instances) itself.
    """

    name: str
    dns_name: str
    groups: tuple[str, ...]
    arn: str = ""
    listeners: tuple[Listener, ...] = ()
    servers: tuple[str, ...] = ()


class Balancers(Struct, frozen=True):
    """All load balancers of a place, and why these are not all (null if they are)."""

    all: tuple[Balancer, ...]
    problem: str | None

    def in_group(self, group: str) -> list[Balancer]:
        """Give those that are in a security group."""
        return [balancer for balancer in self.all if group in balancer.groups]

    def named(self, name: str) -> Balancer | None:
        """Give the one of this name, ARN or DNS name, as a report's path has it."""
        spelled = name_in(name) or name
        return next((one for one in self.all if spelled in {one.name, one.dns_name}), None)


class Target(Struct, frozen=True):
    """A server as target groups know it: by its id or by an address; and why these may not be all its addresses.

    A security group is in no target group: what is in it is. A load balancer has its name for an id, and is registered
    by its ARN. `around` are the networks that count as inside: the largest that the CIDR blocks of its VPC may be, as
    far as its addresses tell, and the addresses of load balancers.
    """

    id: str
    networks: tuple[IPv4Network | IPv6Network, ...]
    problem: str | None
    around: tuple[IPv4Network | IPv6Network, ...]

    def has(self, target: str) -> bool:
        """Say whether what is registered, an id or an address, is this server."""
        try:
            address = ip_address(target)
        except ValueError:
            return self.id in {target, name_in(target)}
        return any(address in network for network in self.networks)


def target(server: str, own: Sequence[Interface], problem: str | None) -> Target:
    """Give a server as target groups know it by its interfaces, and why these could not be read."""
    networks = addresses(own)
    nothing = None if own else f"{server} has no network interface now"
    around = {network.supernet(new_prefix=_LARGEST[network.version]) for network in networks}
    return Target(server, tuple(networks), problem or nothing, tuple(around))


def addresses(own: Iterable[Interface]) -> set[IPv4Network | IPv6Network]:
    """Give the addresses of interfaces."""
    return {ip_network(address, strict=False) for one in own for address in one.addresses if address}


def name_in(arn: str) -> str:
    """Give the name of a load balancer as a path has it, from its ARN; nothing where this is none."""
    return arn.partition(":loadbalancer/")[2]


def taken(protocol: str) -> tuple[Protocol, ...]:
    """Give what a listener or a target group of a protocol takes."""
    return _UDP.get(protocol, ("tcp",))


def read(inquiry: Inquiry, place: Place) -> Balancers:
    """List the load balancers of a place, Classic ones too."""
    current = inquiry.ask(place, "elbv2", "describe_load_balancers", "LoadBalancers")
    classic = inquiry.ask(place, "elb", "describe_load_balancers", "LoadBalancerDescriptions")
    found = (*map(_current, current.items), *map(_classic, classic.items))
    return Balancers(found, current.problem or classic.problem)


def listeners(inquiry: Inquiry, place: Place, balancer: Balancer) -> tuple[tuple[Listener, ...], str | None]:
    """Give all listeners of a load balancer, and why these are not all."""
    if not balancer.arn:
        return balancer.listeners, None
    answer = inquiry.ask(place, "elbv2", "describe_listeners", "Listeners", LoadBalancerArn=balancer.arn)
    found = tuple(
        Listener(protocol, told.get("Port", 0), told.get("ListenerArn", ""))
        for told in answer.items
        for protocol in taken(told.get("Protocol", ""))
    )
    return found, answer.problem


def sends(
    inquiry: Inquiry, place: Place, balancer: Balancer, server: Target, ports: tuple[int, int]
) -> tuple[bool, str | None]:
    """Say whether a load balancer is known to send to a server's ports, and if not, why it may do so all the same."""
    if not balancer.arn:
        return bool(_led_to(balancer, ports)), None
    told = _target_groups(inquiry, place, balancer)
    if len(told.items) > MOST_TARGET_GROUPS:
        return False, f"it has more than {MOST_TARGET_GROUPS} target groups"
    kinds = {one.get("TargetType") for one in told.items}
    health = [target_health(inquiry, place, one["TargetGroupArn"]) for one in told.items]
    problems = (
        told.problem,
        *(answer.problem for answer in health),
        "it sends to another load balancer" if "alb" in kinds else None,
        server.problem if kinds - {"instance"} or server.id.startswith("sg-") else None,
    )
    return (
        any(_is(one, server, ports) for answer in health for one in answer.items),
        next((problem for problem in problems if problem), None),
    )


def reaching(
    inquiry: Inquiry, place: Place, balancer: Balancer, server: Target, ports: tuple[int, int]
) -> tuple[Listener, ...]:
    """Give the listeners that send to a server's ports; all of them unless AWS tells that it is fewer."""
    every, _ = listeners(inquiry, place, balancer)
    if not balancer.arn:
        return _led_to(balancer, ports) or every
    told = _target_groups(inquiry, place, balancer)
    health = {group: target_health(inquiry, place, group) for group in (one["TargetGroupArn"] for one in told.items)}
    rules = {
        one: inquiry.ask(place, "elbv2", "describe_rules", "Rules", ListenerArn=one.arn) for one in every if one.arn
    }
    if told.problem or any(answer.problem for answer in (*health.values(), *rules.values())):
        return every
    own = {group for group, answer in health.items() if any(_is(one, server, ports) for one in answer.items)}
    return tuple(one for one, answer in rules.items() if own & set(_forwards(answer))) or every


def _led_to(classic: Balancer, ports: tuple[int, int]) -> tuple[Listener, ...]:
    return tuple(
        one for one in classic.listeners if one.server_port is not None and ports[0] <= one.server_port <= ports[1]
    )


def _target_groups(inquiry: Inquiry, place: Place, balancer: Balancer) -> Answer:
    """Give the target groups of a load balancer, from a list of all: one question, however many balancers there are."""
    answer = inquiry.ask(place, "elbv2", "describe_target_groups", "TargetGroups")
    return Answer(tuple(one for one in answer.items if balancer.arn in one.get("LoadBalancerArns", [])), answer.problem)


def target_health(inquiry: Inquiry, place: Place, target_group: str) -> Answer:
    """Give the targets of a target group, each with its health."""
    return inquiry.ask(
        place, "elbv2", "describe_target_health", "TargetHealthDescriptions", TargetGroupArn=target_group
    )


def _is(told: dict[str, Any], server: Target, ports: tuple[int, int]) -> bool:
    registered = told.get("Target", {})
    return ports[0] <= registered.get("Port", -1) <= ports[1] and server.has(registered.get("Id", ""))


def _forwards(rules: Answer) -> Iterator[str]:
    """Give the target groups that the rules of a listener, its default one among them, forward to."""
    for action in (action for rule in rules.items for action in rule.get("Actions", [])):
        if "TargetGroupArn" in action:
            yield action["TargetGroupArn"]
        for group in action.get("ForwardConfig", {}).get("TargetGroups", []):
            yield group.get("TargetGroupArn", "")


def _current(told: dict[str, Any]) -> Balancer:
    """Read an application or network load balancer."""
    arn = told.get("LoadBalancerArn", "")
    return Balancer(
        name_in(arn) or told.get("LoadBalancerName", ""),
        told.get("DNSName", ""),
        tuple(told.get("SecurityGroups", [])),
        arn,
    )


def _classic(told: dict[str, Any]) -> Balancer:
    """Read a Classic load balancer."""
    described = [one.get("Listener", {}) for one in told.get("ListenerDescriptions", [])]
    return Balancer(
        told.get("LoadBalancerName", ""),
        told.get("DNSName", ""),
        tuple(told.get("SecurityGroups", [])),
        listeners=tuple(
            Listener("tcp", one.get("LoadBalancerPort", 0), server_port=one.get("InstancePort")) for one in described
        ),
        servers=tuple(one.get("InstanceId", "") for one in told.get("Instances", [])),
    )
