"""The same worlds as AWS tells them, through moto and the whole look-up, with calls that fail at random: no silence."""

import os
import re
from collections.abc import Iterator
from functools import cache
from random import Random
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from moto import mock_aws
from moto.ec2 import utils
from msgspec.structs import replace

from handler import reachability
from handler.aws import Accounts
from handler.finding import Finding
from handler.lookup.inquiry import Inquiry, Place
from tests.lookup.cloud import REGION, reported, server
from tests.reachability.test_oracle import silences
from tests.reachability.worlds import BLOCKS, SERVER, SUBNETS, Front, World, world

ACCOUNT = "123456789012"
WORLDS = int(os.environ.get("PORTCULLIS_MOTO_WORLDS", "100"))
FAILING = (
    "DescribeNetworkInterfaces",
    "DescribeSecurityGroupRules",
    "DescribeManagedPrefixLists",
    "GetManagedPrefixListEntries",
    "DescribeNetworkAcls",
    "DescribeSubnets",
    "DescribeVpcs",
    "DescribeLoadBalancers",
    "DescribeListeners",
    "DescribeRules",
    "DescribeTargetGroups",
    "DescribeTargetHealth",
    "DescribeLoadBalancerAttributes",
    "DescribeTargetGroupAttributes",
    "DescribeVpcEndpointServiceConfigurations",
)
INSTANCES = {SERVER: "", "i-2": "i-0bbbbbbbbbbbbbbb2"}


def of_ipv4(made: World) -> World:
    """Leave out what moto does not have: chosen IPv6 blocks, accelerators, enforcement, pairs of zones."""
    nics = [
        replace(nic, addresses=tuple(address for address in nic.addresses if ":" not in address))
        for nic in made.nics
        if not nic.accelerator
    ]
    fronts = [replace(front, address_type="ipv4", enforced=True) for front in made.fronts]
    targets = {
        arn: replace(group, family=4, targets=[one for one in group.targets if not re.match("[0-9a-f]+:.*:", one[0])])
        for arn, group in made.targets.items()
    }
    lists = {name: tuple(one for one in own if ":" not in one) or ("10.9.0.0/16",) for name, own in made.lists.items()}
    return replace(made, nics=nics, fronts=fronts, targets=targets, lists=lists)


