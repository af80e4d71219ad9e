"""What the scanner reached from the internet may be let in by an address inside: through a load balancer."""

from collections import Counter

import pytest

from handler.lookup.networks import is_private
from tests.lookup.cloud import OFFICE, Cloud, looked_up, opens, problems, reported, server, sources, tcp
from tests.lookup.cluster import forward, target_group
from tests.lookup.endpoint import DENIED, Endpoint
from tests.lookup.test_load_balancers import path_name

CLOSED = "nobody of the internet is known to come in to tcp 5432 by the rules of"
LOOKED = "the scanner last looked at 2026-11-24 05:58 UTC"


@pytest.mark.parametrize(
    ("source", "private"),
    [
        ("10.1.0.0/16", True),
        ("172.31.0.0/16", True),
        ("192.168.1.7/32", True),
        ("100.64.0.0/10", True),
        ("fd00:db8::/32", True),
        ("10.0.0.0/7", False),
        ("172.32.0.0/16", False),
        ("0.0.0.0/0", False),
        ("::/0", False),
        ("203.0.113.0/24", False),
        ("2001:db8::/32", False),
        ("sg-0b1b", False),
        ("222233334444/sg-0b1b", False),
        ("unknown", False),
    ],
)
def test_a_private_network_has_no_address_of_the_internet(source: str, private: bool) -> None:  # noqa: FBT001  a case
    """One that is partly public is not private; addresses for documentation stand for public ones."""
    assert is_private(source) == private


@pytest.mark.parametrize("kind", ["instance", "ip"])
def test_a_load_balancer_that_no_rule_names_brings_its_clients(cloud: Cloud, kind: str) -> None:
    """The servers let in the whole network in which the load balancer is, and that lets in the world."""
    instance = cloud.instance(cloud.group(tcp(5432, "10.0.0.0/16")))
    balancer = cloud.balancer(cloud.group(tcp(443, "0.0.0.0/0")))
    told = cloud.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    known = instance if kind == "instance" else told["PrivateIpAddress"]
    forward(cloud, balancer, 443, target_group(cloud, "db", (known, 5432), kind=kind))
    [found] = looked_up(reported(server(instance), 5432))
    assert {one.sources for one in found.exposures} == {("10.0.0.0/16",), ("0.0.0.0/0",)}
    assert problems(found) == [f"tcp 5432 is reached through load balancer {path_name(balancer)}, listening on tcp 443"]


def test_a_classic_load_balancer_that_no_rule_names_brings_its_clients(cloud: Cloud) -> None:
    """It tells its servers itself."""
    instance = cloud.instance(cloud.group(opens("tcp", 5432, 5433, "10.0.0.0/16")))
    elb = cloud.client("elb")
    listener = {"Protocol": "tcp", "LoadBalancerPort": 443, "InstancePort": 5432}
    front = cloud.group(tcp(443, "0.0.0.0/0"))
    elb.create_load_balancer(
        LoadBalancerName="classic", Listeners=[listener], Subnets=cloud.subnets, SecurityGroups=[front]
    )
    elb.register_instances_with_load_balancer(LoadBalancerName="classic", Instances=[{"InstanceId": instance}])
    sent, other = looked_up(reported(server(instance), 5432), reported(server(instance), 5433))
    assert {one.sources for one in sent.exposures} == {("10.0.0.0/16",), ("0.0.0.0/0",)}
    assert problems(sent) == ["tcp 5432 is reached through load balancer classic, listening on tcp 443"]
    assert {one.sources for one in other.exposures} == {("10.0.0.0/16",)}


def test_where_no_load_balancer_sends_to_it_the_policy_judges_whom_the_rules_let_in(cloud: Cloud) -> None:
    """The rules may have been narrowed since; that a scanner said otherwise is noted."""
    other = cloud.group()
    cloud.instance(other)
    group = cloud.group(tcp(5432, "10.0.0.0/16", other))
    instance, sibling = cloud.instance(group), cloud.instance(group)
    forward(cloud, cloud.balancer(), 443, target_group(cloud, "db", (instance, 5433), (sibling, 5432)))
    [found] = looked_up(reported(server(instance), 5432))
    assert {source for one in found.exposures for source in one.sources} == {"10.0.0.0/16", other}
    assert problems(found) == [f"{CLOSED} {group} now; {LOOKED}"]


