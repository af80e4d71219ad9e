"""A load balancer may hide its clients behind an address inside, or be another account's, of whom nothing is known."""

from typing import Any

import pytest
from msgspec.structs import replace

from handler.finding import PORTS_ASSUMED
from tests.lookup.cloud import OFFICE, OTHER_ACCOUNT, Cloud, looked_up, problems, reported, server, sources, tcp
from tests.lookup.cluster import forward, target_group
from tests.lookup.endpoint import THROTTLED, Endpoint
from tests.lookup.test_load_balancers import path_name
from tests.lookup.test_nested_balancers import INNER, OUTER, OWN, balanced, rule

ARN = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/net/outer/50dc"
THEIRS = f"{OTHER_ACCOUNT}/sg-0bbbbbbbbbbbbbbb2"


class Nested:
    """A server behind a load balancer that lets in the network of its VPC on 80, and others on 443."""

    def __init__(self, cloud: Cloud, *others: dict[str, Any]) -> None:
        self.cloud = cloud
        front = cloud.group(tcp(80, "10.0.0.0/16"), *others)
        self.instance = cloud.instance(cloud.group(tcp(8080, front)))
        self.inner = cloud.balancer(front, name="inner")
        self.name = path_name(self.inner)
        servers = target_group(cloud, "servers", (self.instance, 8080))
        forward(cloud, self.inner, 80, servers)
        forward(cloud, self.inner, 443, servers)
        own = cloud.interface(front, description=f"ELB {self.name}")
        [told] = cloud.ec2.describe_network_interfaces(NetworkInterfaceIds=[own])["NetworkInterfaces"]
        self.address = told["PrivateIpAddress"]

    def outer(self, target: str, port: int = 80, *groups: str, kind: str = "ip") -> str:
        """Put a load balancer in front that sends to an address; its name."""
        made = self.cloud.balancer(*groups, name="outer", kind="network")
        group = target_group(self.cloud, "inner", (target, port), kind=kind, Protocol="TCP")
        forward(self.cloud, made, 80, group, protocol="TCP")
        return path_name(made)


@pytest.mark.parametrize(("kind", "clients"), [("ip", {("0.0.0.0/0",)}), ("alb", set())])
@pytest.mark.parametrize("others", [(), (OFFICE,)])
def test_what_stands_before_a_load_balancer_may_hide_too(
    cloud: Cloud, kind: str, clients: set[tuple[str, ...]], others: tuple[str, ...]
) -> None:
    """Everybody comes from its own address, unless its target is the load balancer itself, which sees its clients."""
    nested = Nested(cloud, *(tcp(443, other) for other in others))
    name = nested.outer(nested.address if kind == "ip" else nested.inner, kind=kind)
    [found] = looked_up(reported(server(nested.instance), 8080))
    assert {one.sources for one in found.exposures} == {
        ("10.0.0.0/16",),
        *((other,) for other in others),
        *clients,
    }
    told = f"tcp 8080 is reached through load balancer {name}, listening on tcp 80"
    assert (told in problems(found)) == bool(clients)


def test_what_has_no_known_address_may_be_what_a_load_balancer_sends_to(cloud: Cloud) -> None:
    """Its interfaces may not be told yet, or not be seen."""
    nested = Nested(cloud, tcp(443, OFFICE))
    name = nested.outer("10.0.0.77")
    [own] = cloud.ec2.describe_network_interfaces(Filters=[{"Name": "description", "Values": ["ELB *"]}])[
        "NetworkInterfaces"
    ]
    cloud.ec2.delete_network_interface(NetworkInterfaceId=own["NetworkInterfaceId"])
    [found] = looked_up(reported(server(nested.instance), 8080))
    assert {one.sources for one in found.exposures} == {("10.0.0.0/16",), (OFFICE,), ("0.0.0.0/0",)}
    why = f"tcp 8080 may be reached through load balancer {name}, listening on tcp 80"
    assert f"{why}: {nested.name} has no network interface now" in problems(found)


@pytest.mark.parametrize(("target", "port"), [("10.0.0.77", 80), ("", 443)])
def test_what_sends_elsewhere_hides_nobody(cloud: Cloud, target: str, port: int) -> None:
    """To another address, or to a port to which addresses inside are not let in."""
    nested = Nested(cloud, tcp(443, OFFICE))
    nested.outer(target or nested.address, port)
    [found] = looked_up(reported(server(nested.instance), 8080))
    assert {one.sources for one in found.exposures} == {("10.0.0.0/16",), (OFFICE,)}