class Aws:
    """A world in moto, and the names that things of it have there."""

    def __init__(self, made: World) -> None:
        self.made = made
        self.names: dict[str, str] = {}
        self.ec2, self.elb, self.classic = (_client(service) for service in ("ec2", "elbv2", "elb"))
        self._network()
        self._groups()
        for front in made.fronts:
            self._classic(front) if front.kind == "classic" else self._balancer(front)
        self._interfaces()
        for front in made.fronts:
            self._listeners(front)

    def _network(self) -> None:
        for vpc, blocks in BLOCKS.items():
            own = [block for block in blocks if ":" not in block]
            self.names[vpc] = self.ec2.create_vpc(CidrBlock=own[0])["Vpc"]["VpcId"]
            for block in own[1:]:
                self.ec2.associate_vpc_cidr_block(VpcId=self.names[vpc], CidrBlock=block)
        for subnet, (vpc, zone, blocks) in SUBNETS.items():
            place: dict[str, Any] = {
                "VpcId": self.names[vpc],
                "CidrBlock": blocks[0],
                "AvailabilityZone": f"{REGION}{zone}",
            }
            self.names[subnet] = self.ec2.create_subnet(**place)["Subnet"]["SubnetId"]
        told = self.ec2.describe_network_acls()["NetworkAcls"] if self.made.acls else []
        associations = {one["SubnetId"]: one["NetworkAclAssociationId"] for acl in told for one in acl["Associations"]}
        for subnet, entries in self.made.acls.items():
            acl = self.ec2.create_network_acl(VpcId=self.names[SUBNETS[subnet][0]])["NetworkAcl"]["NetworkAclId"]
            for number, entry in enumerate(entries, start=1):
                cidr = {"CidrBlock" if entry.network.version == 4 else "Ipv6CidrBlock": str(entry.network)}
                ports: Any = (
                    {} if entry.protocol == "-1" else {"PortRange": {"From": entry.from_port, "To": entry.to_port}}
                )
                action = "allow" if entry.allows else "deny"
                known: dict[str, Any] = {
                    "RuleNumber": number,
                    "Protocol": entry.protocol,
                    "RuleAction": action,
                    "Egress": False,
                }
                self.ec2.create_network_acl_entry(NetworkAclId=acl, **known, **cidr, **ports)
            old = associations[self.names[subnet]]
            self.ec2.replace_network_acl_association(AssociationId=old, NetworkAclId=acl)

    def _groups(self) -> None:
        for name, cidrs in self.made.lists.items():
            entries = [{"Cidr": cidr} for cidr in dict.fromkeys(cidrs)]
            listed: dict[str, Any] = {
                "PrefixListName": name,
                "MaxEntries": 9,
                "AddressFamily": "IPv4",
                "Entries": entries,
            }
            self.names[name] = self.ec2.create_managed_prefix_list(**listed)["PrefixList"]["PrefixListId"]
        for group in self.made.rules:
            place = {"GroupName": f"own-{group}", "Description": group, "VpcId": self.names["vpc-1"]}
            self.names[group] = self.ec2.create_security_group(**place)["GroupId"]
        for group, rules in self.made.rules.items():
            permissions: list[dict[str, Any]] = []
            for rule in rules:
                source = self.names.get(rule.source, rule.source)
                permission = self._permission(rule.protocols, (rule.from_port, rule.to_port), source)
                if permission not in permissions:
                    permissions.append(permission)
            if permissions:
                self.ec2.authorize_security_group_ingress(GroupId=self.names[group], IpPermissions=permissions)

    @staticmethod
    def _permission(protocols: tuple[str, ...], ports: tuple[int, int], source: str) -> dict[str, Any]:
        spelled: dict[str, Any] = {"IpProtocol": protocols[0] if len(protocols) == 1 else "-1"}
        spelled |= {"FromPort": ports[0], "ToPort": ports[1]} if len(protocols) == 1 else {}
        if source.startswith("sg-"):
            spelled["UserIdGroupPairs"] = [{"GroupId": source}]
        elif source.startswith("pl-"):
            spelled["PrefixListIds"] = [{"PrefixListId": source}]
        elif ":" in source:
            spelled["Ipv6Ranges"] = [{"CidrIpv6": source}]
        else:
            spelled["IpRanges"] = [{"CidrIp": source}]
        return spelled

    def _interfaces(self) -> None:
        for nic in sorted(self.made.nics, key=lambda nic: not nic.first):
            groups = [self.names[group] for group in nic.groups]
            known = {"SubnetId": self.names[nic.subnet], "PrivateIpAddress": nic.addresses[0]}
            description = f"ELB {self.names[nic.balancer]}" if nic.balancer else ""
            made = self.ec2.create_network_interface(**known, Groups=groups, Description=description)
            own = made["NetworkInterface"]["NetworkInterfaceId"]
            if nic.instance and nic.first:
                attached = [{"NetworkInterfaceId": own, "DeviceIndex": 0}]
                image = {"ImageId": "ami-12c6146b", "MinCount": 1, "MaxCount": 1}
                told = self.ec2.run_instances(**image, NetworkInterfaces=attached)
                self.names[nic.instance] = told["Instances"][0]["InstanceId"]
            elif nic.instance:
                place = {"InstanceId": self.names[nic.instance], "DeviceIndex": 1}
                self.ec2.attach_network_interface(NetworkInterfaceId=own, **place)

    def _balancer(self, front: Front) -> None:
        groups = [self.names[group] for group in front.groups]
        known: dict[str, Any] = {"Subnets": [self.names[subnet] for subnet in front.subnets], "Type": front.kind}
        known |= {"SecurityGroups": groups, "Scheme": "internal" if front.internal else "internet-facing"}
        name = front.name.split("/")[1]
        arn = self.elb.create_load_balancer(Name=name, **known)["LoadBalancers"][0]["LoadBalancerArn"]
        self.names |= {front.arn: arn, front.name: arn.partition(":loadbalancer/")[2]}
        if front.kind == "network":
            attributes = [{"Key": "load_balancing.cross_zone.enabled", "Value": front.cross or "false"}]
            self.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=attributes)
        if front.service:
            self.ec2.create_vpc_endpoint_service_configuration(NetworkLoadBalancerArns=[arn])

    def _classic(self, front: Front) -> None:
        self.names[front.name] = front.name
        [(_, port, _)] = front.listeners
        listener = {"Protocol": "tcp", "LoadBalancerPort": port, "InstancePort": front.sends_to[1]}
        known: dict[str, Any] = {"Subnets": [self.names[subnet] for subnet in front.subnets]}
        known |= {"SecurityGroups": [self.names[group] for group in front.groups]}
        known |= {"Scheme": "internal"} if front.internal else {}
        self.classic.create_load_balancer(LoadBalancerName=front.name, Listeners=[listener], **known)

    def _listeners(self, front: Front) -> None:
        if front.kind == "classic":
            target = self.names.get(front.sends_to[0], INSTANCES["i-2"])
            servers = [{"InstanceId": target}]
            self.classic.register_instances_with_load_balancer(LoadBalancerName=front.name, Instances=servers)
            return
        for protocol, port, arns in front.listeners:
            for arn in arns:
                group = self._group(arn)
                action = {"Type": "forward", "TargetGroupArn": group}
                known = {"LoadBalancerArn": self.names[front.arn], "Protocol": protocol, "Port": port}
                self.elb.create_listener(**known, DefaultActions=[action])

    def _group(self, arn: str) -> str:
        group = self.made.targets[arn]
        known: dict[str, Any] = {
            "Protocol": group.protocol,
            "Port": 80,
            "VpcId": self.names["vpc-1"],
            "TargetType": group.kind,
        }
        made = self.elb.create_target_group(Name=f"group-{arn.rpartition('/')[2]}", **known)
        own: str = made["TargetGroups"][0]["TargetGroupArn"]
        targets = [{"Id": self.names.get(id_, INSTANCES.get(id_, id_)), "Port": port} for id_, port in group.targets]
        if targets:
            self.elb.register_targets(TargetGroupArn=own, Targets=targets)
        values = {"preserve_client_ip.enabled": group.preserve, "load_balancing.cross_zone.enabled": group.cross}
        attributes = [{"Key": key, "Value": value} for key, value in values.items() if value]
        if attributes:
            self.elb.modify_target_group_attributes(TargetGroupArn=own, Attributes=attributes)
        return own

    def look_up(self, accounts: "Denying", failing: str | None) -> Finding:
        """Return what the whole look-up says of the server, with the names of the world."""
        accounts.failing = failing
        own = server(self.names[SERVER], account=ACCOUNT)
        finding = reported(own, (self.made.protocol, self.made.low, self.made.high))
        [found] = reachability.look_up([finding], Inquiry(accounts).of(Place(own.account, own.region)))
        world_names = {own: name for name, own in self.names.items()}
        exposures = tuple(
            replace(one, sources=tuple(world_names.get(source, source) for source in one.sources))
            for one in found.exposures
        )
        return replace(found, exposures=exposures)


