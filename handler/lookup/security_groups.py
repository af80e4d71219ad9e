"""The rules of security groups: which ports each opens, and to whom.

Shape: EC2 API reference, `SecurityGroupRule`: exactly one of CidrIpv4, CidrIpv6, PrefixListId and ReferencedGroupInfo;
IpProtocol is a name, a number, or -1 for all. A filter answers with an empty list for a group that it does not know, so
a group without any rule is looked for by itself.
"""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from handler.finding import UNKNOWN, Opened, Protocol
from handler.lookup.inquiry import Inquiry, Read, grouped
from handler.lookup.networks import network
from handler.lookup.spans import EVERY_PORT, Span

_PROTOCOLS: dict[str, tuple[Protocol, ...]] = {"tcp": ("tcp",), "6": ("tcp",), "udp": ("udp",), "17": ("udp",)}


class Rule(Struct, frozen=True):
    """An ingress rule. `ids` and `source` are spelled as in an exposure; `unknown` is a source that cannot be read.

    `stale` is true where it names a group of a VPC that is peered no more: it admits nobody.
    """

    ids: tuple[str, ...]
    group: str
    protocols: tuple[Protocol, ...]
    from_port: int
    to_port: int
    source: str
    stale: bool = False

    @property
    def opens(self) -> Opened:
        """All that the rule opens as an exposure has it."""
        protocol = self.protocols[0] if len(self.protocols) == 1 else "all"
        return Opened(protocol=protocol, from_port=self.from_port, to_port=self.to_port, source=self.source)

    def within(self, span: Span) -> Span | None:
        """Return the part of a port range that the rule opens, null if none."""
        return span.shared(self.from_port, self.to_port) if span.protocol in self.protocols else None


def read(inquiry: Inquiry, groups: Iterable[str]) -> Read[tuple[Rule, ...]]:
    """Read the ingress rules of groups by group, all in as few calls as can be."""
    wanted = set(groups)
    described, unread = inquiry.ask_filtered("describe_security_group_rules", "SecurityGroupRules", "group-id", wanted)
    account = inquiry.place.account
    without = wanted - {item.get("GroupId") for item in described} - unread.keys()
    by_group = grouped((rule.group, rule) for item in described if (rule := _rule(item, account)))
    rules = {group: tuple(by_group.get(group, ())) for group in wanted}
    return Read(rules, unread | _missing(inquiry, without))


def _missing(inquiry: Inquiry, without: set[str]) -> dict[str, str]:
    """Say which of the groups that have no rules are not there at all, or have rules after all."""
    described, unread = inquiry.ask_filtered("describe_security_groups", "SecurityGroups", "group-id", without)
    empty = {group.get("GroupId") for group in described if not group.get("IpPermissions")}
    return {group: f"AWS gives no rules of {group} in {' '.join(inquiry.place)}" for group in without - empty} | unread


def _rule(item: dict[str, Any], account: str) -> Rule | None:
    """Read a rule; null if it lets in neither TCP nor UDP. ICMP has types in place of ports, other protocols have none.

    A protocol of no known name may be any, and so may ports that are not said.
    """
    protocol = str(item.get("IpProtocol", "-1")).lower()
    if item.get("IsEgress") or (protocol not in _PROTOCOLS and (protocol.isdigit() or "icmp" in protocol)):
        return None
    protocols = _PROTOCOLS.get(protocol, ("tcp", "udp"))
    low, high = item.get("FromPort", -1), item.get("ToPort", -1)
    if len(protocols) > 1 or low < 0 or high < low:
        low, high = EVERY_PORT
    cidr, referenced = item.get("CidrIpv4") or item.get("CidrIpv6"), item.get("ReferencedGroupInfo", {})
    source = (network(cidr) if cidr else item.get("PrefixListId")) or UNKNOWN
    if group := referenced.get("GroupId"):
        owner = referenced.get("UserId", account)
        source = group if owner == account else f"{owner}/{group}"
    stale = bool(referenced.get("VpcPeeringConnectionId")) and not referenced.get("UserId")
    ids = tuple(filter(None, [item.get("SecurityGroupRuleId")]))
    return Rule(ids, item.get("GroupId", ""), protocols, low, high, str(source), stale)
