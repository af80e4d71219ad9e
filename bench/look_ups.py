"""An AWS on 127.0.0.1 with many target groups, and what looking findings up there takes."""

import os
import subprocess
import sys
import time
from typing import Any

from handler.aws import Accounts
from handler.finding import UNKNOWN
from handler.folding import Folded
from handler.lookup import ask_until
from handler.lookup.findings import look_up
from handler.settings import LookUps
from tests.lookup.cloud import reported, server
from tests.lookup.endpoint import Endpoint

GROUPS = 10
SECONDS = 0.05
"""How long AWS takes to answer each call."""
TIMEOUT = 30.0
"""Seconds of the function."""
FRONT = "sg-0ffffffffffffffff"
ARN = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:"
BALANCER = f"{ARN}loadbalancer/app/web/50dc6c495c0c9188"


def measure(findings: int, target_groups: int) -> tuple[int, float, int]:
    """Look findings up on servers behind as many target groups; return calls, milliseconds and how many end unknown."""
    command = [sys.executable, "-m", "bench.look_ups", str(findings), str(target_groups)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as aws:
        keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "eu-west-1"}
        os.environ |= {**keys, "AWS_ENDPOINT_URL": aws.stdout.readline().strip() if aws.stdout else ""}
        reports = [reported(server(_instance(number)), 8080) for number in range(findings)]
        folded = [Folded(records=(str(number),), report=report) for number, report in enumerate(reports)]
        settings = LookUps(look_up_sources=True, look_up_tags="missing")
        start = time.monotonic()
        found: Any = [one.report for one in look_up(folded, settings, Accounts(), ask_until(start + TIMEOUT))]
        took = 1000 * (time.monotonic() - start)
        del os.environ["AWS_ENDPOINT_URL"]
        unknown = sum(any(UNKNOWN in exposure.sources for exposure in one.exposures) for one in found)
        calls, _ = aws.communicate()
    return int(calls), took, unknown


def serve(findings: int, target_groups: int) -> None:
    """Answer as such an AWS until standard input ends; print its address, and at last how often it was asked."""
    with Endpoint() as aws:
        aws.tells |= {action: _later(answer) for action, answer in _answers(findings, target_groups).items()}
        print(aws.url, flush=True)
        sys.stdin.read()
    print(len(aws.asked))


def _later(answer: Any) -> Any:
    def tell(form: dict[str, Any]) -> Any:
        time.sleep(SECONDS)
        return answer(form) if callable(answer) else answer

    return tell


def _instance(number: int) -> str:
    return f"i-{number:017x}"


def _group(number: int) -> str:
    return f"sg-{number % GROUPS:017x}"


def _answers(findings: int, target_groups: int) -> dict[str, Any]:
    """Give what AWS says: servers in ten groups that let in a load balancer, which forwards to all target groups."""
    arns = [f"{ARN}targetgroup/web/{number}" for number in range(target_groups)]
    known = {"TargetType": "instance", "Protocol": "HTTP", "VpcId": "vpc-1", "LoadBalancerArns": [BALANCER]}
    rules = [_rule(_group(number), 8080, {"ReferencedGroupInfo": {"GroupId": FRONT}}) for number in range(GROUPS)]
    rules.append(_rule(FRONT, 443, {"CidrIpv4": "203.0.113.0/24"}))
    interfaces = [_interface(number) for number in range(findings)]

    def asked(form: dict[str, Any]) -> set[str]:
        return {value for key, value in form.items() if key.startswith("Filter.1.Value")}

    def attached(form: dict[str, Any]) -> dict[str, Any]:
        wanted, name = asked(form), form["Filter.1.Name"]
        by_instance = [one for one in interfaces if one["Attachment"]["InstanceId"] in wanted]
        by_group = [one for one in interfaces if one["Groups"][0]["GroupId"] in wanted]
        return {"NetworkInterfaces": by_instance if name == "attachment.instance-id" else by_group}

    def health(form: dict[str, Any]) -> dict[str, Any]:
        number = int(form["TargetGroupArn"].rpartition("/")[2])
        targets = [_instance(one) for one in range(number, findings, target_groups)]
        return {"TargetHealthDescriptions": [{"Target": {"Id": target, "Port": 8080}} for target in targets]}

    balancer = {"LoadBalancerArn": BALANCER, "SecurityGroups": [FRONT], "VpcId": "vpc-1", "IpAddressType": "ipv4"}
    return {
        "DescribeInstances": {},
        "DescribeNetworkInterfaces": attached,
        "DescribeSecurityGroupRules": lambda form: {
            "SecurityGroupRules": [one for one in rules if one["GroupId"] in asked(form)]
        },
        "DescribeNetworkAcls": {"NetworkAcls": [_ACL]},
        "DescribeVpcs": {"Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16"}]},
        "DescribeSubnets": {"Subnets": [{"SubnetId": "subnet-1", "CidrBlock": "10.0.0.0/18"}]},
        "DescribeLoadBalancers": lambda form: {"LoadBalancers": [balancer]} if form["Version"] == "2015-12-01" else {},
        "DescribeTargetGroups": {"TargetGroups": [known | {"TargetGroupArn": arn} for arn in arns]},
        "DescribeTargetHealth": health,
        "DescribeListeners": {"Listeners": [{"ListenerArn": "listener", "Port": 443, "Protocol": "HTTPS"}]},
    }


_EVERYBODY = {"RuleNumber": 100, "Protocol": "-1", "RuleAction": "allow", "Egress": False, "CidrBlock": "0.0.0.0/0"}
_ACL = {"NetworkAclId": "acl-1", "Associations": [{"SubnetId": "subnet-1"}], "Entries": [_EVERYBODY]}


def _rule(group: str, port: int, source: dict[str, Any]) -> dict[str, Any]:
    known = {"SecurityGroupRuleId": f"sgr-{group[3:]}", "GroupId": group, "IpProtocol": "tcp"}
    return known | {"FromPort": port, "ToPort": port} | source


def _interface(number: int) -> dict[str, Any]:
    return {
        "NetworkInterfaceId": f"eni-{number:017x}",
        "Attachment": {"InstanceId": _instance(number), "DeviceIndex": 0},
        "Groups": [{"GroupId": _group(number)}],
        "SubnetId": "subnet-1",
        "VpcId": "vpc-1",
        "PrivateIpAddresses": [{"PrivateIpAddress": f"10.0.{number // 250}.{number % 250}"}],
    }


if __name__ == "__main__":
    serve(*map(int, sys.argv[1:]))
