"""Behind a load balancer it is the balancer's own groups that tell who reaches a port from the internet."""

from typing import Any

import pytest

from tests.lookup.cloud import OFFICE, Cloud, looked_up, opens, problems, reported, server, sources, tcp
from tests.lookup.cluster import forward, target_group
from tests.lookup.endpoint import DENIED, Endpoint

ARN = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/web/50dc"
GROUP = {"TargetGroupArn": "arn", "TargetType": "instance", "LoadBalancerArns": [ARN]}
OWN, FRONT = "sg-0aaaaaaaaaaaaaaa1", "sg-0bbbbbbbbbbbbbbb2"


def path_name(arn: str) -> str:
    """Give the name of a load balancer as a path has it."""
    return arn.partition(":loadbalancer/")[2]


def test_its_group_is_replaced_by_those_that_it_lets_in(cloud: Cloud) -> None:
    """The alert names the balancer, and the rule of the balancer that lets them in to its listener."""
    front = cloud.group(tcp(443, "0.0.0.0/0"), tcp(8443, "198.51.100.0/24"))
    own = cloud.group(tcp(80, front))
    instance = cloud.instance(own)
    balancer = cloud.balancer(front)
    cloud.listen(balancer, 443, instance)
    [found] = looked_up(reported(server(instance), 80))
    [exposure] = found.exposures
    assert (exposure.from_port, exposure.to_port, exposure.sources) == (80, 80, ("0.0.0.0/0",))
    assert (exposure.security_group, exposure.rules) == (front, (cloud.rules(front)["0.0.0.0/0"],))
    assert exposure.load_balancer == path_name(balancer)
    assert problems(found) == [f"tcp 80 is reached through load balancer {path_name(balancer)}, listening on tcp 443"]


def test_what_else_is_in_its_group_stays_a_source(cloud: Cloud) -> None:
    """A jump host in the group of a load balancer is let in like it, by the same rule; the balancer's own is not."""
    front = cloud.group(tcp(443, OFFICE))
    own = cloud.group(tcp(80, front))
    instance = cloud.instance(own)
    balancer = cloud.balancer(front)
    cloud.listen(balancer, 443, instance)
    cloud.interface(front, description=f"ELB {path_name(balancer)}")
    [alone] = looked_up(reported(server(instance), 80))
    assert {one.sources for one in alone.exposures} == {(OFFICE,)}
    cloud.instance(front)
    [shared] = looked_up(reported(server(instance), 80))
    assert {(one.sources, one.security_group, one.load_balancer or None) for one in shared.exposures} == {
        ((OFFICE,), front, path_name(balancer)),
        ((front,), own, None),
    }


def test_only_the_listener_in_front_of_the_port_counts(cloud: Cloud) -> None:
    """A listener that sends elsewhere lets nobody in to this port."""
    front = cloud.group(tcp(443, "0.0.0.0/0"), tcp(8443, OFFICE))
    own = cloud.group(opens("tcp", 80, 81, front))
    instance = cloud.instance(own)
    balancer = cloud.balancer(front)
    cloud.listen(balancer, 443, instance, 80)
    cloud.listen(balancer, 8443, instance, 81)
    public, admin = looked_up(reported(server(instance), 80), reported(server(instance), 81))
    assert {one.sources for one in public.exposures} == {("0.0.0.0/0",)}
    assert {one.sources for one in admin.exposures} == {(OFFICE,)}


def test_a_port_in_no_target_group_is_reached_by_nobody_through_it(cloud: Cloud) -> None:
    """A rule lets it in to every port, and it sends to one; the others are reached by what is in its groups alone."""
    front = cloud.group(tcp(443, "0.0.0.0/0"))
    instance = cloud.instance(cloud.group(opens("tcp", 0, 65535, front), tcp(22, OFFICE)))
    balancer = cloud.balancer(front)
    cloud.listen(balancer, 443, instance, 8080)
    sent, other = looked_up(reported(server(instance), 8080), reported(server(instance), 22))
    assert {one.sources for one in sent.exposures} == {("0.0.0.0/0",)}
    assert {(one.sources, one.load_balancer or None) for one in other.exposures} == {
        ((front,), path_name(balancer)),
        ((OFFICE,), None),
    }
    assert [one.rules for one in other.exposures if one.load_balancer] == [()]
    let_in = f"load balancers are let in to tcp 22 ({path_name(balancer)})"
    assert problems(other) == [f"{let_in}, and send nothing there"]