def test_a_public_address_beside_them_explains_it_where_nothing_sends_to_it(cloud: Cloud) -> None:
    """A scanner reports a port that one office reaches, too; then there is nothing to say."""
    instance = cloud.instance(cloud.group(tcp(5432, "10.0.0.0/16", OFFICE)))
    forward(cloud, cloud.balancer(), 443, target_group(cloud, "db", (instance, 5433)))
    [found] = looked_up(reported(server(instance), 5432))
    assert {one.sources for one in found.exposures} == {("10.0.0.0/16",), (OFFICE,)}
    assert problems(found) == []


def test_a_public_address_beside_them_does_not_explain_what_a_load_balancer_sends(cloud: Cloud) -> None:
    """It may come from a private address that is let in, whoever its clients are."""
    instance = cloud.instance(cloud.group(tcp(5432, "10.0.0.0/16", OFFICE)))
    balancer = cloud.balancer(kind="network")
    group = target_group(cloud, "db", (instance, 5432), Protocol="TCP")
    forward(cloud, balancer, 5432, group, protocol="TCP")
    for preserved, clients in (("true", set()), ("false", {("0.0.0.0/0",)})):
        cloud.client("elbv2").modify_target_group_attributes(
            TargetGroupArn=group, Attributes=[{"Key": "preserve_client_ip.enabled", "Value": preserved}]
        )
        [found] = looked_up(reported(server(instance), 5432))
        assert {one.sources for one in found.exposures} == {("10.0.0.0/16",), (OFFICE,), *clients}


def test_no_load_balancer_is_asked_for_where_it_would_change_nothing(cloud: Cloud, requests: list[str]) -> None:
    """From an address inside nobody is let in, and no network ACL keeps anybody out."""
    [found] = looked_up(reported(server(cloud.instance(cloud.group(tcp(5432, OFFICE)))), 5432))
    assert {one.sources for one in found.exposures} == {(OFFICE,)}
    assert problems(found) == []
    assert not {"DescribeLoadBalancers", "DescribeTargetGroups"} & set(requests)


def test_a_load_balancer_that_a_rule_names_is_no_other(cloud: Cloud) -> None:
    """Whom it lets in is told by its own groups."""
    front = cloud.group(tcp(443, OFFICE))
    instance = cloud.instance(cloud.group(tcp(80, "10.0.0.0/16", front)))
    cloud.listen(cloud.balancer(front), 443, instance)
    [found] = looked_up(reported(server(instance), 80))
    assert {one.sources for one in found.exposures} == {("10.0.0.0/16",), (OFFICE,)}


def test_a_load_balancer_that_a_rule_names_is_no_other_whomever_it_lets_in(cloud: Cloud) -> None:
    """Addresses inside alone, while the server lets in others beside it."""
    front = cloud.group(tcp(443, "10.0.0.0/16"))
    instance = cloud.instance(cloud.group(tcp(80, "10.0.0.0/16", OFFICE, front)))
    balancer = cloud.balancer(front)
    cloud.listen(balancer, 443, instance)
    cloud.interface(front, description=f"ELB {path_name(balancer)}")
    [found] = looked_up(reported(server(instance), 80))
    assert {one.sources for one in found.exposures} == {("10.0.0.0/16",), (OFFICE,)}
    assert not any("unknown" in note for note in problems(found))


def test_only_the_ports_that_nothing_explains_are_unknown(endpoint: Endpoint) -> None:
    """Port by port: whoever is sent to some of them is not known, and nobody is let in to the last."""
    _opened(endpoint, (8000, 8010, "10.0.0.0/8"), (8003, 8005, OFFICE), (8009, 8009, "0.0.0.0/0"))
    targets = [{"Target": {"Id": "i-1", "Port": port}} for port in (8004, 8007, 8009)]
    endpoint.tells["DescribeTargetHealth"] = {"TargetHealthDescriptions": targets}
    [found] = looked_up(reported(server("i-1"), ("tcp", 8001, 8012)))
    unknown = {(one.from_port, one.to_port) for one in found.exposures if one.sources == ("unknown",)}
    assert unknown == {(8004, 8004), (8007, 8007), (8009, 8009), (8011, 8012)}


@pytest.mark.parametrize("action", ["DescribeLoadBalancers", "DescribeTargetGroups", "DescribeTargetHealth"])
def test_what_cannot_be_read_leaves_it_unknown(endpoint: Endpoint, action: str) -> None:
    """Whether a load balancer sends to it is then not known."""
    _opened(endpoint, (5432, 5432, "10.0.0.0/8"))
    endpoint.tells[action] = DENIED
    endpoint.tells["DescribeListeners"] = {"Listeners": [{"Port": 443, "Protocol": "TCP", "ListenerArn": "listener"}]}
    [found] = looked_up(reported(server("i-1"), 5432))
    every = {"unknown"} if action == "DescribeLoadBalancers" else {"0.0.0.0/0", "::/0"}
    assert sources(found)["tcp 5432-5432",] >= {"10.0.0.0/8", *every}
    assert any(f"elasticloadbalancing:{action} was denied in 111122223333" in note for note in problems(found))


