"""A network ACL narrows the addresses that its groups let in, exactly, and never what it does not tell."""

from ipaddress import IPv4Address, IPv4Network, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from handler.finding import PORTS_ASSUMED
from handler.lookup.network_acls import Acl, Entry
from tests.lookup.cloud import OFFICE, Cloud, looked_up, problems, reported, server, sources, tcp
from tests.lookup.endpoint import DENIED, Endpoint

GROUP = "sg-0aaaaaaaaaaaaaaa1"
LOOKED = "the scanner last looked at 2026-11-24 05:58 UTC"


def test_who_is_kept_out_is_no_source(cloud: Cloud) -> None:
    """A group that is open to the world is open to the office and to its own subnet, behind an ACL for the office."""
    cloud.let_in(OFFICE)
    group = cloud.group(tcp(22, "0.0.0.0/0"))
    [found] = looked_up(reported(server(cloud.instance(group)), 22))
    assert sources(found) == {("tcp 22-22", cloud.rules(group)["0.0.0.0/0"]): {OFFICE, "10.0.0.0/24"}}


def test_a_range_is_cut_where_the_acl_differs(cloud: Cloud) -> None:
    """Each part of a port range has the sources that reach it."""
    cloud.deny("203.0.113.0/25", port=8001)
    group = cloud.group({**tcp(8000, OFFICE), "ToPort": 8002})
    [found] = looked_up(reported(server(cloud.instance(group)), ("tcp", 8000, 8002)))
    rule = cloud.rules(group)[OFFICE]
    assert sources(found) == {
        ("tcp 8000-8000", rule): {OFFICE},
        ("tcp 8001-8001", rule): {"203.0.113.128/25"},
        ("tcp 8002-8002", rule): {OFFICE},
    }


def test_everybody_but_a_few_is_everybody(cloud: Cloud) -> None:
    """A list of blocked addresses makes an open port no less open, and an alert no longer."""
    cloud.deny("198.51.100.9/32", "192.0.2.0/24")
    group = cloud.group(tcp(22, "0.0.0.0/0", "198.51.100.0/24"))
    [found] = looked_up(reported(server(cloud.instance(group)), 22))
    rules = cloud.rules(group)
    left = sources(found)
    assert left["tcp 22-22", rules["0.0.0.0/0"]] == {"0.0.0.0/0"}
    assert left["tcp 22-22", rules["198.51.100.0/24"]] == {"198.51.100.0/24"}


def test_who_is_kept_out_altogether_leaves_a_port_that_is_still_exposed(cloud: Cloud) -> None:
    """The scanner said that it is open."""
    acl = cloud.deny(OFFICE)
    group = cloud.group(tcp(22, OFFICE))
    [found] = looked_up(reported(server(cloud.instance(group)), 22))
    assert sources(found) == {("tcp 22-22",): {"unknown"}}
    assert problems(found) == [
        f"network ACL {acl} keeps out whom {group} lets in to tcp 22",
        f"nobody of the internet is known to come in to tcp 22 by the rules of {group} now; {LOOKED}",
    ]


def test_what_no_rule_opens_is_told_from_what_the_acl_keeps_out(cloud: Cloud) -> None:
    """Port by port."""
    acl = cloud.deny(OFFICE, port=8001)
    group = cloud.group({**tcp(8000, OFFICE), "ToPort": 8001})
    [found] = looked_up(reported(server(cloud.instance(group)), ("tcp", 8000, 8003)))
    assert {(one.from_port, one.to_port) for one in found.exposures if one.sources == ("unknown",)} == {(8001, 8003)}
    assert problems(found) == [
        f"network ACL {acl} keeps out whom {group} lets in to tcp 8001",
        f"nobody of the internet is known to come in to tcp 8001-8003 by the rules of {group} now; {LOOKED}",
    ]


def test_a_group_of_which_nobody_gets_past_the_acl_is_said_to_be_so(cloud: Cloud) -> None:
    """A report that names no port is about all that the rules open."""
    acl = cloud.deny(OFFICE)
    group = cloud.group(tcp(22, OFFICE))
    finding = reported(server(cloud.instance(group)), ("tcp", 0, 65535))
    [found] = looked_up(replace(finding, notes=(PORTS_ASSUMED,)))
    assert problems(found) == [
        PORTS_ASSUMED,
        f"network ACL {acl} keeps out whom {group} lets in to tcp 22",
        f"nobody of the internet is known to come in to tcp 0-65535 by the rules of {group} now; {LOOKED}",
    ]


def test_an_entry_for_all_protocols_is_for_all_ports(cloud: Cloud) -> None:
    """Whatever range was given with it."""
    acl = cloud.let_in(OFFICE)
    cloud.ec2.create_network_acl_entry(
        NetworkAclId=acl,
        RuleNumber=9,
        Egress=False,
        CidrBlock="0.0.0.0/0",
        Protocol="-1",
        RuleAction="allow",
        PortRange={"From": 80, "To": 80},
    )
    [found] = looked_up(reported(server(cloud.instance(cloud.group(tcp(22, "0.0.0.0/0")))), 22))
    assert [one.sources for one in found.exposures] == [("0.0.0.0/0",)]


def test_groups_and_the_lists_of_aws_are_not_narrowed(cloud: Cloud) -> None:
    """Which addresses they have is not known; a customer's list has CIDRs."""
    cloud.let_in("203.0.113.0/25")
    lists = cloud.ec2.describe_managed_prefix_lists()["PrefixLists"]
    amazon = next(one["PrefixListId"] for one in lists if one["OwnerId"] == "AWS")
    mine, other = cloud.prefix_list(OFFICE), cloud.group()
    cloud.instance(other)
    [found] = looked_up(reported(server(cloud.instance(cloud.group(tcp(22, mine, amazon, other)))), 22))
    assert {source for one in found.exposures for source in one.sources} == {"203.0.113.0/25", amazon, other}