def test_a_way_around_it_is_named_beside_it(cloud: Cloud) -> None:
    """A rule that lets addresses in directly has no load balancer."""
    front = cloud.group(tcp(443, OFFICE))
    own = cloud.group(tcp(80, front, "198.51.100.0/24"))
    instance = cloud.instance(own)
    balancer = cloud.balancer(front)
    cloud.listen(balancer, 443, instance)
    [found] = looked_up(reported(server(instance), 80))
    assert {(one.sources, one.security_group, one.load_balancer or None) for one in found.exposures} == {
        ((OFFICE,), front, path_name(balancer)),
        (("198.51.100.0/24",), own, None),
    }


def test_the_acl_of_the_server_does_not_narrow_who_reaches_the_balancer(cloud: Cloud) -> None:
    """Each group, and each ACL, is read for its own hop of the path."""
    cloud.let_in("10.0.0.0/16")
    front = cloud.group(tcp(443, "0.0.0.0/0"))
    instance = cloud.instance(cloud.group(tcp(80, front)))
    cloud.listen(cloud.balancer(front), 443, instance)
    [found] = looked_up(reported(server(instance), 80))
    assert {one.sources for one in found.exposures} == {("0.0.0.0/0",)}


def test_the_balancer_of_the_path_counts_whatever_the_rules_say(cloud: Cloud) -> None:
    """The server may let in the balancer by its network; the internet comes all the same."""
    front = cloud.group(tcp(443, "0.0.0.0/0"))
    own = cloud.group(tcp(80, "10.0.0.0/16"))
    instance = cloud.instance(own)
    balancer = cloud.balancer(front)
    cloud.listen(balancer, 443, instance)
    [found] = looked_up(reported(server(instance), 80, load_balancer=path_name(balancer)))
    assert {(one.sources, one.load_balancer or None) for one in found.exposures} == {
        (("10.0.0.0/16",), None),
        (("0.0.0.0/0",), path_name(balancer)),
    }


def test_a_balancer_of_the_path_that_lets_nobody_in_may_let_anybody_in(cloud: Cloud) -> None:
    """The scanner came through it, so what its rules say now is not the whole truth."""
    instance = cloud.instance(cloud.group(tcp(80, "10.0.0.0/16")))
    balancer = cloud.balancer(cloud.group(tcp(8443, OFFICE)))
    cloud.listen(balancer, 443, instance)
    [found] = looked_up(reported(server(instance), 80, load_balancer=path_name(balancer)))
    assert {one.sources for one in found.exposures} == {("10.0.0.0/16",), ("unknown",)}


def test_a_dns_name_finds_the_balancer(cloud: Cloud) -> None:
    """Inspector Classic names it so; an ARN does as well."""
    front = cloud.group(tcp(443, OFFICE))
    instance = cloud.instance(cloud.group(tcp(80, front)))
    arn = cloud.balancer(front)
    cloud.listen(arn, 443, instance)
    [told] = cloud.client("elbv2").describe_load_balancers()["LoadBalancers"]
    for name in (told["DNSName"], arn):
        [found] = looked_up(reported(server(instance), 80, load_balancer=name))
        assert [(one.sources, one.load_balancer) for one in found.exposures] == [((OFFICE,), path_name(arn))]


def test_a_balancer_that_is_not_there_lets_anybody_in(cloud: Cloud) -> None:
    """The scanner came through it."""
    name = "app/gone/50dc6c495c0c9188"
    instance = cloud.instance(cloud.group(tcp(80, "10.0.0.0/16")))
    [found] = looked_up(reported(server(instance), 80, load_balancer=name))
    assert {one.sources for one in found.exposures} == {("10.0.0.0/16",), ("unknown",)}
    assert problems(found) == [
        f"{name} is no load balancer of 111122223333 eu-west-1: who reaches tcp 80 through {name} is unknown"
    ]


def test_a_classic_balancer_is_read_by_its_own_api(cloud: Cloud) -> None:
    """It tells itself which port of its servers a listener leads to."""
    front = cloud.group(tcp(443, OFFICE), tcp(8443, "0.0.0.0/0"))
    instance = cloud.instance(cloud.group(opens("tcp", 80, 81, front)))
    cloud.client("elb").create_load_balancer(
        LoadBalancerName="classic",
        Listeners=[
            {"Protocol": "tcp", "LoadBalancerPort": port, "InstancePort": own} for port, own in ((443, 80), (8443, 81))
        ],
        Subnets=cloud.subnets,
        SecurityGroups=[front],
    )
    [other] = looked_up(reported(server(instance), 80))
    assert [(one.sources, one.load_balancer) for one in other.exposures] == [((front,), "classic")]
    cloud.client("elb").register_instances_with_load_balancer(
        LoadBalancerName="classic", Instances=[{"InstanceId": instance}]
    )
    [found] = looked_up(reported(server(instance), 80))
    assert [(one.sources, one.load_balancer) for one in found.exposures] == [((OFFICE,), "classic")]
    cloud.client("elb").delete_load_balancer_listeners(LoadBalancerName="classic", LoadBalancerPorts=[8443])
    [found] = looked_up(reported(server(instance), 81))
    assert [(one.sources, one.load_balancer) for one in found.exposures] == [((front,), "classic")]


