"""What an instance is called, and how it is tagged.

Shape: EC2 API reference, `DescribeInstances`. A terminated instance stays in the answer for about an hour, then it is
gone; a filter does not fail for one that is not there.
"""

from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from handler.finding import Finding, Server
from handler.lookup.inquiry import Answers, Inquiry, Place, place_of
from handler.lookup.notes import clock, noted

_ENDED = {"shutting-down", "terminated"}


def where_missing(findings: list[Finding], inquiry: Inquiry) -> list[Finding]:
    """Look up the instances whose report has no tags."""
    return _looked_up(findings, inquiry, [not finding.server.tags_known for finding in findings])


def of_all(findings: list[Finding], inquiry: Inquiry) -> list[Finding]:
    """Look up every instance: what a report says of its tags may be old."""
    return _looked_up(findings, inquiry, [True] * len(findings))


def _looked_up(findings: list[Finding], inquiry: Inquiry, wanted: list[bool]) -> list[Finding]:
    """Look up the wanted ones that are instances."""
    wanted = [want and finding.server.kind == "instance" for finding, want in zip(findings, wanted, strict=True)]
    places: dict[Place, set[str]] = {}
    for finding, want in zip(findings, wanted, strict=True):
        if want:
            places.setdefault(place_of(finding.server), set()).add(finding.server.id)
    told = {
        place: inquiry.ask_of_each(place, "describe_instances", "Reservations", "instance-id", instances)
        for place, instances in places.items()
    }
    known = {place: _by_id(answers) for place, answers in told.items()}
    return [
        _tagged(finding, known[place_of(finding.server)], told[place_of(finding.server)].unread, clock(inquiry.at))
        if want
        else finding
        for finding, want in zip(findings, wanted, strict=True)
    ]


def _by_id(answers: Answers) -> dict[str, dict[str, Any]]:
    """Give the instances of all reservations by their id."""
    instances = (instance for reservation in answers.items for instance in reservation.get("Instances", []))
    return {instance.get("InstanceId", ""): instance for instance in instances}


def _tagged(finding: Finding, known: dict[str, dict[str, Any]], unread: dict[str, str], at: str) -> Finding:
    """Put what AWS says of an instance into its finding, or why it says nothing."""
    server = finding.server
    kept = "its tags are the report's" if server.tags_known else "its tags are unknown"
    told = known.get(server.id)
    if told is None and server.id in unread:
        return noted(finding, [f"{unread[server.id]}: {kept}"])
    if told is None:
        return noted(finding, [f"{server.id} was not there at {at}: {kept}"])
    state = told.get("State", {}).get("Name", "")
    notes = [f"{server.id} was {state} at {at}: decided with what is known"] if state in _ENDED else []
    return noted(replace(finding, server=_server(server, told)), [*notes, f"tags of {server.id} read at {at}"])


def _server(server: Server, told: dict[str, Any]) -> Server:
    """Give what AWS knows of a server; what it does not say stays as the report has it."""
    tags = {tag["Key"]: tag.get("Value", "") for tag in told.get("Tags", []) if "Key" in tag}
    groups = [
        group["GroupId"]
        for holder in (told, *told.get("NetworkInterfaces", []))
        for group in holder.get("SecurityGroups", holder.get("Groups", []))
        if "GroupId" in group
    ]
    known = {
        "vpc": told.get("VpcId"),
        "subnet": told.get("SubnetId"),
        "platform": (told.get("PlatformDetails") or told.get("Platform")) if server.platform is UNSET else None,
    }
    return replace(
        server,
        name=tags.get("Name") or UNSET,
        tags=tags,
        tags_known=True,
        security_groups=tuple(dict.fromkeys((*server.security_groups, *groups))),
        **{field: value for field, value in known.items() if value},
    )