@pytest.mark.parametrize("told", [{}, THROTTLED])
def test_what_has_no_known_address_may_be_in_any_network(endpoint: Endpoint, told: Any) -> None:
    """Which are the addresses of its VPC is not known."""
    inside = "198.18.0.0/16"
    inner, outer = "loadbalancer/app/inner/50dc", "loadbalancer/net/outer/50dc"
    rules = [rule(1, OWN, 8080, INNER), rule(2, INNER, 443, OFFICE), rule(3, INNER, 80, inside)]
    forwards = {(inner, 443): ("i-1", 8080), (inner, 80): ("i-1", 8080), (outer, 80): ("10.0.0.9", 80)}
    balanced(endpoint, rules, {inner: (INNER, (80, 443)), outer: (OUTER, (80,))}, forwards)
    of_instance: Any = endpoint.tells["DescribeNetworkInterfaces"]
    endpoint.tells["DescribeNetworkInterfaces"] = lambda form: of_instance(form) or told
    [found] = looked_up(reported(server("i-1"), 8080))
    assert {one.sources for one in found.exposures} >= {(inside,), (OFFICE,), ("unknown",)}
    assert any("may be reached through load balancer net/outer/50dc" in note for note in problems(found))


def test_what_is_let_in_by_its_group_hides_nobody(cloud: Cloud) -> None:
    """Who comes through it is known."""
    outer = cloud.group(tcp(80, OFFICE))
    nested = Nested(cloud, tcp(80, outer))
    name = nested.outer(nested.address, 80, outer)
    cloud.interface(outer, description=f"ELB {name}")
    [found] = looked_up(reported(server(nested.instance), 8080))
    assert {one.sources for one in found.exposures} == {("10.0.0.0/16",), (OFFICE,)}


def opened(endpoint: Endpoint, address: str, *rules: str, ports: tuple[int, ...] = (5432,)) -> None:
    """Let a server of this address let these in, and a load balancer without groups send to ports of it."""
    known = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "GroupId": "sg-1"}
    spelled = [
        {"CidrIpv6": source}
        if ":" in source
        else {"CidrIpv4": source}
        if "sg-" not in source
        else {"ReferencedGroupInfo": {"UserId": source.partition("/")[0], "GroupId": source.partition("/")[2]}}
        for source in rules
    ]
    own = {"Ipv6Addresses": [{"Ipv6Address": address}]}
    if ":" not in address:
        own = {"PrivateIpAddresses": [{"PrivateIpAddress": address}]}
    interface = {"Attachment": {"InstanceId": "i-1"}, "Groups": [{"GroupId": "sg-1"}]}
    group = {"TargetGroupArn": "arn", "LoadBalancerArns": [ARN], "Protocol": "TCP"}
    endpoint.tells |= {
        "DescribeNetworkInterfaces": {"NetworkInterfaces": [interface | own]},
        "DescribeSecurityGroupRules": {"SecurityGroupRules": [known | one for one in spelled]},
        "DescribeLoadBalancers": lambda form: (
            {"LoadBalancers": [{"LoadBalancerArn": ARN}]} if form["Version"] == "2015-12-01" else {}
        ),
        "DescribeTargetGroups": {"TargetGroups": [group]},
        "DescribeTargetHealth": {
            "TargetHealthDescriptions": [{"Target": {"Id": "i-1", "Port": port}} for port in ports]
        },
    }


@pytest.mark.parametrize(
    ("address", "network"),
    [
        pytest.param("2001:db8:abc:de00::7", "2001:db8:abc:de00::/56", id="IPv6"),
        pytest.param("2001:db8:abc:de00::7", "2001:db8:abc:de01::/64", id="another subnet"),
        pytest.param("198.18.3.4", "198.18.0.0/16", id="public IPv4"),
        pytest.param("10.0.0.7", "172.0.0.0/8", id="partly private"),
    ],
)
def test_the_network_of_the_vpc_may_hide_whatever_its_addresses(endpoint: Endpoint, address: str, network: str) -> None:
    """In it a load balancer may have its own; where none sends to the server, the network is judged."""
    opened(endpoint, address, network)
    [found] = looked_up(reported(server("i-1"), 5432))
    assert {one.sources for one in found.exposures} == {(network,), ("unknown",)}
    unread = "elasticloadbalancing:DescribeListeners was denied in 111122223333"
    assert f"{unread}: who reaches tcp 5432 through net/outer/50dc is unknown" in problems(found)
    opened(endpoint, address, network, ports=())
    [found] = looked_up(reported(server("i-1"), 5432))
    assert {one.sources for one in found.exposures} == {(network,)}


@pytest.mark.parametrize("others", [(), (OFFICE,)])
@pytest.mark.parametrize("how", ["told", "throttled", "elsewhere"])
def test_a_load_balancer_may_hide_in_another_block_of_the_vpc(
    endpoint: Endpoint, how: str, others: tuple[str, ...]
) -> None:
    """Where its address is in none of the networks, they are judged; if that cannot be read, it may be in any."""
    opened(endpoint, "10.0.0.7", "198.18.0.0/16", *others)
    address = {"PrivateIpAddress": "10.0.0.9" if how == "elsewhere" else "198.18.3.4"}
    own = {"Description": "ELB net/outer/50dc", "PrivateIpAddresses": [address]}
    of_instance: Any = endpoint.tells["DescribeNetworkInterfaces"]
    told: Any = THROTTLED if how == "throttled" else {"NetworkInterfaces": [own]}
    endpoint.tells["DescribeNetworkInterfaces"] = lambda form: (
        told if form["Filter.1.Name"] == "description" else of_instance
    )
    [found] = looked_up(reported(server("i-1"), 5432))
    unknown = () if how == "elsewhere" else ("unknown",)
    assert set.union(*sources(found).values()) == {"198.18.0.0/16", *others, *unknown}


