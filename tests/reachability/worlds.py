"""Random AWS worlds: VPCs, subnets, ACLs, groups, load balancers of all kinds, and what is registered behind them.

A world is plain data of the tests' own. `snapshot` spells it as the look-ups read it; `oracle` tries packets in it.
"""

from collections.abc import Iterator
from functools import lru_cache
from ipaddress import ip_network
from random import Random
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from handler.finding import UNKNOWN
from handler.lookup.inquiry import Place, Read
from handler.lookup.interfaces import ACCELERATOR, Interface
from handler.lookup.load_balancers import Balancer, Listener, Registered, TargetGroup, Zone
from handler.lookup.network_acls import Acl, Entry
from handler.lookup.security_groups import Rule
from handler.reachability.snapshot import Snapshot

PLACE = Place("111122223333", "eu-west-1")
PORTS = (80, 443, 8080)
SERVER = "i-0aaaaaaaaaaaaaaa1"
PUBLIC = ("0.0.0.0/0", "::/0", "203.0.113.0/24", "198.51.100.0/24", "2600:9::/32")
CIDRS = (*PUBLIC, "0.0.0.0/0", "10.0.0.0/16", "10.0.0.0/24", "10.1.0.0/16", "10.0.0.0/8", "192.168.0.0/16", "fd00::/8")
BLOCKS = {
    "vpc-1": ("10.0.0.0/16", "2600:1:0:100::/56", "198.18.0.0/24"),
    "vpc-2": ("10.1.0.0/16",),
}
SUBNETS = {
    "subnet-1": ("vpc-1", "a", ("10.0.0.0/24", "2600:1:0:100::/64")),
    "subnet-2": ("vpc-1", "b", ("10.0.1.0/24", "2600:1:0:101::/64")),
    "subnet-3": ("vpc-1", "b", ("198.18.0.0/25",)),
    "subnet-4": ("vpc-2", "a", ("10.1.0.0/24",)),
}
LISTED = {"balancers", "groups", "nodes", "endpoint_services", "vpcs", "subnets"}
"""What one question lists: of which nobody knows what is missing. Of all else it is known what was asked for."""

TAKEN = {"TCP": ("tcp",), "UDP": ("udp",), "TCP_UDP": ("tcp", "udp"), "HTTP": ("tcp",), "TLS": ("tcp",)}


network = lru_cache(ip_network)


class Nic(Struct):
    """An interface: its addresses, its groups, and the instance or load balancer that it is of, if any."""

    id: str
    subnet: str
    addresses: tuple[str, ...]
    groups: tuple[str, ...]
    instance: str | None = None
    balancer: str | None = None
    first: bool = True
    accelerator: bool = False


class Targets(Struct):
    """A target group: `preserve` and `cross` are attributes as AWS spells them, null where it has none."""

    arn: str
    kind: str
    protocol: str
    family: int
    targets: list[tuple[str, int]]
    preserve: str | None = None
    cross: str | None = None


class Front(Struct):
    """A load balancer; listeners are protocol, port, and the ARNs of the target groups to which they forward."""

    name: str
    kind: str
    groups: tuple[str, ...]
    subnets: tuple[str, ...]
    address_type: str
    internal: bool
    listeners: list[tuple[str, int, tuple[str, ...]]]
    cross: str | None = None
    denies_gateway: bool = False
    service: bool = False
    enforced: bool = True
    sends_to: tuple[str, int] = ("", 0)

    @property
    def arn(self) -> str:
        """The ARN, empty for a Classic one."""
        return "" if self.kind == "classic" else f"arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/{self.name}"


class World(Struct):
    """What there is, and the question: protocol and ports of the server. ACL entries are as the API has them."""

    rules: dict[str, list[Rule]]
    nics: list[Nic]
    lists: dict[str, tuple[str, ...]]
    acls: dict[str, list[Entry]]
    fronts: list[Front]
    targets: dict[str, Targets]
    protocol: str
    low: int
    high: int

    def forwarding(self, arn: str) -> list[Front]:
        """Return the load balancers that forward to a target group."""
        return [front for front in self.fronts if any(arn in arns for _, _, arns in front.listeners)]


