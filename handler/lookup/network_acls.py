"""Network ACLs: which addresses one lets into its subnet, port by port.

Shape: EC2 API reference, `NetworkAclEntry`. Entries are tried by their number, the first that matches decides, and what
none matches is denied. Protocol is a number or -1; entries without a port range are for all ports.
"""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from operator import itemgetter
from typing import Any

from msgspec import Struct

from handler.lookup.inquiry import Inquiry, Place, Read

Network = IPv4Network | IPv6Network

_NUMBERS = {"tcp": "6", "udp": "17"}
_EVERY_PORT = (0, 65535)
_EVERYBODY = (ip_network("0.0.0.0/0"), ip_network("::/0"))


class Entry(Struct, frozen=True):
    """One entry that lets in or keeps out. `protocol` is a number, or -1 for all."""

    protocol: str
    from_port: int
    to_port: int
    network: Network
    allows: bool


class Acl:
    """What a network ACL lets in. `entries` are those for what comes in, by their number."""

    def __init__(self, name: str, entries: Sequence[Entry]) -> None:
        self.id = name
        self._entries = entries
        self._known: dict[tuple[Any, ...], list[tuple[int, int, tuple[str, ...]]]] = {}

    def narrow(
        self, protocol: str, low: int, high: int, source: str, past: tuple[Network, ...] = ()
    ) -> list[tuple[int, int, tuple[str, ...]]]:
        """Return, for each part of a port range, what of a CIDR gets in there; parts where nothing does are left out.

        `past` are networks that the ACL does not stand before. Exact, but for one case: where at least 15/16 of the
        CIDR are left it stays whole, since an ACL that keeps a few out makes no open port less open, and what is left
        would be a list of up to thirty networks.
        """
        key = (protocol, low, high, source, past)
        if key not in self._known:
            self._known[key] = self._narrow(protocol, low, high, ip_network(source), past)
        return self._known[key]

    def is_open(self) -> bool:
        """Say whether it lets everybody in to every port; of a family without any entry it says nothing."""
        first = {entry.network.version: entry for entry in reversed(self._entries)}
        return all(entry.allows and entry.protocol == "-1" and entry.network in _EVERYBODY for entry in first.values())

    def _narrow(
        self, protocol: str, low: int, high: int, network: Network, past: tuple[Network, ...]
    ) -> list[tuple[int, int, tuple[str, ...]]]:
        entries = [
            entry
            for entry in self._entries
            if entry.network.version == network.version and entry.protocol in {"-1", _NUMBERS[protocol]}
        ]
        if not any(entry.network.version == network.version for entry in self._entries):
            return [(low, high, (str(network),))]
        ends = {entry.from_port for entry in entries} | {entry.to_port + 1 for entry in entries}
        cuts = sorted({low} | {end for end in ends if low < end <= high})
        parts: list[tuple[int, int, tuple[str, ...]]] = []
        for start, end in zip(cuts, [*(cut - 1 for cut in cuts[1:]), high], strict=True):
            sources = _let_in(network, [entry for entry in entries if entry.from_port <= start <= entry.to_port], past)
            if parts and parts[-1][2] == sources:
                parts[-1] = (parts[-1][0], end, sources)
            else:
                parts.append((start, end, sources))
        return [part for part in parts if part[2]]


def of_subnets(inquiry: Inquiry, place: Place, subnets: Iterable[str]) -> Read[Acl]:
    """Read the ACL of each subnet."""
    wanted = set(subnets)
    answers = inquiry.ask_of_each(place, "describe_network_acls", "NetworkAcls", "association.subnet-id", wanted)
    found: dict[str, Acl] = {}
    for told in answers.items:
        acl = _read(told)
        if acl is not None:
            found |= {one.get("SubnetId", ""): acl for one in told.get("Associations", [])}
    missing = wanted - found.keys() - answers.unread.keys()
    return Read(found, answers.unread | {subnet: f"the network ACL of {subnet} cannot be read" for subnet in missing})


def _read(told: dict[str, Any]) -> Acl | None:
    """Read an ACL; null if one of its entries cannot be read. There is always a last one that denies."""
    try:
        ingress = [one for one in told.get("Entries", []) if not one.get("Egress")]
        entries = [_entry(one) for one in sorted(ingress, key=itemgetter("RuleNumber"))]
    except (KeyError, ValueError):
        return None
    return Acl(told.get("NetworkAclId", ""), entries) if entries else None


def _entry(told: dict[str, Any]) -> Entry:
    """Read an entry."""
    protocol = str(told["Protocol"])
    ports = told.get("PortRange") if protocol in _NUMBERS.values() else None
    return Entry(
        protocol=protocol,
        from_port=ports["From"] if ports else _EVERY_PORT[0],
        to_port=ports["To"] if ports else _EVERY_PORT[1],
        network=ip_network(told.get("CidrBlock") or told["Ipv6CidrBlock"], strict=False),
        allows=told["RuleAction"] == "allow",
    )


def _let_in(network: Network, entries: Iterable[Entry], past: Iterable[Network]) -> tuple[str, ...]:
    """Give what of a network the entries let in: the first that matches an address decides."""
    left: list[Network] = [network]
    inside = [other for other in past if other.version == network.version]
    allowed: list[Any] = [part for other in inside if (part := _shared(network, other)) is not None]
    for entry in entries:
        if entry.allows:
            allowed += [shared for one in left if (shared := _shared(one, entry.network)) is not None]
        left = [rest for one in left for rest in _without(one, entry.network)]
        if not left:
            break
    united = list(collapse_addresses(allowed))
    if 16 * sum(part.num_addresses for part in united) >= 15 * network.num_addresses:
        united = [network]
    return tuple(map(str, united))


def _shared(one: Any, other: Any) -> Any:
    """Give what two networks of one family share: one of them, or nothing."""
    if one.subnet_of(other):
        return one
    return other if other.subnet_of(one) else None


def _without(one: Any, other: Any) -> list[Any]:
    """Give what of a network does not lie in another of its family."""
    if one.subnet_of(other):
        return []
    return list(one.address_exclude(other)) if other.subnet_of(one) else [one]
