"""Tries packets in a world, one address and one port at a time, as AWS's documents say that they go.

It knows nothing of paths, sources or exposures, and shares no code with what it judges.
"""

from collections.abc import Iterator
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import NamedTuple

from tests.reachability.worlds import BLOCKS, SERVER, SUBNETS, TAKEN, Front, Nic, World

_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
INSIDE = (*_PRIVATE, *(block for blocks in BLOCKS.values() for block in blocks))
NUMBERS = {"tcp": "6", "udp": "17"}


class Packet(NamedTuple):
    """A packet: where it seems to come from, through which load balancer's groups, and out of which subnet."""

    source: str
    groups: tuple[str, ...] = ()
    subnet: str | None = None


@lru_cache(1 << 16)
def holds(cidr: str, address: str) -> bool:
    """Say whether an address lies in a CIDR."""
    network = ip_network(cidr)
    own = ip_address(address)
    return network.version == own.version and own in network


spelled = lru_cache(1 << 12)(str)
"""Spells a network, once."""


@lru_cache(1 << 16)
def family(address: str) -> int:
    """Return 4 or 6."""
    return 6 if ":" in address else 4


@lru_cache(1 << 16)
def is_inside(address: str) -> bool:
    """Say whether an address is none of the internet's."""
    return any(holds(block, address) for block in INSIDE)


@lru_cache(1 << 16)
def subnet_of(address: str) -> str | None:
    """Return the subnet in which an address is."""
    return next((name for name, (_, _, blocks) in SUBNETS.items() if any(holds(b, address) for b in blocks)), None)


