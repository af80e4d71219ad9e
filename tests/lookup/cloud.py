"""What the tests make in moto's AWS, and the findings that they look up there."""

from functools import cache
from itertools import count
from typing import Any

import boto3
import botocore.session

from handler.aws import Accounts
from handler.finding import UNKNOWN, Exposure, Finding, Reporter, Server, identity
from handler.folding import Folded
from handler.lookup import ask_until
from handler.lookup.findings import look_up
from handler.settings import LookUps

ACCOUNT = "111122223333"
OTHER_ACCOUNT = "444455556666"
REGION = "eu-west-1"
ANYWHERE = ("0.0.0.0/0", "::/0")
OFFICE = "203.0.113.0/24"
SOURCES = LookUps(look_up_sources=True)


class Cloud:
    """A VPC with two subnets in an account of moto. `keys` are what boto3 needs to be in that account.

    `url` is that of moto's server, where it is not in this process.
    """

    def __init__(self, url: str | None = None, account: str = ACCOUNT, region: str = REGION) -> None:
        self._place = {"region_name": region, "endpoint_url": url}
        arn = f"arn:aws:iam::{account}:role/test"
        self._clients: dict[str, Any] = {}
        self._numbers = count(1)
        told = _uncounted()("sts", region, endpoint_url=url).assume_role(RoleArn=arn, RoleSessionName="test")
        self.keys = {
            "aws_access_key_id": told["Credentials"]["AccessKeyId"],
            "aws_secret_access_key": told["Credentials"]["SecretAccessKey"],
            "aws_session_token": told["Credentials"]["SessionToken"],
        }
        self.ec2 = self.client("ec2")
        self.vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.subnets = [
            self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{region}{zone}")[
                "Subnet"
            ]["SubnetId"]
            for n, zone in enumerate("ab")
        ]

    def client(self, service: str) -> Any:
        """Give the client of a service, made once."""
        if service not in self._clients:
            self._clients[service] = _uncounted()(service, **self._place, **self.keys)
        return self._clients[service]

    def group(self, *permissions: dict[str, Any]) -> str:
        """Make a security group with these rules; its id."""
        name = f"group-{next(self._numbers)}"
        made = self.ec2.create_security_group(GroupName=name, Description=name, VpcId=self.vpc)
        if permissions:
            self.open(made["GroupId"], *permissions)
        return str(made["GroupId"])

    def open(self, group: str, *permissions: dict[str, Any]) -> None:
        """Add rules to a security group."""
        self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=list(permissions))

    def rules(self, group: str) -> dict[str, str]:
        """Give the ids of a group's ingress rules by their source."""
        told = self.ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
        return {
            rule.get("CidrIpv4")
            or rule.get("CidrIpv6")
            or rule.get("PrefixListId")
            or rule["ReferencedGroupInfo"]["GroupId"]: rule["SecurityGroupRuleId"]
            for rule in told["SecurityGroupRules"]
            if not rule["IsEgress"]
        }

    def instance(self, *groups: str, **tags: str) -> str:
        """Start an instance with one interface in the first subnet; its id."""
        spelled = [{"Key": key, "Value": value} for key, value in tags.items()]
        told = self.ec2.run_instances(
            ImageId="ami-12c6146b",
            MinCount=1,
            MaxCount=1,
            SubnetId=self.subnets[0],
            SecurityGroupIds=list(groups),
            TagSpecifications=[{"ResourceType": "instance", "Tags": spelled}] if tags else [],
        )
        return str(told["Instances"][0]["InstanceId"])

    def interface(self, *groups: str, instance: str = "", description: str = "") -> str:
        """Make another interface in the second subnet, attached to an instance if one is named; its id."""
        made = self.ec2.create_network_interface(
            SubnetId=self.subnets[1], Groups=list(groups), Description=description
        )["NetworkInterface"]["NetworkInterfaceId"]
        if instance:
            self.ec2.attach_network_interface(NetworkInterfaceId=made, InstanceId=instance, DeviceIndex=1)
        return str(made)

    def first_interface(self, instance: str) -> str:
        """Give the id of an instance's first interface."""
        told = self.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
        return str(told["NetworkInterfaces"][0]["NetworkInterfaceId"])

    def prefix_list(self, *cidrs: str) -> str:
        """Make a customer's prefix list; its id."""
        made = self.ec2.create_managed_prefix_list(
            PrefixListName="list",
            MaxEntries=1000,
            AddressFamily="IPv6" if ":" in cidrs[0] else "IPv4",
            Entries=[{"Cidr": cidr} for cidr in cidrs],
        )
        return str(made["PrefixList"]["PrefixListId"])

    def balancer(self, *groups: str, name: str = "web", kind: str = "application") -> str:
        """Make an application or network load balancer; its ARN."""
        made = self.client("elbv2").create_load_balancer(
            Name=name, Subnets=self.subnets, SecurityGroups=list(groups), Type=kind
        )
        return str(made["LoadBalancers"][0]["LoadBalancerArn"])

    def listen(self, balancer: str, port: int, instance: str = "", instance_port: int = 80) -> None:
        """Let a load balancer listen, and send what comes to an instance if one is named, else nowhere."""
        elbv2 = self.client("elbv2")
        group = elbv2.create_target_group(Name=f"target-{port}", Protocol="HTTP", Port=80, VpcId=self.vpc)
        arn = group["TargetGroups"][0]["TargetGroupArn"]
        if instance:
            elbv2.register_targets(TargetGroupArn=arn, Targets=[{"Id": instance, "Port": instance_port}])
        action = {"Type": "forward", "TargetGroupArn": arn}
        elbv2.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=port, DefaultActions=[action])

    def deny(self, *cidrs: str, port: int | None = None) -> str:
        """Let a network ACL of the first subnet keep CIDRs out, from all TCP ports or from one; its id."""
        acl = self.ec2.create_network_acl(VpcId=self.vpc)["NetworkAcl"]["NetworkAclId"]
        ports = {} if port is None else {"PortRange": {"From": port, "To": port}}
        for number, cidr in enumerate((*cidrs, "0.0.0.0/0"), start=1):
            last = number > len(cidrs)
            self.ec2.create_network_acl_entry(
                NetworkAclId=acl,
                RuleNumber=number,
                Egress=False,
                CidrBlock=cidr,
                Protocol="-1" if last else "6",
                RuleAction="allow" if last else "deny",
                **({} if last else ports),
            )
        self._associate(acl)
        return str(acl)

    def let_in(self, *cidrs: str) -> str:
        """Let a network ACL of the first subnet let these CIDRs in and nobody else; its id."""
        acl = self.ec2.create_network_acl(VpcId=self.vpc)["NetworkAcl"]["NetworkAclId"]
        for number, cidr in enumerate(cidrs, start=1):
            self.ec2.create_network_acl_entry(
                NetworkAclId=acl, RuleNumber=number, Egress=False, CidrBlock=cidr, Protocol="6", RuleAction="allow"
            )
        self._associate(acl)
        return str(acl)

    def _associate(self, acl: str) -> None:
        filters = [{"Name": "association.subnet-id", "Values": [self.subnets[0]]}]
        associations = self.ec2.describe_network_acls(Filters=filters)["NetworkAcls"][0]["Associations"]
        [own] = [one for one in associations if one["SubnetId"] == self.subnets[0]]
        self.ec2.replace_network_acl_association(AssociationId=own["NetworkAclAssociationId"], NetworkAclId=acl)