def test_a_named_network_balancer_that_leads_nowhere_leaves_it_unknown(cloud: Cloud) -> None:
    """Whom the scanner came through may have been changed since; nothing tells who reaches the port that way."""
    instance = cloud.instance(cloud.group(tcp(80, OFFICE)))
    name = path_name(cloud.balancer(kind="network"))
    [found] = looked_up(reported(server(instance), 80, load_balancer=name))
    assert {(one.sources, one.load_balancer or None) for one in found.exposures} == {
        ((OFFICE,), None),
        (("unknown",), name),
    }
    nobody = f"no listener of {name} is known to let anybody in to it now"
    assert problems(found) == [f"{nobody}: who reaches tcp 80 through {name} is unknown"]


def test_a_balancer_in_front_of_a_balancer_is_followed(cloud: Cloud) -> None:
    """The outermost lets in, the innermost sends; one group that both are in, and that lets itself in, ends the way."""
    outer = cloud.group(tcp(443, OFFICE))
    inner = cloud.group(tcp(80, outer))
    cloud.open(inner, tcp(80, inner))
    instance = cloud.instance(cloud.group(tcp(8080, inner)))
    innermost, outermost = cloud.balancer(inner, name="inner"), cloud.balancer(outer, name="outer", kind="network")
    cloud.listen(innermost, 80, instance, 8080)
    forward(cloud, outermost, 443, target_group(cloud, "inner", (innermost, 80), kind="alb", Protocol="TCP"), "TCP")
    [found] = looked_up(reported(server(instance), 8080))
    [exposure] = found.exposures
    assert (exposure.sources, exposure.load_balancer) == ((OFFICE,), path_name(innermost))
    assert (exposure.security_group, exposure.rules) == (outer, (cloud.rules(outer)[OFFICE],))
    assert problems(found) == [
        f"tcp 8080 is reached through load balancer {path_name(outermost)}, listening on tcp 443",
        f"tcp 8080 is reached through load balancer {path_name(innermost)}, listening on tcp 80",
    ]


def test_what_else_is_in_the_group_of_an_outer_balancer_stays_a_source(cloud: Cloud) -> None:
    """It is let in to the inner balancer as the outer one is."""
    outer = cloud.group(tcp(443, OFFICE))
    inner = cloud.group(tcp(80, outer))
    instance = cloud.instance(cloud.group(tcp(8080, inner)))
    innermost = cloud.balancer(inner, name="inner")
    cloud.listen(innermost, 80, instance, 8080)
    outermost = cloud.balancer(outer, name="outer", kind="network")
    forward(cloud, outermost, 443, target_group(cloud, "inner", (innermost, 80), kind="alb", Protocol="TCP"), "TCP")
    cloud.instance(outer)
    [found] = looked_up(reported(server(instance), 8080))
    assert {(one.sources, one.security_group) for one in found.exposures} == {((OFFICE,), outer), ((outer,), inner)}
    assert {one.load_balancer for one in found.exposures} == {path_name(innermost)}


@pytest.mark.parametrize("reach", ["peered_vpc", "vpn"])
def test_from_elsewhere_its_group_is_a_source(cloud: Cloud, reach: str) -> None:
    """Only the internet comes through it unseen; no load balancer is asked for."""
    front = cloud.group(tcp(443, "0.0.0.0/0"))
    instance = cloud.instance(cloud.group(tcp(80, front)))
    cloud.listen(cloud.balancer(front), 443, instance)
    [found] = looked_up(reported(server(instance), 80, reach=reach))
    assert {one.sources for one in found.exposures} == {(front,)}


