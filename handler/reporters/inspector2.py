"""Amazon Inspector: network reachability findings, by event, by `list_findings`, or as exported.

Shapes: Inspector user guide, "EventBridge schema for Amazon Inspector events"; botocore `inspector2`, `Finding`. A
finding has one protocol, one port range and one path, and names no source addresses.
"""

from collections.abc import Iterator
from typing import Any

from msgspec import UNSET, Struct

from handler.errors import UnreadableError
from handler.finding import (
    Closed,
    Finding,
    Ignored,
    Protocol,
    Report,
    Reporter,
    Server,
    Undecidable,
    identity,
)
from handler.reporters import _fields as fields
from handler.reporters._network_path import Way, follow

NAME = "inspector2"
SOURCE = "aws.inspector2"

_NO_FINDINGS = {
    "Inspector2 Scan": "Inspector2 Scan tells that a scan is complete, not that a port is open",
    "Inspector2 Coverage": "Inspector2 Coverage tells what is scanned, not that a port is open",
    "AWS API Call via CloudTrail": "AWS API Call via CloudTrail tells that somebody called Inspector",
}
_OTHER_TYPES = {
    "PACKAGE_VULNERABILITY": "PACKAGE_VULNERABILITY is about software, not about an open port",
    "CODE_VULNERABILITY": "CODE_VULNERABILITY is about software, not about an open port",
}
_SUPPRESSED = "SUPPRESSED by a rule in Inspector"
_INSTANCE = "AWS_EC2_INSTANCE"


class _Received(Struct, frozen=True):
    """A finding as it came: where it stands (with a dot), the event around it, and what an alert attaches."""

    shape: str
    path: str
    finding: Any
    around: dict[str, Any]
    raw: Any


class _Opening(Struct, frozen=True):
    """What holds for every resource of a finding."""

    closed: bool
    reporter: Reporter
    account: str
    ports: tuple[Protocol, int, int]
    way: Way


def claims(event: Any) -> bool:
    """Claim Inspector's events, its findings, and pages of them."""
    if not isinstance(event, dict):
        return False
    if "source" in event or "detail-type" in event:
        return bool(event.get("source") == SOURCE)
    findings = event.get("findings")
    if isinstance(findings, list):
        return any(map(_bare, findings)) or (not findings and "failedItems" not in event)
    return _bare(event)


def normalize(event: dict[str, Any], now: str) -> Iterator[Report]:
    """Give a finding, or what it is instead, for each resource of each finding."""
    if event.get("source") == SOURCE:
        yield from _event(event, now)
    elif isinstance(event.get("findings"), list):
        for index, finding in enumerate(event["findings"]):
            yield from _read(_Received("inspector2 list_findings", f"findings[{index}].", finding, {}, finding), now)
    else:
        yield from _read(_Received("inspector2 list_findings", "", event, {}, event), now)


def _bare(finding: Any) -> bool:
    """Say whether this is a finding without an event around it."""
    return isinstance(finding, dict) and ("findingArn" in finding or "networkReachabilityDetails" in finding)


def _event(event: dict[str, Any], now: str) -> Iterator[Report]:
    """Read an event of EventBridge."""
    kind = fields.spoken(event.get("detail-type"))
    if kind == "Inspector2 Finding":
        yield from _read(_Received(f"{SOURCE} {kind}", "detail.", event.get("detail"), event, event), now)
    elif kind in _NO_FINDINGS:
        yield Ignored(reporter=NAME, reason=_NO_FINDINGS[kind])
    else:
        error = fields.refusal(event, "detail-type", "", "on any list of Inspector's events")
        yield _undecidable(_Received(f"{SOURCE} {kind}"[:200], "", {}, event, event), error, None)


def _read(received: _Received, now: str) -> Iterator[Report]:
    """Read one finding."""
    try:
        finding = fields.entry(received.finding, received.path)
        reason = _unwanted(finding, received.path)
        if reason is not None:
            yield Ignored(reporter=NAME, reason=reason)
            return
        opening = _opening(finding, received)
        resources = fields.filled_list(finding, "resources", received.path)
    except UnreadableError as error:
        yield _undecidable(received, error, None)
        return
    for index, resource in enumerate(resources):
        path = f"{received.path}resources[{index}]."
        try:
            server = _server(fields.entry(resource, path), path, received, opening)
        except UnreadableError as error:
            yield _undecidable(received, error, resource)
        else:
            yield _report(opening, server, now)


def _unwanted(finding: dict[str, Any], path: str) -> str | None:
    """Give the reason why a finding is not for us; one of an unknown type or status is unreadable."""
    kind, status = fields.text(finding, "type", path), fields.spoken(finding.get("status"))
    if kind in _OTHER_TYPES:
        return _OTHER_TYPES[kind]
    if kind != "NETWORK_REACHABILITY":
        raise fields.refusal(finding, "type", path, "a type on any list")
    if status == "SUPPRESSED":
        return _SUPPRESSED
    if status not in {"ACTIVE", "CLOSED"}:
        raise fields.refusal(finding, "status", path, "a status on any list")
    return None


