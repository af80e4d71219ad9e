"""A security group in moto's EC2, and the commands of a mail run against it as a shell would."""

import json
import shlex
from typing import Any, Literal
from uuid import uuid4

from botocore import xform_name
from botocore.exceptions import ClientError
from msgspec.structs import replace

from handler import alert
from handler.finding import Exposure, Finding
from handler.opa import Opa
from tests.alerts import ENGINE, REGION, SETTINGS, opens, outcomes

Permissions = set[tuple[str, int, int, str]]

PROTOCOLS: dict[str, Literal["tcp", "udp", "all"]] = {"tcp": "tcp", "udp": "udp", "-1": "all"}


class Group:
    """A security group with rules."""

    def __init__(self, ec2: Any) -> None:
        self.ec2 = ec2
        self.id: str = ec2.create_security_group(GroupName=f"web-{uuid4()}", Description="web")["GroupId"]

    def open(self, low: int, high: int, source: str, protocol: str = "tcp") -> Exposure:
        """Add a rule, and give what it exposes."""
        kinds = {
            "sg-": {"UserIdGroupPairs": [{"GroupId": source}]},
            "pl-": {"PrefixListIds": [{"PrefixListId": source}]},
            "444": {"UserIdGroupPairs": [{"UserId": source[:12], "GroupId": source[13:]}]},
        }
        ranges = {"Ipv6Ranges": [{"CidrIpv6": source}]} if ":" in source else {"IpRanges": [{"CidrIp": source}]}
        permission = {"IpProtocol": protocol, "FromPort": low, "ToPort": high, **kinds.get(source[:3], ranges)}
        answer = self.ec2.authorize_security_group_ingress(GroupId=self.id, IpPermissions=[permission])
        rules = (answer["SecurityGroupRules"][0]["SecurityGroupRuleId"],)
        rule = opens(max(low, 0), high % 65536, source, PROTOCOLS[protocol])
        return Exposure(
            protocol="udp" if protocol == "udp" else "tcp",
            from_port=rule.from_port,
            to_port=rule.to_port,
            sources=(source,),
            security_group=self.id,
            rules=rules,
            rule_opens=rule,
        )

    def opened(self) -> Permissions:
        """Give what it opens."""
        group = self.ec2.describe_security_groups(GroupIds=[self.id])["SecurityGroups"][0]
        return {
            (one["IpProtocol"], one.get("FromPort", -1), one.get("ToPort", -1), source)
            for one in group["IpPermissions"]
            for source in [
                *(entry["CidrIp"] for entry in one.get("IpRanges", [])),
                *(entry["CidrIpv6"] for entry in one.get("Ipv6Ranges", [])),
                *(entry["PrefixListId"] for entry in one.get("PrefixListIds", [])),
                *(entry["GroupId"] for entry in one.get("UserIdGroupPairs", [])),
            ]
        }


def run(ec2: Any, gate: Opa, *findings: Finding) -> str:
    """Decide findings and run all commands of the first mail, as its reader would; give the mail."""
    body = mails(gate, *findings)[0]
    assert execute(ec2, body) == []
    return body


def mails(gate: Opa, *findings: Finding) -> list[str]:
    """Decide findings and give the mails."""
    return [message.body for message in alert.messages(outcomes(gate, findings), SETTINGS, ENGINE)]


def execute(ec2: Any, body: str) -> list[str]:
    """Run all commands on EC2 of a mail as a shell does: what AWS refuses stops what hangs on it. Give its answers."""
    refused: list[str] = []
    hangs = skipped = False
    for line in body.replace(" \\\n", " ").splitlines():
        if not line.startswith("aws ec2 "):
            continue
        skipped = skipped and hangs
        if not skipped:
            try:
                call(ec2, shlex.split(line.removesuffix(" &&")))
            except ClientError as error:
                refused.append(error.response["Error"]["Code"])
                skipped = True
        hangs = line.endswith(" &&")
    return refused


def call(ec2: Any, words: list[str]) -> None:
    """Make the call that the AWS CLI would make; unknown commands and options raise."""
    assert words[:2] == ["aws", "ec2"]
    operation = xform_name("".join(part.title() for part in words[2].split("-")))
    arguments: dict[str, list[str]] = {}
    for word in words[3:]:
        if word.startswith("--"):
            option = arguments[word] = []
        else:
            option.append(word)
    assert arguments.pop("--region") == [REGION]
    read: dict[str, Any] = {
        "--group-id": lambda values: {"GroupId": values[0]},
        "--ip-permissions": lambda values: {"IpPermissions": json.loads(values[0])},
        "--security-group-rule-ids": lambda values: {"SecurityGroupRuleIds": values},
        "--instance-ids": lambda values: {"InstanceIds": values},
        "--query": lambda _: {},
        "--filters": lambda values: {"Filters": [filtered(value) for value in values]},
    }
    parameters = [read[option](values) for option, values in arguments.items()]
    getattr(ec2, operation)(**{name: value for parameter in parameters for name, value in parameter.items()})


def part(whole: Exposure, low: int, high: int | None = None, **fields: Any) -> Exposure:
    """Give some ports of what a rule exposes."""
    return replace(whole, from_port=low, to_port=low if high is None else high, **fields)


def flat(body: str) -> str:
    """Give a mail without its line breaks."""
    return " ".join(body.split())


def filtered(text: str) -> dict[str, Any]:
    """Read a filter in the CLI's shorthand."""
    name, values = text.removeprefix("Name=").split(",Values=")
    return {"Name": name, "Values": values.split(",")}