def balanced(endpoint: Endpoint, **tells: Any) -> None:
    """Let a load balancer stand before a group that only it is let in by."""
    rules = [
        {"SecurityGroupRuleId": "sgr-1", "GroupId": OWN, "IpProtocol": "tcp", "FromPort": 80, "ToPort": 80}
        | {"ReferencedGroupInfo": {"GroupId": FRONT}},
        {"SecurityGroupRuleId": "sgr-2", "GroupId": FRONT, "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
        | {"CidrIpv4": OFFICE},
        {"SecurityGroupRuleId": "sgr-3", "GroupId": FRONT, "IpProtocol": "tcp", "FromPort": 8443, "ToPort": 8443}
        | {"CidrIpv4": "0.0.0.0/0"},
    ]

    def rules_of(form: dict[str, str]) -> dict[str, Any]:
        asked = {value for key, value in form.items() if key.startswith("Filter.1.Value")}
        return {"SecurityGroupRules": [rule for rule in rules if rule["GroupId"] in asked]}

    def balancers(form: dict[str, str]) -> dict[str, Any]:
        current = form["Version"] == "2015-12-01"
        return {"LoadBalancers": [{"LoadBalancerArn": ARN, "SecurityGroups": [FRONT]}]} if current else {}

    front = {"Description": f"ELB {path_name(ARN)}", "Groups": [{"GroupId": FRONT}]}
    front |= {"PrivateIpAddresses": [{"PrivateIpAddress": "10.0.0.9"}]}
    endpoint.tells |= {
        "DescribeSecurityGroupRules": rules_of,
        "DescribeLoadBalancers": balancers,
        "DescribeListeners": {"Listeners": [{"ListenerArn": "arn", "Port": 443, "Protocol": "HTTPS"}]},
        "DescribeNetworkInterfaces": {"NetworkInterfaces": [front]},
        **tells,
    }


def test_balanced_is_what_it_says(endpoint: Endpoint) -> None:
    """The world of the next tests, without a fault."""
    balanced(endpoint)
    [found] = looked_up(reported(server(OWN), 80))
    assert sources(found) == {("tcp 80-80", "sgr-2"): {OFFICE}}


def test_where_its_group_cannot_be_looked_into_it_stays_a_source(endpoint: Endpoint) -> None:
    """Beside whom the load balancer lets in."""
    balanced(endpoint, DescribeNetworkInterfaces=DENIED)
    [found] = looked_up(reported(server(OWN), 80))
    assert {one.sources for one in found.exposures} == {(OFFICE,), (FRONT,)}
    problem = f"ec2:DescribeNetworkInterfaces was denied in 111122223333: what else is in {FRONT} is unknown"
    assert problem in found.notes


@pytest.mark.parametrize(
    ("tells", "problem"),
    [
        pytest.param(
            {"DescribeLoadBalancers": DENIED},
            "elasticloadbalancing:DescribeLoadBalancers was denied in 111122223333: "
            f"whether {FRONT} is a load balancer's is unknown",
            id="balancers denied",
        ),
        pytest.param(
            {"DescribeListeners": DENIED},
            "elasticloadbalancing:DescribeListeners was denied in 111122223333: "
            "who reaches tcp 80 through app/web/50dc is unknown",
            id="listeners denied",
        ),
        pytest.param(
            {"DescribeListeners": {"Listeners": [{"ListenerArn": "arn", "Port": 80, "Protocol": "HTTP"}]}},
            "the groups of load balancer app/web/50dc let nobody in now",
            id="a listener that no rule opens",
        ),
    ],
)
def test_what_cannot_be_read_of_it_lets_anybody_in(endpoint: Endpoint, tells: Any, problem: str) -> None:
    """It is never taken for the group that it is in, which a policy may allow."""
    balanced(endpoint, **tells)
    [found] = looked_up(reported(server(OWN), 80))
    assert {source for one in found.exposures for source in one.sources} == {"unknown"}
    assert problem in found.notes


INTERFACE = {"NetworkInterfaces": [{"Attachment": {"InstanceId": "i-1"}, "Groups": [{"GroupId": OWN}]}]}


@pytest.mark.parametrize(
    ("tells", "doubt"),
    [
        pytest.param(
            {"DescribeTargetGroups": DENIED},
            "elasticloadbalancing:DescribeTargetGroups was denied in 111122223333",
            id="target groups denied",
        ),
        pytest.param(
            {"DescribeTargetHealth": DENIED},
            "elasticloadbalancing:DescribeTargetHealth was denied in 111122223333",
            id="targets denied",
        ),
        pytest.param(
            {"DescribeTargetGroups": {"TargetGroups": [GROUP | {"TargetType": "ip"}]}, "DescribeNetworkInterfaces": {}},
            "i-1 has no network interface now",
            id="no addresses",
        ),
    ],
)
def test_where_it_may_send_to_the_port_it_lets_in_whom_it_does(
    endpoint: Endpoint, tells: dict[str, Any], doubt: str
) -> None:
    """What is not known is no reason for silence, and is not said to be so."""
    told = {"TargetHealthDescriptions": [{"Target": {"Id": "i-1", "Port": 8080}}]}
    balanced(
        endpoint,
        **{
            "DescribeTargetGroups": {"TargetGroups": [GROUP]},
            "DescribeTargetHealth": told,
            "DescribeNetworkInterfaces": INTERFACE,
            **tells,
        },
    )
    [found] = looked_up(reported(server("i-1", security_groups=(OWN,)), 80))
    assert (OFFICE,) in {one.sources for one in found.exposures}
    assert (FRONT,) not in {one.sources for one in found.exposures}
    assert f"tcp 80 may be reached through load balancer app/web/50dc, listening on tcp 443: {doubt}" in found.notes


@pytest.mark.parametrize(
    ("health", "expected"),
    [
        pytest.param({"TargetHealthDescriptions": []}, {OFFICE}, id="all of them"),
        pytest.param(DENIED, {OFFICE, "0.0.0.0/0"}, id="one not"),
    ],
)
def test_where_its_targets_cannot_be_read_every_listener_counts(
    endpoint: Endpoint, health: Any, expected: set[str]
) -> None:
    """More may be let in than in truth, never less."""
    target = {"TargetHealthDescriptions": [{"Target": {"Id": "i-1", "Port": 80}}]}
    balanced(
        endpoint,
        DescribeNetworkInterfaces=INTERFACE,
        DescribeListeners={
            "Listeners": [{"ListenerArn": str(port), "Port": port, "Protocol": "HTTPS"} for port in (443, 8443)]
        },
        DescribeTargetGroups={"TargetGroups": [GROUP | {"TargetGroupArn": port} for port in ("443", "8443")]},
        DescribeTargetHealth=lambda form: target if form["TargetGroupArn"] == "443" else health,
        DescribeRules=lambda form: {"Rules": [{"Actions": [{"TargetGroupArn": form["ListenerArn"]}]}]},
    )
    [found] = looked_up(reported(server("i-1"), 80))
    assert {source for one in found.exposures for source in one.sources} == expected


@pytest.mark.parametrize("others", [(), (OFFICE,)])
def test_of_a_group_nobody_can_tell_where_in_it_the_balancer_sends(cloud: Cloud, others: tuple[str, ...]) -> None:
    """Target groups have what is in it, and not the group; so whoever the balancer lets in may reach it."""
    front = cloud.group(tcp(443, "0.0.0.0/0"))
    group = cloud.group(tcp(80, front, *others))
    balancer = cloud.balancer(front)
    cloud.listen(balancer, 443, cloud.instance(group))
    [found] = looked_up(reported(server(group), 80))
    assert {one.sources for one in found.exposures} == {("0.0.0.0/0",), *((other,) for other in others)}
    told = f"tcp 80 may be reached through load balancer {path_name(balancer)}, listening on tcp 443"
    assert problems(found) == [f"{told}: what is in {group} is not looked up"]


@pytest.mark.parametrize(
    ("delegated", "pod"),
    [
        pytest.param({"Ipv4Prefixes": [{"Ipv4Prefix": "10.0.0.208/28"}]}, "10.0.0.210", id="IPv4"),
        pytest.param({"Ipv6Prefixes": [{"Ipv6Prefix": "fd00:db8::/80"}]}, "fd00:0db8::0a1", id="IPv6"),
    ],
)
def test_a_pod_is_on_the_server_to_which_its_addresses_are_delegated(
    endpoint: Endpoint, delegated: dict[str, Any], pod: str
) -> None:
    """On EKS target groups have the addresses of pods, which lie in prefixes of the server's interface."""
    interface = {"Attachment": {"InstanceId": "i-1"}, "Groups": [{"GroupId": OWN}], **delegated}
    balanced(
        endpoint,
        DescribeNetworkInterfaces={"NetworkInterfaces": [interface]},
        DescribeListeners={
            "Listeners": [{"ListenerArn": str(port), "Port": port, "Protocol": "HTTPS"} for port in (443, 8443)]
        },
        DescribeTargetGroups={"TargetGroups": [GROUP | {"TargetGroupArn": port} for port in ("443", "8443")]},
        DescribeTargetHealth=lambda form: {
            "TargetHealthDescriptions": [
                {"Target": {"Id": pod if form["TargetGroupArn"] == "8443" else "192.0.2.1", "Port": 80}}
            ]
        },
        DescribeRules=lambda form: {"Rules": [{"Actions": [{"TargetGroupArn": form["ListenerArn"]}]}]},
    )
    [found] = looked_up(reported(server("i-1"), 80))
    assert {source for one in found.exposures for source in one.sources} == {"0.0.0.0/0"}