def world(random: Random) -> World:
    """Make a world."""
    names = [f"sg-{number}" for number in range(1, 6)]
    lists = {"pl-1": tuple(random.sample(CIDRS[2:], random.randint(1, 3)))}
    rules = {name: _rules(random, name, names) for name in names}
    nics = _servers(random, names)
    fronts, targets = _fronts(random, names, nics)
    acls = {subnet: _entries(random) for subnet in SUBNETS if random.random() < 0.3}
    low, high = random.choice([(port, port) for port in PORTS] + [(PORTS[0], PORTS[-1])] * 3)
    protocol = random.choice(["tcp", "tcp", "tcp", "udp"])
    return World(rules, nics, lists, acls, fronts, targets, protocol, low, high)


def _rules(random: Random, group: str, names: list[str]) -> list[Rule]:
    rules = []
    for number in range(random.choice([1, 1, 2, 3])):
        low = random.choice(PORTS)
        low, high = random.choice([(low, low), (low, low), (0, 65535), (0, 65535), (min(low, 100), 9000)])
        protocols: tuple[Any, ...] = random.choice([("tcp",), ("tcp",), ("udp",), ("tcp", "udp")])
        if len(protocols) > 1:
            low, high = 0, 65535
        source = random.choice([random.choice(CIDRS), random.choice(CIDRS), random.choice(names[:3]), "pl-1"])
        rules.append(Rule((f"sgr-{group[3:]}{number}",), group, protocols, low, high, source))
    return rules


def _servers(random: Random, names: list[str]) -> list[Nic]:
    """Make the server, sometimes with two interfaces, and others that are in groups."""
    nics = [_nic(random, "eni-1", names, SERVER)]
    if random.random() < 0.2:
        nics.append(_nic(random, "eni-2", names, SERVER, first=False))
    nics += [_nic(random, f"eni-{number}", names, None) for number in range(3, random.choice([3, 4, 5]))]
    if random.random() < 0.08:
        nics.append(Nic("eni-9", random.choice([*SUBNETS]), (), (), accelerator=True))
    return nics


def _nic(random: Random, name: str, names: list[str], instance: str | None, *, first: bool = True) -> Nic:
    subnet = random.choice(["subnet-1", "subnet-1", "subnet-2", "subnet-3", "subnet-4"])
    number = int(name.partition("-")[2])
    own = [_address(block, number) for block in SUBNETS[subnet][2] if ":" not in block]
    if random.random() < 0.4:
        own += [_address(block, number) for block in SUBNETS[subnet][2] if ":" in block]
    return Nic(name, subnet, tuple(own), tuple(random.sample(names, random.choice([1, 1, 2]))), instance, first=first)


def _address(block: str, number: int) -> str:
    return str(network(block)[number])


def _fronts(random: Random, names: list[str], nics: list[Nic]) -> tuple[list[Front], dict[str, Targets]]:
    fronts: list[Front] = []
    targets: dict[str, Targets] = {}
    server = _registrable(nics)
    for number in range(random.choice([0, 1, 2, 2, 3])):
        kind = random.choice(["application", "network", "network", "classic"])
        front = _front(random, number, kind, names)
        for subnet in front.subnets:
            own = tuple(_address(block, 20 + number) for block in SUBNETS[subnet][2] if _has(front, block))
            nics.append(Nic(f"eni-b{number}{subnet[-1]}", subnet, own, front.groups, balancer=front.name))
        if kind == "classic":
            front.sends_to = (random.choice([server, server, "i-2"]), random.choice(PORTS))
            front.listeners = [("TCP", random.choice(PORTS), ())]
        else:
            _listen(random, front, number, fronts, targets, nics)
        fronts.append(front)
    return fronts, targets


def _registrable(nics: list[Nic]) -> str:
    """Return the server's id if it is in the VPC of the load balancers; others are registered by their addresses."""
    return SERVER if SUBNETS[nics[0].subnet][0] == "vpc-1" else "i-2"


def _has(front: Front, block: str) -> bool:
    return ":" not in block or front.address_type.startswith("dualstack")


