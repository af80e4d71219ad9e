"""What an instance is called, and how it is tagged.

Shape: EC2 API reference, `DescribeInstances`. A terminated instance stays in the answer for about an hour, then it is
gone; a filter does not fail for one that is not there.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from handler.finding import TAGS_READ, TAGS_UNREAD, Finding, Server
from handler.lookup.inquiry import Inquiry
from handler.lookup.notes import clock, noted


def look_up(findings: Sequence[Finding], inquiry: Inquiry, *, always: bool) -> list[Finding]:
    """Look up the instances whose report has no tags; `always` every one, since what a report says may be old."""
    wanted = [each.server.kind == "instance" and (always or not each.server.tags_known) for each in findings]
    ids = {finding.server.id for finding, want in zip(findings, wanted, strict=True) if want}
    reservations, unread = inquiry.ask_filtered("describe_instances", "Reservations", "instance-id", ids)
    described = (instance for reservation in reservations for instance in reservation.get("Instances", []))
    instances = {instance.get("InstanceId", ""): instance for instance in described}
    at = clock(inquiry.began)
    return [
        _tagged(finding, instances.get(finding.server.id), unread.get(finding.server.id), at) if want else finding
        for finding, want in zip(findings, wanted, strict=True)
    ]


def _tagged(finding: Finding, instance: dict[str, Any] | None, problem: str | None, at: str) -> Finding:
    """Put what AWS says of an instance into its finding, or why it says nothing."""
    server = finding.server
    if instance is None:
        kept = TAGS_UNREAD[server.tags_known]
        return noted(finding, [f"{problem or f'{server.id} was not there at {at}'}: {kept}"])
    state = instance.get("State", {}).get("Name", "")
    notes = [] if state in {"", "running"} else [f"{server.id} was {state} at {at}: judged as if it ran"]
    return noted(replace(finding, server=_server(server, instance)), [*notes, TAGS_READ.format(server.id, at)])


def _server(server: Server, instance: dict[str, Any]) -> Server:
    """Return a server with what AWS knows of it; what AWS does not say stays as the report has it."""
    tags = {tag["Key"]: tag.get("Value", "") for tag in instance.get("Tags", []) if "Key" in tag}
    platform = instance.get("PlatformDetails") or instance.get("Platform") or UNSET
    return replace(
        server,
        name=tags.get("Name") or UNSET,
        tags=tags,
        tags_known=True,
        security_groups=tuple(dict.fromkeys((*server.security_groups, *_groups(instance)))),
        vpc=instance.get("VpcId") or server.vpc,
        subnet=instance.get("SubnetId") or server.subnet,
        platform=platform if server.platform is UNSET else server.platform,
    )


def _groups(instance: dict[str, Any]) -> list[str]:
    """Return the security groups of an instance and of all its interfaces."""
    attached = [group for interface in instance.get("NetworkInterfaces", []) for group in interface.get("Groups", [])]
    return [group["GroupId"] for group in (*instance.get("SecurityGroups", []), *attached) if "GroupId" in group]