class Denying(Accounts):
    """Clients of which one action is denied, and what else was answered in a world is answered again.

    `answers` are those of this world, by action and request.
    """

    failing: str | None = None

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[tuple[str, str], Any] = {}

    def _make(self, service: str, region: str, keys: dict[str, str]) -> Any:
        made = super()._make(service, region, keys)
        made.meta.events.register("before-call", self._answer)
        made.meta.events.register("after-call", self._keep)
        return made

    def _answer(self, model: Any, params: Any, context: Any, **_: Any) -> Any:
        """Answer in AWS's place."""
        if model.name == self.failing:
            denied = {"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {}}
            return SimpleNamespace(status_code=403, headers={}), denied
        context["request"] = model.name, repr(params["body"])
        return self.answers.get(context["request"])

    def _keep(self, http_response: Any, parsed: Any, context: Any, **_: Any) -> None:
        if "request" in context:
            self.answers[context["request"]] = http_response, parsed


@cache
def _client(service: str) -> Any:
    """Make a client once, and one that neither signs requests nor validates them: moto asks for neither."""
    make: Any = boto3.client
    return make(service, region_name=REGION, config=Config(signature_version=UNSIGNED, parameter_validation=False))


@pytest.fixture
def filters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mend moto's filters: one that is compared with a list matches if any value is in it, as in EC2."""
    matches = utils.is_filter_matching

    def mended(item: Any, name: str, wanted: Any) -> bool:
        value = item.get_filter_value(name)
        return bool(set(value) & set(wanted)) if isinstance(value, list) else matches(item, name, wanted)

    monkeypatch.setattr(utils, "is_filter_matching", mended)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)


def made_worlds(count: int) -> Iterator[tuple[int, World, Random]]:
    """Yield worlds, each with what else is random about it."""
    for seed in range(count):
        random = Random(seed)  # noqa: S311  worlds are no secret
        yield seed, of_ipv4(world(random)), random


@pytest.mark.usefixtures("filters")
def test_nobody_is_left_out_whatever_fails() -> None:
    """Neither where AWS tells everything, nor where it denies one action."""
    accounts = Denying()
    for seed, made, random in made_worlds(WORLDS):
        with mock_aws():
            aws = Aws(made)
            accounts.answers.clear()
            for failing in (None, random.choice(FAILING), random.choice(FAILING)):
                found = aws.look_up(accounts, failing)
                assert list(silences(made, found)) == [], f"world {seed} without {failing}"
