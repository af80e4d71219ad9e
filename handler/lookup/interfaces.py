"""Network interfaces: which groups and which subnet each is in, and whose it is.

Shape: EC2 API reference, `DescribeNetworkInterfaces`. An interface that AWS manages has no instance; its description
says what it belongs to.
"""

import re
from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from handler.lookup.inquiry import Answers, Inquiry, Place, Read

_BY_DESCRIPTION = (
    (re.compile(r"ELB (?P<name>\S+)"), "load balancer {name}"),
    (re.compile(r"RDSNetworkInterface"), "a database (RDS)"),
    (re.compile(r"arn:[^:]+:ecs:.*:attachment/.*"), "a container task with an interface of its own (Fargate)"),
    (re.compile(r"AWS Lambda VPC ENI-(?P<name>.+)-[0-9a-f-]{36}"), "Lambda function {name}"),
    (re.compile(r"ElastiCache (?P<name>.+)"), "ElastiCache {name}"),
    (re.compile(r"EFS mount target for (?P<name>\S+).*"), "file system {name}"),
)
"""What AWS's services write into the description of their interfaces, and how a note names them."""


CLOUDFRONT = "CloudFront-VPCOrigins-Service-SG"
"""The group of CloudFront's interfaces (CloudFront developer guide, "Restrict access with VPC origins")."""

ACCELERATOR = "GlobalAccelerator"
"""The group of accelerators' interfaces (Global Accelerator developer guide, "Preserve client IP addresses")."""


class Interface(Struct, frozen=True):
    """A network interface. `owner` names what it belongs to if to no instance; public IPv4 `addresses` are left out.

    A prefix that is delegated to it (on EKS, the addresses of its pods) is an address in CIDR notation. `first` is
    whether targets that are registered by the instance's id get their packets here. `services` are AWS's services that
    forward their own clients through it.
    """

    id: str
    instance: str | None
    groups: tuple[str, ...]
    subnet: str | None = None
    vpc: str | None = None
    addresses: tuple[str, ...] = ()
    owner: str = ""
    zone: str | None = None
    first: bool = True
    services: tuple[str, ...] = ()

    @property
    def balancer(self) -> str | None:
        """The load balancer of which it is a node, named as in a path."""
        return self.owner.partition("load balancer ")[2] or None if self.instance is None else None


def of_instances(inquiry: Inquiry, place: Place, instances: Iterable[str]) -> Read[list[Interface]]:
    """Read the interfaces of instances by instance."""
    answers = _ask(inquiry, place, "attachment.instance-id", instances)
    found: dict[str, list[Interface]] = {}
    for interface in _read(answers):
        if interface.instance:
            found.setdefault(interface.instance, []).append(interface)
    return Read(found, answers.unread)


def of_groups(inquiry: Inquiry, place: Place, groups: Iterable[str]) -> Read[list[Interface]]:
    """Read the interfaces in security groups by group.

    An interface in groups of several questions is in the answers to all of them, and counts once.
    """
    answers = _ask(inquiry, place, "group-id", groups)
    found: dict[str, list[Interface]] = {}
    for interface in dict.fromkeys(_read(answers)):
        for group in interface.groups:
            found.setdefault(group, []).append(interface)
    return Read(found, answers.unread)


def of_load_balancers(inquiry: Inquiry, place: Place) -> Read[list[Interface]]:
    """Read the nodes of all load balancers of a place by the balancer's name, and under "" why these are not all."""
    described = "ELB *"
    answers = _ask(inquiry, place, "description", [described])
    found: dict[str, list[Interface]] = {}
    for interface in _read(answers):
        if interface.balancer:
            found.setdefault(interface.balancer, []).append(interface)
    return Read(found, {"": answers.unread[described]} if described in answers.unread else {})


def of_services(inquiry: Inquiry, place: Place, subnets: Iterable[str]) -> Read[list[Interface]]:
    """Read the interfaces in subnets by which accelerators and CloudFront come in, by subnet."""
    answers = _ask(inquiry, place, "subnet-id", subnets)
    found: dict[str, list[Interface]] = {}
    for interface in _read(answers):
        if interface.services:
            found.setdefault(interface.subnet or "", []).append(interface)
    return Read(found, answers.unread)


def _ask(inquiry: Inquiry, place: Place, name: str, values: Iterable[str]) -> Answers:
    return inquiry.ask_of_each(place, "describe_network_interfaces", "NetworkInterfaces", name, values)


def _read(answers: Answers) -> list[Interface]:
    return [
        Interface(
            id=told.get("NetworkInterfaceId", ""),
            instance=told.get("Attachment", {}).get("InstanceId"),
            groups=tuple(group["GroupId"] for group in told.get("Groups", []) if "GroupId" in group),
            subnet=told.get("SubnetId"),
            vpc=told.get("VpcId"),
            addresses=(
                *(one.get("PrivateIpAddress", "") for one in told.get("PrivateIpAddresses", [])),
                *(one.get("Ipv6Address", "") for one in told.get("Ipv6Addresses", [])),
                *(one.get("Ipv4Prefix", "") for one in told.get("Ipv4Prefixes", [])),
                *(one.get("Ipv6Prefix", "") for one in told.get("Ipv6Prefixes", [])),
            ),
            owner=_owner(told),
            zone=told.get("AvailabilityZone"),
            first=told.get("Attachment", {}).get("DeviceIndex", 0) == 0,
            services=_services(told),
        )
        for told in answers.items
    ]


def _services(told: dict[str, Any]) -> tuple[str, ...]:
    """Name the services whose clients come in through an interface, by its type and the names of its groups."""
    names = {group.get("GroupName") for group in told.get("Groups", [])}
    names |= {ACCELERATOR} if told.get("InterfaceType") == "global_accelerator_managed" else set()
    return tuple(name for name in (ACCELERATOR, CLOUDFRONT) if name in names)


def _owner(told: dict[str, Any]) -> str:
    """Name what an interface belongs to by its description, else by its type."""
    description = told.get("Description", "")
    for pattern, name in _BY_DESCRIPTION:
        if match := pattern.fullmatch(description):
            return name.format(**match.groupdict())
    kind = str(told.get("InterfaceType", "interface")).replace("_", " ")
    return f"{kind} {told.get('NetworkInterfaceId', '')}" + (f' "{description[:60]}"' if description else "")