def _opening(finding: dict[str, Any], received: _Received) -> _Opening:
    """Read what holds for every resource."""
    details = fields.mapping(finding, "networkReachabilityDetails", received.path)
    reporter = Reporter(
        name=NAME,
        id=fields.text(finding, "findingArn", received.path),
        severity=fields.spoken(finding.get("severity")),
        title=fields.spoken(finding.get("title")),
        updated_at=fields.instant(finding.get("updatedAt")),
        first_seen_at=fields.instant(finding.get("firstObservedAt")) or UNSET,
    )
    ports = _ports(details, received.path + "networkReachabilityDetails.")
    path = f"{received.path}networkReachabilityDetails.networkPath.steps"
    way = follow(fields.loose_object(details.get("networkPath")).get("steps"), path)
    return _Opening(finding["status"] == "CLOSED", reporter, _account(finding, received), ports, way)


def _ports(details: dict[str, Any], path: str) -> tuple[Protocol, int, int]:
    """Read the protocol and the open range."""
    opened = fields.mapping(details, "openPortRange", path)
    low = fields.port(opened, "begin", path + "openPortRange.")
    high = fields.port(opened, "end", path + "openPortRange.")
    if low > high:
        raise UnreadableError(path + "openPortRange", f"begin {low} is above end {high}")
    return fields.protocol(details, "protocol", path), low, high


def _account(finding: dict[str, Any], received: _Received) -> str:
    """Give the owner of the server: an administrator of many accounts gets the events of them all."""
    if finding.get("awsAccountId") is not None:
        return fields.text(finding, "awsAccountId", received.path)
    arn = fields.arn(finding.get("findingArn"))
    named = arn.account if arn else fields.spoken(received.around.get("account"))
    return named or fields.text(finding, "awsAccountId", received.path)


def _region(resource: dict[str, Any], path: str, received: _Received) -> str:
    """Give the server's Region: its own, else the event's, else that of the finding's ARN."""
    arn = fields.arn(received.finding.get("findingArn"))
    named = (
        fields.spoken(resource.get("region")) or fields.spoken(received.around.get("region")) or (arn and arn.region)
    )
    return named or fields.text(resource, "region", path)


def _server(resource: dict[str, Any], path: str, received: _Received, opening: _Opening) -> Server:
    """Read one resource. Only an instance on AWS can be judged."""
    if resource.get("type") != _INSTANCE:
        raise fields.refusal(resource, "type", path, f"{_INSTANCE}, so it cannot be judged")
    if resource.get("provider", "AWS") != "AWS":
        raise fields.refusal(resource, "provider", path, "AWS, so it cannot be judged")
    name, tags = fields.text(resource, "id", path), fields.tag_map(resource, "tags", path)
    details = fields.loose_object(resource.get("details"))
    instance, machine = (fields.loose_object(details.get(key)) for key in ("awsEc2Instance", "vm"))
    subnets = fields.loose_list(machine.get("subnetIds"))
    return Server(
        kind="instance",
        id=name,
        name=fields.known(tags.get("Name")) if tags else UNSET,
        tags=tags or {},
        tags_known=tags is not None,
        account=opening.account,
        region=_region(resource, path, received),
        vpc=fields.known(instance.get("vpcId")) or fields.known(machine.get("networkId")),
        subnet=fields.known(instance.get("subnetId")) or fields.known(subnets[0] if subnets else None),
        security_groups=tuple(filter(None, opening.way.hop_to(name).groups)),
        platform=fields.known(instance.get("platform")) or fields.known(machine.get("platform")),
    )


def _report(opening: _Opening, server: Server, now: str) -> Finding | Closed:
    """Put together what was read."""
    way = opening.way
    reach = way.reach or "internet"
    exposure = identity(server, reach, {opening.ports})
    if opening.closed:
        return Closed(id=exposure, reporter=opening.reporter, server=server)
    return Finding(
        id=exposure,
        reporters=(opening.reporter,),
        now=now,
        reach=reach,
        reach_known=way.reach is not None,
        server=server,
        exposures=(way.hop_to(server.id).exposure(opening.ports),),
    )


def _undecidable(received: _Received, error: UnreadableError, resource: Any) -> Undecidable:
    """Say what could not be read, with as much of the rest as can be."""
    finding = fields.loose_object(received.finding)
    resources = fields.loose_list(finding.get("resources"))
    place = fields.loose_object(resources[0] if resource is None and resources else resource)
    return Undecidable(
        shape=received.shape,
        field=error.field,
        problem=error.problem,
        raw=received.raw,
        reporter=NAME,
        id=fields.spoken(finding.get("findingArn")),
        account=fields.spoken(finding.get("awsAccountId")) or fields.spoken(received.around.get("account")),
        region=fields.spoken(place.get("region")) or fields.spoken(received.around.get("region")),
        server=fields.spoken(place.get("id")),
    )
