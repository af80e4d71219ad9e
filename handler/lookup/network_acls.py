"""Network ACLs: which addresses one lets into its subnet, port by port.

Shape: EC2 API reference, `NetworkAclEntry`. Entries are tried by their number, the first that matches decides, and what
none matches is denied. Protocol is a number or -1; entries without a port range are for all ports.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from ipaddress import ip_network
from itertools import groupby
from operator import itemgetter
from typing import Any

from msgspec import Struct

from handler.lookup.inquiry import Inquiry, Read
from handler.lookup.networks import ANYWHERE, Network, network, shared, united

_NUMBERS = {"tcp": "6", "udp": "17"}
_EVERY_PORT = {"From": 0, "To": 65535}


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
        self.narrow = cache(self._narrow)

    def is_open(self) -> bool:
        """Say whether it lets everybody in to every port; of a family without any entry it says nothing."""
        first = {entry.network.version: entry for entry in reversed(self._entries)}
        return all(entry.allows and entry.protocol == "-1" and entry.network in ANYWHERE for entry in first.values())

    def _narrow(
        self, protocol: str, low: int, high: int, source: str, past: tuple[Network, ...] = ()
    ) -> list[tuple[int, int, tuple[str, ...]]]:
        """Return, for each part of a port range, what of a CIDR gets in there; parts where nothing does are left out.

        `past` are networks that the ACL does not stand before. Exact, but for one case: where at least 15/16 of the
        CIDR are left it stays whole, since an ACL that keeps a few out makes no open port less open, and what is left
        would be a list of up to thirty networks.
        """
        cidr = network(source)
        of_family = [entry for entry in self._entries if entry.network.version == cidr.version]
        if not of_family:
            return [(low, high, (source,))]
        entries = [entry for entry in of_family if entry.protocol in {"-1", _NUMBERS[protocol]}]
        borders = {entry.from_port for entry in entries} | {entry.to_port + 1 for entry in entries}
        starts = sorted({low} | {border for border in borders if low < border <= high})
        ends = [*(start - 1 for start in starts[1:]), high]
        pieces = []
        for start, end in zip(starts, ends, strict=True):
            matching = [entry for entry in entries if entry.from_port <= start <= entry.to_port]
            pieces.append((start, end, _let_in(cidr, matching, past)))
        alike = [list(group) for sources, group in groupby(pieces, key=itemgetter(2)) if sources]
        return [(group[0][0], group[-1][1], group[0][2]) for group in alike]


def of_subnets(inquiry: Inquiry, subnets: Iterable[str]) -> Read[Acl]:
    """Read the ACL of each subnet."""
    wanted = set(subnets)
    described, unread = inquiry.ask_filtered("describe_network_acls", "NetworkAcls", "association.subnet-id", wanted)
    acls: dict[str, Acl] = {}
    for item in described:
        acl = _read(item)
        if acl is not None:
            acls |= {association.get("SubnetId", ""): acl for association in item.get("Associations", [])}
    missing = wanted - acls.keys() - unread.keys()
    return Read(acls, unread | {subnet: f"the network ACL of {subnet} cannot be read" for subnet in missing})


def _read(item: dict[str, Any]) -> Acl | None:
    """Read an ACL; null if one of its entries cannot be read. There is always a last one that denies."""
    try:
        ingress = [entry for entry in item.get("Entries", []) if not entry.get("Egress")]
        entries = [_entry(entry) for entry in sorted(ingress, key=itemgetter("RuleNumber"))]
    except (KeyError, ValueError):
        return None
    return Acl(item.get("NetworkAclId", ""), entries) if entries else None


def _entry(item: dict[str, Any]) -> Entry:
    protocol = str(item["Protocol"])
    ports = (protocol in _NUMBERS.values() and item.get("PortRange")) or _EVERY_PORT
    cidr = ip_network(item.get("CidrBlock") or item["Ipv6CidrBlock"], strict=False)
    return Entry(protocol, ports["From"], ports["To"], cidr, allows=item["RuleAction"] == "allow")


def _let_in(cidr: Network, entries: Iterable[Entry], past: Iterable[Network]) -> tuple[str, ...]:
    """Return what of a CIDR the entries let in: the first that matches an address decides."""
    undecided: list[Network] = [cidr]
    admitted = [part for other in past if (part := shared(cidr, other))]
    for entry in entries:
        if entry.allows:
            admitted += [part for rest in undecided if (part := shared(rest, entry.network))]
        undecided = [part for rest in undecided for part in _without(rest, entry.network)]
    parts = united(admitted)
    if 16 * sum(part.num_addresses for part in parts) >= 15 * cidr.num_addresses:
        parts = (cidr,)
    return tuple(map(str, parts))


def _without(cidr: Any, other: Network) -> list[Network]:
    """Return what of a network does not lie in another of its family."""
    part = shared(cidr, other)
    return [cidr] if part is None else list(cidr.address_exclude(part))
