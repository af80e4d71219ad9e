"""Amazon GuardDuty: findings of port probes, by event.

Shapes: GuardDuty user guide, "Processing GuardDuty findings with Amazon EventBridge" and "Finding details"; botocore
`guardduty`, `Finding`. A probe shows that the internet reaches a port of an instance: known scanners did. It names
neither the protocol nor who else can; the addresses in it are the scanners'.
"""

from collections.abc import Iterator
from typing import Any

from msgspec import UNSET

from handler.errors import UnreadableError
from handler.finding import UNKNOWN, Ignored, Report, Reporter, Server, Undecidable
from handler.reporters import _fields as fields
from handler.reporters import _opening as opening

NAME = "guardduty"
SOURCE = "aws.guardduty"
TCP_ASSUMED = "GuardDuty does not say the protocol of a probe: judged as tcp"

_FINDING = "GuardDuty Finding"
_NO_FINDINGS = {
    "AWS API Call via CloudTrail": "somebody called GuardDuty",
    "GuardDuty Malware Protection Object Scan Result": "an object was scanned for malware",
    "GuardDuty Malware Protection Post Scan Action Failed": "a scanned object was not tagged",
    "GuardDuty Malware Protection Resource Status Active": "a bucket is protected",
    "GuardDuty Malware Protection Resource Status Error": "a bucket is not protected",
    "GuardDuty Malware Protection Resource Status Warning": "the protection of a bucket needs attention",
}
_OTHER_TYPE = "A GuardDuty finding of another type: it tells of a threat, not of an open port"
_ARCHIVED = "Archived in GuardDuty, by a suppression rule or by hand"


def claims(event: Any) -> bool:
    """Claim GuardDuty's events."""
    return isinstance(event, dict) and event.get("source") == SOURCE


def normalize(event: dict[str, Any], now: str) -> Iterator[Report]:
    """Give a finding for each port that was probed, or what the event is instead."""
    kind = fields.spoken(event.get("detail-type"))
    if kind in _NO_FINDINGS:
        yield Ignored(reporter=NAME, reason=f"{kind} tells that {_NO_FINDINGS[kind]}, not that a port is open")
        return
    try:
        if kind != _FINDING:
            raise fields.refusal(event, "detail-type", "", "on any list of GuardDuty's events")
        yield from _read(fields.mapping(event, "detail", ""), event, now)
    except UnreadableError as error:
        yield _undecidable(event, error)


def _read(detail: dict[str, Any], event: dict[str, Any], now: str) -> list[Report]:
    """Read one finding. Each of its ports is an exposure of its own: others may report some of them."""
    kind = fields.text(detail, "type", "detail.")
    if not is_probe(kind):
        if ":" not in kind or "/" not in kind:
            raise fields.refusal(detail, "type", "detail.", "a type like Recon:EC2/PortProbeUnprotectedPort")
        return [Ignored(reporter=NAME, reason=_OTHER_TYPE)]
    service = fields.mapping(detail, "service", "detail.")
    archived = service.get("archived")
    if archived is True:
        return [_archived(detail, event)]
    if archived is not None and archived is not False:
        raise fields.refusal(service, "archived", "detail.service.", "true or false")
    server, reporter = _server(detail, event), _reporter(detail)
    return [
        opening.finding(
            server,
            reporter,
            now,
            ports=[("tcp", port, port)],
            sources=(UNKNOWN,),
            reach_known=True,
            notes=[TCP_ASSUMED],
        )
        for port in dict.fromkeys(_ports(service))
    ]


def _archived(detail: dict[str, Any], event: dict[str, Any]) -> Report:
    """End what a finding told: that a probe is no longer held against anybody does not close a port."""
    try:
        return opening.closed(_server(detail, event), _reporter(detail), confirmed=False)
    except UnreadableError:
        return Ignored(reporter=NAME, reason=_ARCHIVED)


def is_probe(kind: str) -> bool:
    """Say whether a finding of this type is of a port probe."""
    return "portprobe" in kind.casefold()


def _ports(service: dict[str, Any]) -> Iterator[int]:
    """Read the ports that were probed; one that cannot be read spoils the finding."""
    path = "detail.service.action."
    action = fields.mapping(fields.mapping(service, "action", "detail.service."), "portProbeAction", path)
    path += "portProbeAction."
    for index, probe in enumerate(fields.filled_list(action, "portProbeDetails", path)):
        at = f"{path}portProbeDetails[{index}]."
        local = fields.mapping(fields.entry(probe, at), "localPortDetails", at)
        yield fields.port(local, "port", f"{at}localPortDetails.")


def _server(detail: dict[str, Any], event: dict[str, Any]) -> Server:
    """Read the instance. An administrator of many accounts gets the findings of them all, each with its owner."""
    path = "detail.resource."
    resource = fields.mapping(detail, "resource", "detail.")
    if resource.get("resourceType") != "Instance":
        raise fields.refusal(resource, "resourceType", path, "Instance, so it cannot be judged")
    instance = fields.mapping(resource, "instanceDetails", path)
    path += "instanceDetails."
    tags = fields.pairs(instance, "tags", path)
    interfaces = [fields.loose_object(interface) for interface in fields.loose_list(instance.get("networkInterfaces"))]
    first = interfaces[0] if interfaces else {}
    groups = [
        fields.spoken(fields.loose_object(group).get("groupId"))
        for interface in interfaces
        for group in fields.loose_list(interface.get("securityGroups"))
    ]
    return Server(
        kind="instance",
        id=fields.text(instance, "instanceId", path),
        name=fields.known(tags.get("Name")) if tags else UNSET,
        tags=tags or {},
        tags_known=tags is not None,
        account=fields.text(detail, "accountId", "detail."),
        region=fields.spoken(detail.get("region")) or fields.text(event, "region", ""),
        vpc=fields.known(first.get("vpcId")),
        subnet=fields.known(first.get("subnetId")),
        security_groups=tuple(dict.fromkeys(group for group in groups if group)),
        platform=fields.known(instance.get("platform")),
    )


def _reporter(detail: dict[str, Any]) -> Reporter:
    """Say what GuardDuty says of its own finding. Its severity is a number from 1 to 10."""
    severity = detail.get("severity")
    return Reporter(
        name=NAME,
        id=fields.text(detail, "arn", "detail."),
        severity=str(severity) if type(severity) in {int, float} else None,
        title=fields.spoken(detail.get("title")),
        updated_at=fields.instant(detail.get("updatedAt")),
        first_seen_at=fields.instant(detail.get("createdAt")) or UNSET,
    )


def _undecidable(event: dict[str, Any], error: UnreadableError) -> Undecidable:
    """Say what could not be read, with as much of the rest as can be."""
    detail = fields.loose_object(event.get("detail"))
    instance = fields.loose_object(fields.loose_object(detail.get("resource")).get("instanceDetails"))
    return Undecidable(
        shape=f"{SOURCE} {fields.spoken(event.get('detail-type'))}"[:200],
        field=error.field,
        problem=error.problem,
        raw=event,
        reporter=NAME,
        id=fields.spoken(detail.get("arn")),
        account=fields.spoken(detail.get("accountId")) or fields.spoken(event.get("account")),
        region=fields.spoken(detail.get("region")) or fields.spoken(event.get("region")),
        server=fields.spoken(instance.get("instanceId")),
    )