def test_a_named_load_balancer_may_hide_in_the_network_of_the_vpc(endpoint: Endpoint) -> None:
    """It has no groups, and the server lets in the whole network."""
    opened(endpoint, "2001:db8:abc:de00::7", "2001:db8:abc:de00::/56")
    [found] = looked_up(reported(server("i-1"), 5432, load_balancer="net/outer/50dc"))
    assert ("unknown",) in {one.sources for one in found.exposures}


def test_the_network_of_the_vpc_stays_whatever_the_acl_says(endpoint: Endpoint) -> None:
    """No network ACL stands between the servers of one subnet."""
    entry = {"RuleNumber": 1, "Protocol": "-1", "RuleAction": "allow", "Egress": False, "CidrBlock": OFFICE}
    acl = {"NetworkAclId": "acl-1", "Associations": [{"SubnetId": "subnet-1"}], "Entries": [entry]}
    opened(endpoint, "198.18.3.4", "198.18.0.0/16", OFFICE)
    own: Any = endpoint.tells["DescribeNetworkInterfaces"]
    own["NetworkInterfaces"][0]["SubnetId"] = "subnet-1"
    endpoint.tells["DescribeNetworkAcls"] = {"NetworkAcls": [acl]}
    [found] = looked_up(reported(server("i-1"), 5432))
    assert {one.sources for one in found.exposures} == {("198.18.0.0/16",), (OFFICE,), ("unknown",)}


def test_what_an_acl_leaves_of_everybody_hides_nobody(cloud: Cloud) -> None:
    """It is nearly everybody, and is judged as that."""
    cloud.deny("198.51.100.0/24")
    instance = cloud.instance(cloud.group(tcp(5432, "0.0.0.0/0")))
    group = target_group(cloud, "db", (instance, 5432), Protocol="TCP")
    forward(cloud, cloud.balancer(kind="network"), 5432, group, protocol="TCP")
    [found] = looked_up(reported(server(instance), 5432))
    assert "unknown" not in {source for one in found.exposures for source in one.sources}
    assert problems(found) == []


@pytest.mark.parametrize("others", [(), (OFFICE,)])
def test_the_group_of_another_account_may_be_a_load_balancers(endpoint: Endpoint, others: tuple[str, ...]) -> None:
    """Its load balancers are not looked up, so whoever comes through them is unknown."""
    opened(endpoint, "10.0.0.7", THEIRS, *others, ports=())
    [found] = looked_up(reported(server("i-1"), 5432))
    assert {one.sources for one in found.exposures} == {(THEIRS,), *((other,) for other in others), ("unknown",)}
    whose = f"whether {THEIRS} is a load balancer's is not looked up in {OTHER_ACCOUNT}"
    assert problems(found) == [f"{whose}: who reaches tcp 5432 is unknown"]


@pytest.mark.parametrize("who", [THEIRS, "10.0.0.0/16"])
def test_where_the_ports_are_assumed_whom_the_rules_let_in_is_judged(endpoint: Endpoint, who: str) -> None:
    """Nobody said that the internet reaches them."""
    opened(endpoint, "10.0.0.7", who)
    endpoint.tells["DescribeTargetHealth"] = {}
    [found] = looked_up(replace(reported(server("i-1"), 5432), notes=(PORTS_ASSUMED,), reach_known=False))
    assert {one.sources for one in found.exposures} == {(who,)}
    assert problems(found) == []


@pytest.mark.parametrize(("others", "reach"), [(("0.0.0.0/0", "::/0"), "internet"), ((), "peered_vpc")])
def test_the_group_of_another_account_is_a_source_where_it_makes_nothing_worse(
    endpoint: Endpoint, others: tuple[str, ...], reach: str
) -> None:
    """Everybody is let in anyway, or the scanner did not come from the internet."""
    opened(endpoint, "", THEIRS, *others, ports=())
    [found] = looked_up(reported(server("i-1"), 5432, reach=reach))
    assert set.union(*sources(found).values()) == {THEIRS, *others}
    assert problems(found) == []


def test_a_load_balancer_may_let_in_the_group_of_another_account(cloud: Cloud) -> None:
    """It may be that of a load balancer in front of it."""
    front = cloud.group(tcp(443, OFFICE))
    theirs = cloud.group()
    permission = tcp(443) | {"UserIdGroupPairs": [{"GroupId": theirs, "UserId": OTHER_ACCOUNT}]}
    cloud.open(front, permission)
    instance = cloud.instance(cloud.group(tcp(80, front)))
    cloud.listen(cloud.balancer(front), 443, instance)
    [found] = looked_up(reported(server(instance), 80))
    assert {one.sources for one in found.exposures} == {(OFFICE,), (f"{OTHER_ACCOUNT}/{theirs}",), ("unknown",)}
