"""Of load balancers that stand in front of others each counts with what of it leads there."""

from typing import Any

from tests.lookup.cloud import OFFICE, Cloud, looked_up, opens, reported, server, sources, tcp
from tests.lookup.endpoint import DENIED, Endpoint

PLACE = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:"
OWN, INNER, OUTER = "sg-0aaaaaaaaaaaaaaa1", "sg-0bbbbbbbbbbbbbbb2", "sg-0ccccccccccccccc3"


def rule(number: int, group: str, port: int, source: str) -> dict[str, Any]:
    """Give a rule of one TCP port as AWS tells it."""
    spelled: dict[str, Any] = {"CidrIpv6" if ":" in source else "CidrIpv4": source}
    if source.startswith("sg-"):
        spelled = {"ReferencedGroupInfo": {"GroupId": source}}
    known = {"SecurityGroupRuleId": f"sgr-{number}", "GroupId": group, "IpProtocol": "tcp"}
    return known | {"FromPort": port, "ToPort": port} | spelled


def balanced(
    endpoint: Endpoint,
    rules: list[dict[str, Any]],
    balancers: dict[str, tuple[str, tuple[int, ...]]],
    forwards: dict[tuple[str, int], tuple[str, int]],
) -> None:
    """Let load balancers have a group and ports each, of which some forward to an id and a port there.

    The server is i-1, in the group OWN.
    """
    interface = {"NetworkInterfaceId": "eni-1", "Attachment": {"InstanceId": "i-1"}, "Groups": [{"GroupId": OWN}]}
    groups = [
        {"TargetGroupArn": f"{name}:{port}", "LoadBalancerArns": [PLACE + name]}
        | {"TargetType": "instance" if target.startswith("i-") else "alb" if target.startswith("arn") else "ip"}
        for (name, port), (target, _) in forwards.items()
    ]
    targets = {f"{name}:{port}": {"Id": told, "Port": to} for (name, port), (told, to) in forwards.items()}

    def rules_of(form: dict[str, str]) -> dict[str, Any]:
        asked = {value for key, value in form.items() if key.startswith("Filter.1.Value")}
        return {"SecurityGroupRules": [one for one in rules if one["GroupId"] in asked]}

    def listeners(form: dict[str, str]) -> dict[str, Any]:
        name = form["LoadBalancerArn"].removeprefix(PLACE)
        told = [
            {"ListenerArn": f"{name}:{port}", "Port": port, "Protocol": "TCP"}
            | {"DefaultActions": [{"TargetGroupArn": f"{name}:{port}"}]}
            for port in balancers[name][1]
        ]
        return {"Listeners": told}

    current = [{"LoadBalancerArn": PLACE + name, "SecurityGroups": [group]} for name, (group, _) in balancers.items()]
    endpoint.tells |= {
        "DescribeSecurityGroupRules": rules_of,
        "DescribeNetworkInterfaces": lambda form: (
            {"NetworkInterfaces": [interface]} if form["Filter.1.Name"] == "attachment.instance-id" else {}
        ),
        "DescribeLoadBalancers": lambda form: {"LoadBalancers": current} if form["Version"] == "2015-12-01" else {},
        "DescribeListeners": listeners,
        "DescribeVpcs": {},
        "DescribeVpcEndpointServiceConfigurations": {},
        "DescribeTargetGroupAttributes": {},
        "DescribeLoadBalancerAttributes": {},
        "DescribeTargetGroups": {"TargetGroups": groups},
        "DescribeTargetHealth": lambda form: {
            "TargetHealthDescriptions": [{"Target": targets[form["TargetGroupArn"]]}]
        },
        "DescribeRules": lambda form: {"Rules": [{"Actions": [{"TargetGroupArn": form["ListenerArn"]}]}]},
    }