def test_the_own_subnet_is_not_narrowed(cloud: Cloud) -> None:
    """Servers of one subnet reach each other past its ACL; those of the others do not."""
    cloud.let_in("203.0.113.0/25")
    [found] = looked_up(reported(server(cloud.instance(cloud.group(tcp(22, OFFICE, "10.0.0.0/23")))), 22))
    assert {source for one in found.exposures for source in one.sources} == {"203.0.113.0/25", "10.0.0.0/24"}


def test_only_the_subnet_of_the_interface_narrows(cloud: Cloud) -> None:
    """The same group on an interface in another subnet lets in whom it says."""
    cloud.let_in("203.0.113.0/25")
    group = cloud.group(tcp(22, OFFICE))
    instance = cloud.instance(group)
    second = cloud.interface(group, instance=instance)
    [found] = looked_up(reported(server(instance), 22, interface=second))
    assert {source for one in found.exposures for source in one.sources} == {OFFICE}


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        pytest.param(DENIED, "ec2:DescribeNetworkAcls was denied in 111122223333", id="denied"),
        pytest.param({}, "the network ACL of subnet-1 cannot be read", id="empty"),
        pytest.param({"Entries": []}, "the network ACL of subnet-1 cannot be read", id="no entries"),
        pytest.param(
            {"Entries": [{"RuleNumber": 1, "Protocol": "6", "RuleAction": "deny", "Egress": False}]},
            "the network ACL of subnet-1 cannot be read",
            id="an entry of nobody",
        ),
    ],
)
def test_what_cannot_be_read_narrows_nothing(endpoint: Endpoint, told: Any, problem: str) -> None:
    """It is said, and the sources are those of the rules."""
    if isinstance(told, dict) and told:
        told = {"NetworkAcls": [{"NetworkAclId": "acl-1", "Associations": [{"SubnetId": "subnet-1"}], **told}]}
    endpoint.tells |= {
        "DescribeNetworkAcls": told,
        "DescribeLoadBalancers": {},
        "DescribeNetworkInterfaces": {
            "NetworkInterfaces": [
                {
                    "NetworkInterfaceId": "eni-1",
                    "SubnetId": "subnet-1",
                    "Groups": [{"GroupId": GROUP}],
                    "Attachment": {"InstanceId": "i-1"},
                }
            ]
        },
        "DescribeSecurityGroupRules": {
            "SecurityGroupRules": [
                {"GroupId": GROUP, "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv4": OFFICE}
            ]
        },
    }
    [found] = looked_up(reported(server("i-1"), 22))
    assert sources(found) == {("tcp 22-22",): {OFFICE}}
    assert problems(found) == [f"{problem}: network ACLs narrow nothing"]


def test_a_family_without_any_entry_is_not_narrowed() -> None:
    """An ACL of a VPC without IPv6 says nothing of it."""
    acl = Acl("acl-1", [Entry("-1", 0, 65535, ip_network(OFFICE), allows=True)])
    assert acl.narrow("tcp", 22, 22, "2001:db8::/32") == [(22, 22, ("2001:db8::/32",))]
    assert acl.narrow("tcp", 22, 22, "10.0.0.0/8") == []


NETWORKS = st.builds(
    lambda bits, length: IPv4Network((bits << 28, length), strict=False), st.integers(0, 15), st.integers(0, 4)
)
"""Networks whose length is 4 at most, so that sixteen addresses stand for all."""

ENTRIES = st.lists(
    st.builds(
        Entry,
        protocol=st.sampled_from(["-1", "6", "17"]),
        from_port=st.integers(0, 4),
        to_port=st.integers(4, 8),
        network=NETWORKS,
        allows=st.booleans(),
    ),
    max_size=6,
)


def kept_whole(entries: list[Entry], source: IPv4Network, port: int) -> bool:
    """Say whether all sixteenths of everybody but one get in, of which the networks of these tests are made."""
    denied = 0
    for bits in range(16):
        address = IPv4Address(bits << 28 | 1)
        here = (one for one in entries if one.protocol in {"-1", "6"} and one.from_port <= port <= one.to_port)
        denied += not next((one.allows for one in here if address in one.network), False)
    return str(source) == "0.0.0.0/0" and denied == 1


@given(ENTRIES, NETWORKS)
def test_narrowing_is_exact(entries: list[Entry], source: IPv4Network) -> None:
    """Address by address and port by port, who is let in is who the first matching entry lets in, or nearly all."""
    every = Entry("-1", 0, 65535, ip_network("0.0.0.0/0"), allows=False)
    parts = Acl("acl-1", [*entries, every]).narrow("tcp", 0, 10, str(source))
    left = {(low, high): [IPv4Network(one) for one in networks] for low, high, networks in parts}
    for port in range(11):
        for address in (IPv4Address(bits << 28 | 1) for bits in range(16)):
            first = next(
                one
                for one in (*entries, every)
                if one.protocol in {"-1", "6"} and one.from_port <= port <= one.to_port and address in one.network
            )
            let_in = any(
                address in network for (low, high), some in left.items() if low <= port <= high for network in some
            )
            assert let_in == (address in source and first.allows) or (let_in and kept_whole(entries, source, port))
