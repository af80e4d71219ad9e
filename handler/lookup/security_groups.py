"""The rules of security groups: which ports each opens, and to whom.

Shape: EC2 API reference, `SecurityGroupRule`: exactly one of CidrIpv4, CidrIpv6, PrefixListId and ReferencedGroupInfo;
IpProtocol is a name, a number, or -1 for all. A filter answers with an empty list for a group that it does not know, so
a group without any rule is looked for by itself.
"""

from collections.abc import Iterable
from ipaddress import ip_network
from typing import Any

from msgspec import Struct

from handler.finding import UNKNOWN, Opened, Protocol
from handler.lookup.inquiry import Inquiry, Place, Read

_PROTOCOLS: dict[str, tuple[Protocol, ...]] = {
    "tcp": ("tcp",),
    "6": ("tcp",),
    "udp": ("udp",),
    "17": ("udp",),
    "-1": ("tcp", "udp"),
}
_EVERY_PORT = (0, 65535)
PRIVATE: tuple[Any, ...] = tuple(
    map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
)
"""RFC 1918, RFC 6598 and RFC 4193: from none of their addresses does anything come from the internet."""


class Rule(Struct, frozen=True):
    """An ingress rule. `source` is spelled as in `Exposure.sources`; `unknown` where it cannot be read.

    `stale` is true where it names a group of a VPC that is peered no more: it admits nobody.
    """

    id: str
    group: str
    protocols: tuple[Protocol, ...]
    from_port: int
    to_port: int
    source: str
    stale: bool = False

    @property
    def ids(self) -> tuple[str, ...]:
        """The rule's id as an exposure has it."""
        return (self.id,) if self.id else ()

    @property
    def opens(self) -> Opened:
        """All that the rule opens as an exposure has it."""
        protocol = self.protocols[0] if len(self.protocols) == 1 else "all"
        return Opened(protocol=protocol, from_port=self.from_port, to_port=self.to_port, source=self.source)

    def within(self, protocol: str, low: int, high: int) -> tuple[int, int] | None:
        """Give the part of a port range that the rule opens, null if none."""
        low, high = max(low, self.from_port), min(high, self.to_port)
        return (low, high) if protocol in self.protocols and low <= high else None


def read(inquiry: Inquiry, place: Place, groups: Iterable[str]) -> Read[tuple[Rule, ...]]:
    """Read the ingress rules of groups by group, all in as few calls as can be."""
    wanted = set(groups)
    answers = inquiry.ask_of_each(place, "describe_security_group_rules", "SecurityGroupRules", "group-id", wanted)
    told: dict[str, list[dict[str, Any]]] = {group: [] for group in wanted}
    for rule in answers.items:
        told.setdefault(rule.get("GroupId", ""), []).append(rule)
    silent = {group for group in wanted if not told[group] and group not in answers.unread}
    rules = {group: tuple(_rule(one, place) for one in some if _opens(one)) for group, some in told.items()}
    return Read(rules, answers.unread | _missing(inquiry, place, silent))


def _missing(inquiry: Inquiry, place: Place, silent: set[str]) -> dict[str, str]:
    """Say which of the groups that have no rules are not there at all, or have rules after all."""
    if not silent:
        return {}
    answers = inquiry.ask_of_each(place, "describe_security_groups", "SecurityGroups", "group-id", silent)
    empty = {group.get("GroupId") for group in answers.items if not group.get("IpPermissions")}
    nothing = {group: f"AWS gives no rules of {group} in {place.account} {place.region}" for group in silent - empty}
    return nothing | answers.unread


def _opens(told: dict[str, Any]) -> bool:
    """Say whether a rule lets TCP or UDP in. ICMP has types in place of ports, other protocols have none."""
    protocol = str(told.get("IpProtocol", "-1")).lower()
    return not told.get("IsEgress") and (protocol in _PROTOCOLS or not (protocol.isdigit() or "icmp" in protocol))


def _rule(told: dict[str, Any], place: Place) -> Rule:
    """Read a rule. A protocol of no known name may be any, and so may ports that are not said."""
    protocols = _PROTOCOLS.get(str(told.get("IpProtocol", "-1")).lower(), _PROTOCOLS["-1"])
    low, high = told.get("FromPort", -1), told.get("ToPort", -1)
    if len(protocols) > 1 or low < 0 or high < low:
        low, high = _EVERY_PORT
    referenced = told.get("ReferencedGroupInfo", {})
    stale = bool(referenced.get("VpcPeeringConnectionId")) and not referenced.get("UserId")
    group = told.get("GroupId", "")
    return Rule(told.get("SecurityGroupRuleId", ""), group, protocols, low, high, _source(told, place), stale)


def _source(told: dict[str, Any], place: Place) -> str:
    """Spell the source of a rule."""
    referenced = told.get("ReferencedGroupInfo", {})
    if group := referenced.get("GroupId"):
        owner = referenced.get("UserId", place.account)
        return str(group) if owner == place.account else f"{owner}/{group}"
    cidr = told.get("CidrIpv4") or told.get("CidrIpv6")
    if not cidr:
        return str(told.get("PrefixListId") or UNKNOWN)
    try:
        return str(ip_network(cidr, strict=False))
    except ValueError:
        return UNKNOWN


def is_cidr(source: str) -> bool:
    """Say whether a source is a CIDR, and no group, list or unknown."""
    return "/" in source and "-" not in source


def is_private(source: str) -> bool:
    """Say whether a source is a CIDR of which no address is the internet's."""
    if not is_cidr(source):
        return False
    network: Any = ip_network(source)
    return any(network.version == one.version and network.subnet_of(one) for one in PRIVATE)
