"""Every row of a security group that AWS may give is read, and one that cannot be read lets anybody in."""

from typing import Any

import pytest

from handler.finding import UNKNOWN
from tests.lookup.cloud import looked_up, reported, server, sources
from tests.lookup.endpoint import Endpoint

GROUP = "sg-0aaaaaaaaaaaaaaa1"
OPEN = "198.51.100.7/32"


def rule(**fields: Any) -> dict[str, Any]:
    """Give an ingress rule."""
    known = {"SecurityGroupRuleId": "sgr-1", "GroupId": GROUP, "IsEgress": False, "IpProtocol": "tcp"}
    return {**known, "FromPort": 22, "ToPort": 22, **fields}


def asked(endpoint: Endpoint, *rules: dict[str, Any], ports: tuple[str, int, int] = ("tcp", 22, 22)) -> Any:
    """Look up what is reached from a VPN in a group that has these rules."""
    endpoint.tells["DescribeSecurityGroupRules"] = {"SecurityGroupRules": list(rules)}
    [found] = looked_up(reported(server(GROUP), ports, reach="vpn"))
    return sources(found)


@pytest.mark.parametrize(
    ("fields", "source"),
    [
        pytest.param({"CidrIpv4": "198.51.100.7/32"}, "198.51.100.7/32", id="IPv4"),
        pytest.param({"CidrIpv6": "2001:db8:ff1::/48"}, "2001:db8:ff1::/48", id="IPv6"),
        pytest.param({"CidrIpv4": "198.51.100.7/24"}, "198.51.100.0/24", id="host bits"),
        pytest.param({"CidrIpv4": "198.51.100.7/33"}, "unknown", id="no CIDR"),
        pytest.param({}, "unknown", id="no source"),
        pytest.param(
            {"ReferencedGroupInfo": {"GroupId": "sg-0b", "UserId": "111122223333"}}, "sg-0b", id="group of the account"
        ),
        pytest.param({"ReferencedGroupInfo": {"GroupId": "sg-0b"}}, "sg-0b", id="group of nobody"),
        pytest.param(
            {"ReferencedGroupInfo": {"GroupId": "sg-0b", "UserId": "444455556666", "PeeringStatus": "active"}},
            "444455556666/sg-0b",
            id="group of a peer",
        ),
    ],
)
def test_source(endpoint: Endpoint, fields: dict[str, Any], source: str) -> None:
    """A source is spelled as a policy spells it."""
    assert asked(endpoint, rule(**fields)) == {("tcp 22-22", "sgr-1"): {source}}


@pytest.mark.parametrize(
    ("fields", "ports", "source"),
    [
        pytest.param({"IpProtocol": "6"}, ("tcp", 22, 22), OPEN, id="6 is tcp"),
        pytest.param({"IpProtocol": "6"}, ("udp", 22, 22), UNKNOWN, id="6 is not udp"),
        pytest.param({"IpProtocol": "17"}, ("udp", 22, 22), OPEN, id="17 is udp"),
        pytest.param({"IpProtocol": "UDP"}, ("udp", 22, 22), OPEN, id="a name in capitals"),
        pytest.param({"IpProtocol": "-1", "FromPort": -1, "ToPort": -1}, ("udp", 9, 9), OPEN, id="-1 is all"),
        pytest.param({"IpProtocol": "-1", "FromPort": 22, "ToPort": 22}, ("udp", 9, 9), OPEN, id="-1 has no ports"),
        pytest.param({"FromPort": -1, "ToPort": -1}, ("tcp", 9, 9), OPEN, id="tcp without ports is all of it"),
        pytest.param({"FromPort": 0, "ToPort": 65535}, ("tcp", 9, 9), OPEN, id="every port"),
        pytest.param({"IpProtocol": "sctp"}, ("tcp", 9, 9), OPEN, id="an unknown name may be any"),
        pytest.param({"IpProtocol": "132"}, ("tcp", 22, 22), UNKNOWN, id="another number is another protocol"),
        pytest.param({"IpProtocol": "icmp", "FromPort": 8}, ("tcp", 22, 22), UNKNOWN, id="icmp has types for ports"),
        pytest.param({"IpProtocol": "icmpv6", "FromPort": -1}, ("tcp", 22, 22), UNKNOWN, id="icmpv6 likewise"),
        pytest.param({"IsEgress": True}, ("tcp", 22, 22), UNKNOWN, id="egress"),
        pytest.param({"FromPort": 23, "ToPort": 30}, ("tcp", 22, 22), UNKNOWN, id="above"),
        pytest.param({"FromPort": 1, "ToPort": 21}, ("tcp", 22, 22), UNKNOWN, id="below"),
    ],
)
def test_protocol_and_ports(
    endpoint: Endpoint, fields: dict[str, Any], ports: tuple[str, int, int], source: str
) -> None:
    """What a rule opens is told by its protocol, by name or number, and its ports; what it does not open is unknown."""
    protocol, low, high = ports
    span = f"{protocol} {low}-{high}"
    opening = (span, "sgr-1") if source == OPEN else (span,)
    assert asked(endpoint, rule(CidrIpv4=OPEN, **fields), ports=ports) == {opening: {source}}


def test_a_rule_without_an_id_opens_too(endpoint: Endpoint) -> None:
    """It is only not named."""
    assert asked(endpoint, rule(SecurityGroupRuleId="", CidrIpv4="198.51.100.7/32")) == {
        ("tcp 22-22",): {"198.51.100.7/32"}
    }