def _front(random: Random, number: int, kind: str, names: list[str]) -> Front:
    prefix = {"application": f"app/lb{number}/1", "network": f"net/lb{number}/1", "classic": f"classic{number}"}[kind]
    grouped = kind != "network" or random.random() < 0.5
    types = {
        "application": ["ipv4", "dualstack", "dualstack-without-public-ipv4"],
        "network": ["ipv4", "dualstack"],
        "classic": ["ipv4"],
    }[kind]
    return Front(
        prefix,
        kind,
        tuple(random.sample(names[:3], random.choice([1, 1, 2]))) if grouped else (),
        random.choice([("subnet-1",), ("subnet-1", "subnet-2"), ("subnet-2",), ("subnet-1", "subnet-3")]),
        random.choice(types),
        random.random() < 0.3,
        [],
        random.choice([None, "true", "false"]) if kind == "network" else None,
        denies_gateway=random.random() < 0.5,
        service=kind == "network" and random.random() < 0.15,
        enforced=random.random() < 0.6,
    )


def _listen(  # noqa: PLR0913, PLR0917  what is there already
    random: Random, front: Front, number: int, others: list[Front], targets: dict[str, Targets], nics: list[Nic]
) -> None:
    """Give a load balancer target groups and listeners; a Network one may stand before an application one."""
    nested = [other for other in others if other.kind == "application"]
    for index in range(random.choice([1, 1, 2])):
        protocol = "HTTP" if front.kind == "application" else random.choice(["TCP", "TCP", "UDP", "TCP_UDP"])
        kind = random.choice(["instance", "instance", "ip"])
        if nested and front.kind == "network" and random.random() < 0.5:
            kind, protocol = "alb", "TCP"
        arn = f"arn:target/{number}{index}"
        servers = [nic for nic in nics if nic.instance]
        ids = {
            "instance": [*[_registrable(nics)] * 3, "i-2"],
            "ip": [address for nic in servers for address in nic.addresses if _has(front, address)] or ["10.0.0.77"],
            "alb": [other.arn for other in nested],
        }[kind]
        target = random.choice(ids)
        port = random.choice(PORTS)
        if kind == "alb":
            inner = next(other for other in nested if other.arn == target)
            port = inner.listeners[0][1]
        family = 6 if ":" in target and kind == "ip" else 4
        targets[arn] = Targets(
            arn,
            kind,
            protocol,
            family,
            [(target, port)],
            random.choice([None, "true", "false"]) if front.kind == "network" and kind != "alb" else None,
            random.choice([None, None, "true", "false"]) if front.kind == "network" else None,
        )
        used = {taken for _, taken, _ in front.listeners}
        front.listeners.append((protocol, random.choice([port for port in PORTS if port not in used]), (arn,)))


def _entries(random: Random) -> list[Entry]:
    """Make the entries of an ACL; the last one denies everybody."""
    cidrs = ("0.0.0.0/0", "::/0", "203.0.113.0/24", "203.0.113.0/26", "10.0.0.0/16", "10.1.0.0/16", "2600:9::/32")
    entries = []
    for _ in range(random.choice([1, 2, 3])):
        low = random.choice(PORTS)
        low, high = random.choice([(0, 65535), (low, low)])
        protocol = random.choice(["-1", "6", "6", "17"])
        if protocol == "-1":
            low, high = 0, 65535
        entries.append(Entry(protocol, low, high, network(random.choice(cidrs)), allows=random.random() < 0.8))
    return [*entries, *(Entry("-1", 0, 65535, network(every), allows=False) for every in ("0.0.0.0/0", "::/0"))]


def snapshot(made: World) -> Snapshot:
    """Spell a world as it is read."""
    nics = {nic.id: _interface(nic) for nic in made.nics}
    own = [nics[nic.id] for nic in made.nics if nic.instance == SERVER]
    members: dict[str, list[Interface]] = {}
    nodes: dict[str, list[Interface]] = {}
    services: dict[str, list[Interface]] = {}
    for nic in made.nics:
        for group in nic.groups:
            members.setdefault(group, []).append(nics[nic.id])
        if nic.balancer:
            nodes.setdefault(nic.balancer, []).append(nics[nic.id])
        if nic.accelerator:
            services.setdefault(nic.subnet, []).append(nics[nic.id])
    listeners, forwards = _listeners(made)
    return Snapshot(
        PLACE,
        Read({SERVER: own}),
        Read({group: tuple(rules) for group, rules in made.rules.items()}),
        Read(members),
        Read(dict(made.lists)),
        Read({subnet: Acl(f"acl-{subnet}", entries) for subnet, entries in made.acls.items()}),
        Read({name: tuple(map(network, blocks)) for name, (_, _, blocks) in SUBNETS.items()}),
        Read({vpc: tuple(map(network, blocks)) for vpc, blocks in BLOCKS.items()}),
        Read({front.name: _balancer(front) for front in made.fronts}),
        Read(nodes),
        listeners,
        forwards,
        Read({arn: _group(made, group) for arn, group in made.targets.items()}),
        Read({arn: tuple(Registered(*target) for target in group.targets) for arn, group in made.targets.items()}),
        Read(dict(_attributes(made))),
        Read({front.arn: True for front in made.fronts if front.service}),
        Read(services),
    )