@cache
def _uncounted() -> Any:
    """Return what makes the clients of a session whose requests are not counted."""
    return boto3.Session(botocore_session=botocore.session.get_session()).client


def opens(protocol: str, low: int | None, high: int | None, *sources: str, peer: str = ACCOUNT) -> dict[str, Any]:
    """Give a permission as EC2 takes it; `peer` is the account of the groups among its sources."""
    ports = {} if low is None else {"FromPort": low, "ToPort": high}
    return {
        "IpProtocol": protocol,
        **ports,
        "IpRanges": [{"CidrIp": source} for source in sources if "/" in source and ":" not in source],
        "Ipv6Ranges": [{"CidrIpv6": source} for source in sources if ":" in source],
        "PrefixListIds": [{"PrefixListId": source} for source in sources if source.startswith("pl-")],
        "UserIdGroupPairs": [{"GroupId": source, "UserId": peer} for source in sources if source.startswith("sg-")],
    }


def tcp(port: int, *sources: str) -> dict[str, Any]:
    """Give a permission for one TCP port."""
    return opens("tcp", port, port, *sources)


def server(own: str, /, **fields: Any) -> Server:
    """Give a server of which a report says no more than its id."""
    kind: Any = "security_group" if own.startswith("sg-") else "instance"
    known: dict[str, Any] = {"tags": {}, "tags_known": False, "account": ACCOUNT, "region": REGION}
    return Server(kind=kind, id=own, **(known | fields))


def reported(own: Server, *ports: int | tuple[str, int, int], reach: Any = "internet", **fields: Any) -> Finding:
    """Give the finding of a report that says nothing of sources; `fields` are those of its exposures."""
    spelled: list[tuple[Any, int, int]] = [("tcp", one, one) if isinstance(one, int) else one for one in ports]
    known: dict[str, Any] = {"sources": (UNKNOWN,), **fields}
    exposures = [Exposure(protocol=protocol, from_port=low, to_port=high, **known) for protocol, low, high in spelled]
    report = Reporter(name="inspector2", id=f"arn-{own.id}", updated_at="2026-11-24T05:58:10Z")
    return Finding(
        id=identity(own, reach, set(spelled)),
        reporters=(report,),
        now="2026-11-24T06:12:00Z",
        reach=reach,
        reach_known=True,
        server=own,
        exposures=tuple(exposures),
    )


def looked_up(
    *findings: Finding,
    settings: LookUps = SOURCES,
    accounts: Accounts | None = None,
    deadline: float | None = None,
) -> list[Finding]:
    """Look findings up, as the function does."""
    folded = [Folded(records=(f"record-{number}",), report=finding) for number, finding in enumerate(findings)]
    found = look_up(folded, settings, accounts or Accounts(), ask_until(deadline))
    return [one.report for one in found if isinstance(one.report, Finding)]


def sources(finding: Finding) -> dict[tuple[str, ...], set[str]]:
    """Give the sources of a finding by what they reach: protocol and ports, then the rules that let them in."""
    found: dict[tuple[str, ...], set[str]] = {}
    for exposure in finding.exposures:
        span = f"{exposure.protocol} {exposure.from_port}-{exposure.to_port}"
        found.setdefault((span, *exposure.rules), set()).update(exposure.sources)
    return found


def problems(finding: Finding) -> list[str]:
    """Give what a finding says beyond what was read."""
    return [note for note in finding.notes if " read at 20" not in note]