def test_only_the_listener_of_the_outer_one_that_leads_there_counts(endpoint: Endpoint) -> None:
    """One leads to the inner one, the other to the server itself."""
    outer, inner = "loadbalancer/net/outer/50dc", "loadbalancer/app/inner/50dc"
    rules = [
        rule(1, OWN, 8080, INNER),
        rule(2, OWN, 8080, OUTER),
        rule(3, INNER, 80, OUTER),
        rule(4, OUTER, 443, "0.0.0.0/0"),
        rule(5, OUTER, 8443, OFFICE),
    ]
    balanced(
        endpoint,
        rules,
        {outer: (OUTER, (443, 8443)), inner: (INNER, (80,))},
        {(outer, 443): (PLACE + inner, 80), (outer, 8443): ("i-1", 8080), (inner, 80): ("i-1", 8080)},
    )
    [found] = looked_up(reported(server("i-1"), 8080))
    assert {(one.sources, one.load_balancer) for one in found.exposures} == {
        (("0.0.0.0/0",), "app/inner/50dc"),
        ((OFFICE,), "net/outer/50dc"),
    }


def test_what_cannot_be_read_of_the_outer_one_lets_anybody_in(endpoint: Endpoint) -> None:
    """Whoever else is let in to the inner one does not tell who comes through the outer one."""
    outer, inner = "loadbalancer/net/outer/50dc", "loadbalancer/app/inner/50dc"
    rules = [rule(1, OWN, 8080, INNER), rule(2, INNER, 80, OUTER), rule(3, INNER, 80, OFFICE)]
    forwards = {(outer, 443): (PLACE + inner, 80), (inner, 80): ("i-1", 8080)}
    balanced(endpoint, rules, {outer: (OUTER, (443,)), inner: (INNER, (80,))}, forwards)
    every: Any = endpoint.tells["DescribeListeners"]
    endpoint.tells["DescribeListeners"] = lambda form: DENIED if "outer" in form["LoadBalancerArn"] else every(form)
    [found] = looked_up(reported(server("i-1"), 8080))
    assert {one.sources for one in found.exposures} == {(OFFICE,), ("unknown",)}


def test_many_in_a_group_that_lets_itself_in_are_followed_once_each(endpoint: Endpoint) -> None:
    """Each may stand in front of each of the others, as in the default group of a VPC."""
    names = [f"loadbalancer/app/web-{number}/50dc" for number in range(12)]
    rules = [rule(1, OWN, 443, OWN), rule(2, OWN, 8080, OWN), rule(3, OWN, 443, OFFICE)]
    balanced(
        endpoint,
        rules,
        dict.fromkeys(names, (OWN, (443,))),
        {(name, 443): ("i-1", 8080) for name in names},
    )
    [found] = looked_up(reported(server("i-1"), 8080))
    assert sources(found) == {("tcp 8080-8080", "sgr-3"): {OFFICE}}
    assert {one.load_balancer for one in found.exposures} == {name.removeprefix("loadbalancer/") for name in names}
    assert len(found.notes) == len(names) + 1


def test_one_that_lets_nobody_in_adds_nobody_to_the_clients_of_another(cloud: Cloud) -> None:
    """An internal load balancer shares the group of a public one, and the group lets itself in."""
    front = cloud.group(tcp(443, OFFICE))
    cloud.open(front, opens("-1", None, None, front))
    instance = cloud.instance(cloud.group(tcp(8080, front)))
    cloud.listen(cloud.balancer(front, name="public"), 443, instance, 8080)
    cloud.listen(cloud.balancer(front, name="internal"), 80)
    [found] = looked_up(reported(server(instance), 8080))
    assert {one.sources for one in found.exposures} == {(OFFICE,), (front,)}


def test_where_no_one_on_the_way_lets_anybody_in_it_stays_unknown(cloud: Cloud) -> None:
    """The scanner came through them, so what their rules say now is not the whole truth."""
    outer = cloud.group()
    inner = cloud.group(tcp(80, outer))
    instance = cloud.instance(cloud.group(tcp(8080, inner)))
    cloud.listen(cloud.balancer(inner, name="inner"), 80, instance, 8080)
    cloud.listen(cloud.balancer(outer, name="outer"), 443)
    [found] = looked_up(reported(server(instance), 8080))
    assert {one.sources for one in found.exposures} == {("unknown",)}