def test_every_target_group_is_searched(endpoint: Endpoint) -> None:
    """However many there are: on EKS each service has some."""
    _opened(endpoint, (5432, 5432, "10.0.0.0/8"))
    groups = [{"TargetGroupArn": f"arn-{n}", "LoadBalancerArns": ["arn"], "Protocol": "TCP"} for n in range(51)]
    endpoint.tells["DescribeTargetGroups"] = {"TargetGroups": groups}
    [found] = looked_up(reported(server("i-1"), 5432))
    assert sources(found) == {("tcp 5432-5432",): {"10.0.0.0/8"}}
    endpoint.tells["DescribeTargetHealth"] = lambda form: {
        "TargetHealthDescriptions": [{"Target": {"Id": "i-1", "Port": 5432}}] * (form["TargetGroupArn"] == "arn-50")
    }
    [found] = looked_up(reported(server("i-1"), 5432))
    assert sources(found) == {("tcp 5432-5432",): {"10.0.0.0/8", "unknown"}}


def test_a_group_that_only_private_networks_reach_is_unknown(cloud: Cloud) -> None:
    """What stands in front of its servers is not known, since it is not known which they are."""
    group = cloud.group(tcp(5432, "10.0.0.0/16"))
    [alone] = looked_up(reported(server(group), 5432))
    assert {one.sources for one in alone.exposures} == {("10.0.0.0/16",)}
    cloud.balancer(cloud.group())
    [found] = looked_up(reported(server(group), 5432))
    assert {one.sources for one in found.exposures} == {("10.0.0.0/16",), ("unknown",)}


@pytest.mark.parametrize("reach", ["peered_vpc", "vpn"])
def test_from_elsewhere_private_networks_explain_it(cloud: Cloud, reach: str) -> None:
    """They are where the scanner came from."""
    group = cloud.group(tcp(5432, "10.0.0.0/16"))
    [found] = looked_up(reported(server(cloud.instance(group)), 5432, reach=reach))
    assert {one.sources for one in found.exposures} == {("10.0.0.0/16",)}
    assert problems(found) == []


def test_servers_of_one_place_share_the_calls(cloud: Cloud, requests: list[str]) -> None:
    """Target groups are searched once, however many servers nothing explains."""
    group = cloud.group(tcp(5432, "10.0.0.0/16"))
    instances = [cloud.instance(group) for _ in range(5)]
    forward(cloud, cloud.balancer(), 443, target_group(cloud, "db", (instances[0], 5432)))
    requests.clear()
    found = looked_up(*(reported(server(instance), 5432) for instance in instances))
    assert sum(any("0.0.0.0/0" in exposure.sources for exposure in one.exposures) for one in found) == 1
    asked = Counter(requests)
    assert (asked["DescribeLoadBalancers"], asked["DescribeTargetGroups"], asked["DescribeTargetHealth"]) == (2, 1, 1)


def _opened(endpoint: Endpoint, *rules: tuple[int, int, str]) -> None:
    """Let an instance have a group of these rules, and nothing send to it."""
    interface = {"Attachment": {"InstanceId": "i-1"}, "Groups": [{"GroupId": "sg-1"}]}
    told = [
        {"GroupId": "sg-1", "IpProtocol": "tcp", "FromPort": low, "ToPort": high, "CidrIpv4": source}
        for low, high, source in rules
    ]
    group = {"TargetGroupArn": "arn", "LoadBalancerArns": ["arn"], "Protocol": "TCP"}
    endpoint.tells |= {
        "DescribeNetworkInterfaces": {"NetworkInterfaces": [interface]},
        "DescribeSecurityGroupRules": {"SecurityGroupRules": told},
        "DescribeLoadBalancers": lambda form: (
            {"LoadBalancers": [{"LoadBalancerArn": "arn", "Type": "network"}]}
            if form["Version"] == "2015-12-01"
            else {}
        ),
        "DescribeVpcs": {},
        "DescribeTargetGroups": {"TargetGroups": [group]},
        "DescribeTargetHealth": {"TargetHealthDescriptions": []},
    }