class Oracle:
    """A world in which packets are tried."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.accelerated = {nic.subnet for nic in world.nics if nic.accelerator}
        self.own = [nic for nic in world.nics if nic.instance == SERVER]
        self._families = {nic.id: set(map(family, nic.addresses)) for nic in self.own}
        self._members: dict[str, set[str]] = {}
        for nic in world.nics:
            for group in nic.groups:
                self._members.setdefault(group, set()).update(nic.addresses)
        self._let_in: dict[tuple[tuple[str, ...], int], list[str]] = {}
        self._reached: dict[tuple[str, int], bool] = {}
        self._sent_by_address: dict[str, list[tuple[Nic, int, list[Packet]]]] = {}

    def reaches(self, address: str, port: int) -> bool:
        """Say whether a packet from an address gets to a port of the server, in any way."""
        if (address, port) not in self._reached:
            self._reached[address, port] = self._reaches(address, port)
        return self._reached[address, port]

    def _reaches(self, address: str, port: int) -> bool:
        if any(self._directly(address, nic, port) for nic in self.own):
            return True
        if address not in self._sent_by_address:
            self._sent_by_address[address] = list(self._sent(address))
        return any(
            self._admits(nic, port, packet)
            for nic, to, packets in self._sent_by_address[address]
            if to == port
            for packet in packets
        )

    def _directly(self, address: str, nic: Nic, port: int) -> bool:
        if family(address) not in self._families[nic.id]:
            return False
        packet = Packet(address, subnet=subnet_of(address))
        return self._admits(nic, port, packet) or (
            nic.subnet in self.accelerated and self._judged(nic.groups, port, packet)
        )

    def _admits(self, nic: Nic, port: int, packet: Packet) -> bool:
        """Say whether groups and ACL let a packet in to an interface of the server."""
        if family(packet.source) not in self._families[nic.id]:
            return False
        return self._judged(nic.groups, port, packet) and self._past_acl(nic.subnet, port, packet)

    def _judged(self, groups: tuple[str, ...], port: int, packet: Packet) -> bool:
        """Say whether a rule of some groups lets a packet in."""
        if (groups, port) not in self._let_in:
            self._let_in[groups, port] = list(self._sources(groups, port))
        return any(self._matches(source, packet) for source in self._let_in[groups, port])

    def _sources(self, groups: tuple[str, ...], port: int) -> Iterator[str]:
        """Yield the CIDRs and the groups that rules of some groups let in to a port."""
        for rule in (rule for group in groups for rule in self.world.rules[group]):
            if self.world.protocol in rule.protocols and rule.from_port <= port <= rule.to_port:
                yield from self.world.lists.get(rule.source, (rule.source,))

    def _matches(self, source: str, packet: Packet) -> bool:
        if source.startswith("sg-"):
            return source in packet.groups or packet.source in self._members.get(source, ())
        return holds(source, packet.source)

    def _past_acl(self, subnet: str, port: int, packet: Packet) -> bool:
        if packet.subnet == subnet or subnet not in self.world.acls:
            return True
        for entry in self.world.acls[subnet]:
            if (
                entry.protocol in {"-1", NUMBERS[self.world.protocol]}
                and entry.from_port <= port <= entry.to_port
                and holds(spelled(entry.network), packet.source)
            ):
                return entry.allows
        return False

    def _sent(self, address: str) -> Iterator[tuple[Nic, int, list[Packet]]]:
        """Yield what load balancers send to the server of a client's packets: how these look, and to which port."""
        for front in self.world.fronts:
            for protocol, listening, arns in front.listeners:
                if self.world.protocol not in TAKEN[protocol]:
                    continue
                for private in self._enters(address, front, listening):
                    yield from self._forwarded(address, front, arns, private=private)

    def _forwarded(
        self, address: str, front: Front, arns: tuple[str, ...], *, private: bool
    ) -> Iterator[tuple[Nic, int, list[Packet]]]:
        if front.kind == "classic":
            server, port = front.sends_to
            nics = [nic for nic in self.own if nic.first and server == SERVER]
            yield from ((nic, port, self._packets(address, front, None, nic)) for nic in nics)
        for arn in arns:
            group = self.world.targets[arn]
            if group.kind == "alb" or self.world.protocol not in TAKEN[group.protocol]:
                continue
            for target, port in group.targets:
                for nic in self.own:
                    if target in nic.addresses or (target == nic.instance and nic.first):
                        yield nic, port, self._packets(address, front, arn, nic, private=private)

    def _packets(
        self, address: str, front: Front, arn: str | None, nic: Nic | None, *, private: bool = False
    ) -> list[Packet]:
        """Return how packets of a client look when they leave the nodes of a load balancer."""
        group = self.world.targets[arn] if arn else None
        crosses = front.kind != "network"
        if front.kind == "network" and group is not None:
            crosses = (group.cross or front.cross or "false") == "true"
        to = group.family if group else 4
        packets = []
        for node in self.world.nics:
            if node.balancer != front.name:
                continue
            if nic is not None and not crosses and SUBNETS[node.subnet][1] != SUBNETS[nic.subnet][1]:
                continue
            if not private and self._preserves(front, arn) and family(address) == to:
                packets.append(Packet(address, front.groups, node.subnet))
            else:
                packets += [Packet(own, front.groups, node.subnet) for own in node.addresses if family(own) == to]
        return packets

    def _preserves(self, front: Front, arn: str | None) -> bool:
        if front.kind != "network" or arn is None:
            return False
        group = self.world.targets[arn]
        if group.kind == "alb":
            return True
        if group.preserve is not None:
            return group.preserve == "true"
        return group.kind == "instance" or group.protocol in {"UDP", "TCP_UDP"}

    def _enters(self, address: str, front: Front, port: int) -> Iterator[bool]:
        """Yield for each way of a client to a listener whether that is by PrivateLink."""
        if self._calls(address, front) and (not front.groups or self._judged(front.groups, port, Packet(address))):
            yield False
        if (
            front.service
            and self._consumes(address, front)
            and (not front.groups or not front.enforced or self._judged(front.groups, port, Packet(address)))
        ):
            yield True
        for outer in self.world.fronts:
            for protocol, listening, arns in outer.listeners:
                for arn in arns:
                    group = self.world.targets[arn]
                    if (
                        group.kind == "alb"
                        and (front.arn, port) in group.targets
                        and self.world.protocol in TAKEN[protocol]
                        and self.world.protocol in TAKEN[group.protocol]
                    ):
                        for private in self._enters(address, outer, listening):
                            packets = self._packets(address, outer, arn, None, private=private)
                            if any(self._judged(front.groups, port, packet) for packet in packets):
                                yield False

    @staticmethod
    def _consumes(address: str, front: Front) -> bool:
        """Say whether a consumer of an endpoint service may have an address: one inside, of the service's family."""
        if family(address) == 6 and not front.address_type.startswith("dualstack"):
            return False
        return is_inside(address)

    @staticmethod
    def _reachable_by(address: str, front: Front) -> bool:
        if family(address) == 6:
            return front.address_type.startswith("dualstack")
        return front.address_type != "dualstack-without-public-ipv4" or is_inside(address)

    def _calls(self, address: str, front: Front) -> bool:
        """Say whether a client of this address gets to a load balancer at all."""
        if not self._reachable_by(address, front):
            return False
        gateway = front.internal and not (self.accelerated & set(front.subnets))
        if gateway and (family(address) == 4 or front.denies_gateway):
            return is_inside(address)
        return True
