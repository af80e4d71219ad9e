"""The heaviest batches that Lambda can carry: many findings in few records, large findings, and many records."""

import json
from collections.abc import Iterator
from random import Random
from typing import Any

from bench import generate

Json = dict[str, Any]

PAYLOAD = 6 * 2**20
"""The most bytes of one invocation."""


def batch(bodies: list[Json], first: int = 0) -> Json:
    """Return an SQS batch; its messages are numbered from `first`."""
    return {
        "Records": [
            {"messageId": f"message-{number}", "eventSource": "aws:sqs", "body": json.dumps(body, ensure_ascii=False)}
            for number, body in enumerate(bodies, start=first)
        ]
    }


def largest() -> Iterator[tuple[str, Json, int]]:
    """Give each with its name and the number of its findings."""
    yield "200 groups of 60 rules", batch([group(number, 60, {}) for number in range(200)]), 200 * 60
    tags = {f"tag-{number}": "\U0001f6aa" * 256 for number in range(50)}
    yield "10 groups of 200 rules and 51 KB of tags", batch([group(number, 200, tags) for number in range(10)]), 2000
    random = Random(generate.SEED)  # noqa: S311  the same numbers in every run
    events = [event.event for event in generate.events(4000, generate.allowances(9, random), 1.0, random)]
    kept = _fitting(events)
    yield f"{kept} events in {PAYLOAD} bytes", batch(events[:kept]), kept


def group(number: int, rules: int, tags: dict[str, str]) -> Json:
    """Return Security Hub's event about a security group that opens so many ports to everybody."""
    name = f"sg-{number:017x}"
    arn = f"arn:aws:ec2:eu-west-1:{generate.ACCOUNT}:security-group/{name}"
    permissions = [
        {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        for port in range(3000, 3000 + 2 * rules, 2)
    ]
    finding = {
        "ProductArn": "arn:aws:securityhub:eu-west-1::product/aws/securityhub",
        "AwsAccountId": generate.ACCOUNT,
        "Id": f"arn:aws:securityhub:eu-west-1:{generate.ACCOUNT}:finding/{number}",
        "GeneratorId": "security-control/EC2.19",
        "Compliance": {"Status": "FAILED", "SecurityControlId": "EC2.19"},
        "RecordState": "ACTIVE",
        "Workflow": {"Status": "NEW"},
        "UpdatedAt": generate.NOW,
        "Resources": [
            {
                "Type": "AwsEc2SecurityGroup",
                "Id": arn,
                "Region": "eu-west-1",
                "Tags": {"Name": f"group-{number}", **tags},
                "Details": {"AwsEc2SecurityGroup": {"GroupName": name, "GroupId": name, "IpPermissions": permissions}},
            }
        ],
    }
    return {
        "source": "aws.securityhub",
        "detail-type": "Security Hub Findings - Imported",
        "account": generate.ACCOUNT,
        "region": "eu-west-1",
        "detail": {"findings": [finding]},
    }


def _fitting(events: list[Json]) -> int:
    """Return how many of the events fit into one invocation."""
    size, kept = len('{"Records": []}'), 0
    for record in batch(events)["Records"]:
        size += len(json.dumps(record)) + 2
        if size > PAYLOAD:
            break
        kept += 1
    return kept
