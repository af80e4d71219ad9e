"""Reads the rules of a security group as ASFF and Config items keep them: what they open, and from where.

Shape: botocore `securityhub`, `AwsEc2SecurityGroupIpPermission`; the same as EC2's own `IpPermission` in what is read
here. Groups and prefix lists stay what they are: one source each.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from handler.errors import UnreadableError
from handler.finding import UNKNOWN, Protocol
from handler.reporters import _fields as fields
from handler.reporters._opening import EVERY_PORT, Ports

_PROTOCOLS: dict[str, Protocol] = {"tcp": "tcp", "6": "tcp", "udp": "udp", "17": "udp"}
_ALL = "-1"
_ICMP = {"icmp", "icmpv6", "1", "58"}
_SOURCES = (("IpRanges", "CidrIp"), ("Ipv6Ranges", "CidrIpv6"), ("PrefixListIds", "PrefixListId"))
_PAIRS = "UserIdGroupPairs"
_RULE = frozenset({"IpProtocol", "FromPort", "ToPort", _PAIRS, *(key for key, _ in _SOURCES)})
_PAIR = frozenset({"UserId", "GroupId", "GroupName", "VpcId", "VpcPeeringConnectionId", "PeeringStatus", "Description"})
_HIGHEST_PROTOCOL = 255


class Rules(NamedTuple):
    """What a group opens: the sources of each port range, and the other protocols, which no policy judges."""

    opened: dict[Ports, tuple[str, ...]]
    others: tuple[str, ...]


def read(holder: dict[str, Any], path: str, account: str) -> Rules:
    """Read `IpPermissions`, absent or empty when the group opens nothing; a rule that cannot be read spoils them all.

    ICMP has no ports and is left out. A group of another account than the given one is named with its account.
    """
    opened: dict[Ports, dict[str, None]] = {}
    others: dict[str, None] = {}
    permissions = holder.get("IpPermissions")
    if permissions is not None and not isinstance(permissions, list):
        raise fields.refusal(holder, "IpPermissions", path, "a list")
    for index, permission in enumerate(permissions or ()):
        at = f"{path}IpPermissions[{index}]."
        rule = fields.entry(permission, at)
        fields.only(rule, at, _RULE)
        sources = list(_sources(rule, at, account)) or [UNKNOWN]
        name = fields.text(rule, "IpProtocol", at).lower()
        if name in _PROTOCOLS or name == _ALL:
            for ports in EVERY_PORT if name == _ALL else (_ports(rule, at, _PROTOCOLS[name]),):
                opened.setdefault(ports, {}).update(dict.fromkeys(sources))
        elif name.isascii() and name.isdigit() and int(name) <= _HIGHEST_PROTOCOL and name not in _ICMP:
            others[name] = None
        elif name not in _ICMP:
            raise fields.refusal(rule, "IpProtocol", at, "a protocol")
    return Rules({ports: tuple(sources) for ports, sources in opened.items()}, tuple(others))


def _ports(rule: dict[str, Any], path: str, protocol: Protocol) -> Ports:
    """Read the port range of a rule for TCP or UDP."""
    low, high = fields.port(rule, "FromPort", path), fields.port(rule, "ToPort", path)
    if low > high:
        raise UnreadableError(f"{path}FromPort", f"{low} is above ToPort {high}")
    return protocol, low, high


def _sources(rule: dict[str, Any], path: str, account: str) -> Iterator[str]:
    """Read who may pass."""
    for key, name in _SOURCES:
        for at, source in _members(rule, key, path):
            fields.only(source, at, frozenset({name, "Description"}))
            yield fields.text(source, name, at)
    for at, pair in _members(rule, _PAIRS, path):
        fields.only(pair, at, _PAIR)
        owner, group = fields.spoken(pair.get("UserId")) or account, fields.text(pair, "GroupId", at)
        yield group if owner == account else f"{owner}/{group}"


def _members(rule: dict[str, Any], key: str, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the members of a list of objects that may be absent, each with its path."""
    members = rule.get(key)
    if members is not None and not isinstance(members, list):
        raise fields.refusal(rule, key, path, "a list")
    for index, member in enumerate(members or ()):
        at = f"{path}{key}[{index}]."
        yield at, fields.entry(member, at)