def _interface(nic: Nic) -> Interface:
    vpc, zone, _ = SUBNETS[nic.subnet]
    services = (ACCELERATOR,) if nic.accelerator else ()
    return Interface(
        nic.id,
        nic.instance,
        nic.groups,
        nic.subnet,
        vpc,
        nic.addresses,
        balancer=nic.balancer,
        zone=zone,
        first=nic.first,
        services=services,
    )


def _listeners(made: World) -> tuple[Read[tuple[Listener, ...]], Read[frozenset[str]]]:
    listeners: dict[str, tuple[Listener, ...]] = {}
    forwards: dict[str, frozenset[str]] = {}
    for front in (front for front in made.fronts if front.arn):
        own = []
        for protocol, port, arns in front.listeners:
            arn = f"{front.arn}/{port}"
            own.append(Listener(TAKEN[protocol], port, arn, frozenset(arns)))  # type: ignore[arg-type]
            forwards[arn] = frozenset(arns)
        listeners[front.arn] = tuple(own)
    return Read(listeners), Read(forwards)


def _balancer(front: Front) -> Balancer:
    classic = [(port, front.sends_to) for _, port, _ in front.listeners] if front.kind == "classic" else []
    return Balancer(
        front.name,
        groups=front.groups,
        arn=front.arn,
        kind=front.kind,
        internal=front.internal,
        address_type=front.address_type,
        zones=tuple(Zone(SUBNETS[subnet][1], subnet) for subnet in front.subnets),
        enforced=front.enforced,
        listeners=tuple(Listener(("tcp",), port, server_port=to) for port, (_, to) in classic),
        servers=tuple(server for _, (server, _) in classic),
    )


def _group(made: World, group: Targets) -> TargetGroup:
    return TargetGroup(
        group.arn,
        group.arn,
        group.kind,
        TAKEN[group.protocol],  # type: ignore[arg-type]
        group.family,
        "vpc-1",
        tuple(front.arn for front in made.forwarding(group.arn)),
        preserves=group.kind != "ip" or group.protocol in {"UDP", "TCP_UDP"},
    )


def _attributes(made: World) -> Iterator[tuple[str, dict[str, str]]]:
    for front in made.fronts:
        own = {"load_balancing.cross_zone.enabled": front.cross} if front.cross else {}
        denies = {"ipv6.deny_all_igw_traffic": "true"} if front.denies_gateway else {}
        yield front.arn, own | denies
    for group in made.targets.values():
        known = {"preserve_client_ip.enabled": group.preserve, "load_balancing.cross_zone.enabled": group.cross}
        yield group.arn, {name: value for name, value in known.items() if value}


def broken(random: Random, known: Snapshot) -> Snapshot:
    """Return a snapshot of which a part, or one thing of it, could not be read."""
    part = random.choice([name for name in Snapshot.__struct_fields__ if name != "place"])
    read: Read[Any] = getattr(known, part)
    key = "" if part in LISTED else random.choice(["", *read.items])
    lost = {key} if key else {name for name in read.items if random.random() < 0.5}
    kept = {name: value for name, value in read.items.items() if name not in lost}
    if part == "lists":
        kept |= dict.fromkeys(lost, (UNKNOWN,))
    problems = dict.fromkeys([key] if key or part in LISTED else lost, f"ec2:Describe of {part} was denied")
    return replace(known, **{part: Read(kept, problems)})
