"""Network interfaces: which groups and which subnet each is in, and whose it is.

Shape: EC2 API reference, `DescribeNetworkInterfaces`. An interface that AWS manages has no instance.
"""

import re
from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from handler.lookup.inquiry import Inquiry, Read, grouped

_NODE = re.compile(r"ELB (?P<name>\S+)")
_ADDRESSES = (
    ("PrivateIpAddresses", "PrivateIpAddress"),
    ("Ipv6Addresses", "Ipv6Address"),
    ("Ipv4Prefixes", "Ipv4Prefix"),
    ("Ipv6Prefixes", "Ipv6Prefix"),
)

CLOUDFRONT = "CloudFront-VPCOrigins-Service-SG"
"""The group of CloudFront's interfaces (CloudFront developer guide, "Restrict access with VPC origins")."""

ACCELERATOR = "GlobalAccelerator"
"""The group of accelerators' interfaces (Global Accelerator developer guide, "Preserve client IP addresses")."""


class Interface(Struct, frozen=True):
    """A network interface; public IPv4 `addresses` are left out.

    A prefix that is delegated to it (on EKS, the addresses of its pods) is an address in CIDR notation. `owner` is its
    description, in which AWS's services say what it belongs to, `balancer` the name, as in a path, of the load balancer
    of which it is a node. `first` is whether targets that are registered by the instance's id get their packets here.
    `services` are AWS's services that forward their own clients through it.
    """

    id: str
    instance: str | None
    groups: tuple[str, ...]
    subnet: str | None = None
    vpc: str | None = None
    addresses: tuple[str, ...] = ()
    owner: str = ""
    balancer: str | None = None
    zone: str | None = None
    first: bool = True
    services: tuple[str, ...] = ()


def of_instances(inquiry: Inquiry, instances: Iterable[str]) -> Read[list[Interface]]:
    """Read the interfaces of instances by instance."""
    attached, unread = _ask(inquiry, "attachment.instance-id", instances)
    return Read(grouped((each.instance, each) for each in attached if each.instance), unread)


def of_groups(inquiry: Inquiry, groups: Iterable[str]) -> Read[list[Interface]]:
    """Read the interfaces in security groups by group."""
    members, unread = _ask(inquiry, "group-id", groups)
    return Read(grouped((group, member) for member in members for group in member.groups), unread)


def of_load_balancers(inquiry: Inquiry) -> Read[list[Interface]]:
    """Read the nodes of all load balancers by the balancer's name, and under "" why these are not all."""
    described = [{"Name": "description", "Values": ["ELB *"]}]
    answer = inquiry.ask("ec2", "describe_network_interfaces", "NetworkInterfaces", Filters=described)
    return answer.read(grouped((node.balancer, node) for node in map(_read, answer.items) if node.balancer))


def of_services(inquiry: Inquiry, subnets: Iterable[str]) -> Read[list[Interface]]:
    """Read the interfaces in subnets by which accelerators and CloudFront come in, by subnet."""
    attached, unread = _ask(inquiry, "subnet-id", subnets)
    return Read(grouped((each.subnet or "", each) for each in attached if each.services), unread)


def _ask(inquiry: Inquiry, name: str, values: Iterable[str]) -> tuple[list[Interface], dict[str, str]]:
    """Read interfaces by a filter; one that several questions answer counts once."""
    described, unread = inquiry.ask_filtered("describe_network_interfaces", "NetworkInterfaces", name, values)
    return list(dict.fromkeys(map(_read, described))), unread


def _read(item: dict[str, Any]) -> Interface:
    attachment, groups = item.get("Attachment", {}), item.get("Groups", [])
    names = {group.get("GroupName") for group in groups}
    names |= {ACCELERATOR} if item.get("InterfaceType") == "global_accelerator_managed" else set()
    instance = attachment.get("InstanceId")
    node = _NODE.fullmatch(item.get("Description", ""))
    return Interface(
        id=item.get("NetworkInterfaceId", ""),
        instance=instance,
        groups=tuple(group["GroupId"] for group in groups if "GroupId" in group),
        subnet=item.get("SubnetId"),
        vpc=item.get("VpcId"),
        addresses=tuple(address.get(key, "") for field, key in _ADDRESSES for address in item.get(field, [])),
        owner=item.get("Description") or f"{item.get('InterfaceType', 'interface')} {item.get('NetworkInterfaceId')}",
        balancer=node["name"] if node and instance is None else None,
        zone=item.get("AvailabilityZone"),
        first=attachment.get("DeviceIndex", 0) == 0,
        services=tuple(sorted(names & {ACCELERATOR, CLOUDFRONT})),
    )
