"""Amazon Inspector: network reachability findings, by event, by `list_findings`, or as exported.

Shapes: Inspector user guide, "EventBridge schema for Amazon Inspector events"; botocore `inspector2`, `Finding`. A
finding has one protocol, one port range and one path, and names no source addresses.
"""

from collections.abc import Iterator
from typing import Any

from msgspec import UNSET, Struct

from handler.errors import UnreadableError
from handler.finding import (
    UNKNOWN,
    Closed,
    Exposure,
    Finding,
    Ignored,
    Protocol,
    Reach,
    Report,
    Reporter,
    Server,
    Undecidable,
    identity,
)
from handler.reporters import _fields as fields

NAME = "inspector2"
SOURCE = "aws.inspector2"

_NO_FINDINGS = {
    "Inspector2 Scan": "Inspector2 Scan tells that a scan is complete, not that a port is open",
    "Inspector2 Coverage": "Inspector2 Coverage tells what is scanned, not that a port is open",
}
_OTHER_TYPES = {
    "PACKAGE_VULNERABILITY": "PACKAGE_VULNERABILITY is about software, not about an open port",
    "CODE_VULNERABILITY": "CODE_VULNERABILITY is about software, not about an open port",
}
_SUPPRESSED = "SUPPRESSED by a rule in Inspector"
_REACH: dict[str, Reach] = {
    "AWS::EC2::InternetGateway": "internet",
    "AWS::EC2::VPCPeeringConnection": "peered_vpc",
    "AWS::EC2::VPNGateway": "vpn",
    "AWS::EC2::VPNConnection": "vpn",
}
_REACH_BY_ID: dict[str, Reach] = {"igw": "internet", "pcx": "peered_vpc", "vgw": "vpn", "vpn": "vpn"}
"""The documents name no component types but the first; the prefixes of AWS's ids tell the rest."""


_INSTANCE = "AWS_EC2_INSTANCE"


class _Told(Struct, frozen=True):
    """A finding as it came: where it stands (with a dot), the event around it, and what an alert attaches."""

    shape: str
    path: str
    finding: Any
    around: dict[str, Any]
    raw: Any


class _Way(Struct, frozen=True):
    """The path: from where, to which instance, and the groups on the hop before it, the one next to it last."""

    reach: Reach | None
    groups: tuple[str | None, ...]
    instance: str | None


class _Opening(Struct, frozen=True):
    """What holds for every resource of a finding."""

    closed: bool
    reporter: Reporter
    account: str
    ports: tuple[Protocol, int, int]
    way: _Way


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
            yield from _read(_Told("inspector2 list_findings", f"findings[{index}].", finding, {}, finding), now)
    else:
        yield from _read(_Told("inspector2 list_findings", "", event, {}, event), now)


def _bare(finding: Any) -> bool:
    """Say whether this is a finding without an event around it."""
    return isinstance(finding, dict) and ("findingArn" in finding or "networkReachabilityDetails" in finding)


def _event(event: dict[str, Any], now: str) -> Iterator[Report]:
    """Read an event of EventBridge."""
    kind = fields.spoken(event.get("detail-type"))
    if kind == "Inspector2 Finding":
        yield from _read(_Told(f"{SOURCE} {kind}", "detail.", event.get("detail"), event, event), now)
    elif kind in _NO_FINDINGS:
        yield Ignored(reporter=NAME, reason=_NO_FINDINGS[kind])
    else:
        error = fields.refusal(event, "detail-type", "", "on any list of Inspector's events")
        yield _undecidable(_Told(f"{SOURCE} {kind}"[:200], "", {}, event, event), error, None)


def _read(told: _Told, now: str) -> Iterator[Report]:
    """Read one finding."""
    try:
        finding = fields.entry(told.finding, told.path)
        reason = _unwanted(finding, told.path)
        if reason is not None:
            yield Ignored(reporter=NAME, reason=reason)
            return
        opening = _opening(finding, told)
        resources = fields.filled_list(finding, "resources", told.path)
    except UnreadableError as error:
        yield _undecidable(told, error, None)
        return
    for index, resource in enumerate(resources):
        path = f"{told.path}resources[{index}]."
        try:
            server = _server(fields.entry(resource, path), path, told, opening)
        except UnreadableError as error:
            yield _undecidable(told, error, resource)
        else:
            yield _report(opening, server, now)


def _unwanted(finding: dict[str, Any], path: str) -> str | None:
    """Give the reason why a finding is not for us; one of an unknown type or status is unreadable."""
    kind, status = fields.text(finding, "type", path), finding.get("status")
    if kind in _OTHER_TYPES:
        return _OTHER_TYPES[kind]
    if kind != "NETWORK_REACHABILITY":
        raise fields.refusal(finding, "type", path, "a type on any list")
    if status == "SUPPRESSED":
        return _SUPPRESSED
    if status not in {"ACTIVE", "CLOSED"}:
        raise fields.refusal(finding, "status", path, "a status on any list")
    return None


def _opening(finding: dict[str, Any], told: _Told) -> _Opening:
    """Read what holds for every resource."""
    details = fields.mapping(finding, "networkReachabilityDetails", told.path)
    reporter = Reporter(
        name=NAME,
        id=fields.text(finding, "findingArn", told.path),
        severity=fields.spoken(finding.get("severity")),
        title=fields.spoken(finding.get("title")),
        updated_at=fields.instant(finding.get("updatedAt")),
    )
    ports = _ports(details, told.path + "networkReachabilityDetails.")
    return _Opening(finding["status"] == "CLOSED", reporter, _account(finding, told), ports, _way(details))


def _ports(details: dict[str, Any], path: str) -> tuple[Protocol, int, int]:
    """Read the protocol and the open range."""
    opened = fields.mapping(details, "openPortRange", path)
    low = fields.port(opened, "begin", path + "openPortRange.")
    high = fields.port(opened, "end", path + "openPortRange.")
    if low > high:
        raise UnreadableError(path + "openPortRange", f"begin {low} is above end {high}")
    return fields.protocol(details, "protocol", path), low, high


def _way(details: dict[str, Any]) -> _Way:
    """Follow the path, which Inspector may leave out. Behind a load balancer its groups come before the instance's."""
    network_path = details.get("networkPath")
    steps = network_path.get("steps") if isinstance(network_path, dict) else None
    groups: list[str | None] = []
    instance, found, beside = None, groups, False
    for step in steps if isinstance(steps, list) else ():
        kind, name = _component(step)
        if kind == "AWS::EC2::SecurityGroup":
            groups = [*groups, name] if beside else [name]
        elif kind == "AWS::EC2::Instance":
            instance, found = name, groups
        beside = kind == "AWS::EC2::SecurityGroup"
    first, name = _component(steps[0] if isinstance(steps, list) and steps else None)
    reach = _REACH.get(first or "") or _REACH_BY_ID.get((name or "").partition("-")[0])
    return _Way(reach, tuple(found if instance else groups), instance)


def _component(step: Any) -> tuple[str | None, str | None]:
    """Give a step's type and id."""
    if not isinstance(step, dict):
        return None, None
    return fields.spoken(step.get("componentType")), fields.spoken(step.get("componentId"))


def _account(finding: dict[str, Any], told: _Told) -> str:
    """Give the owner of the server: an administrator of many accounts gets the events of them all."""
    if finding.get("awsAccountId") is not None:
        return fields.text(finding, "awsAccountId", told.path)
    arn = fields.arn(finding.get("findingArn"))
    named = arn.account if arn else fields.spoken(told.around.get("account"))
    return named or fields.text(finding, "awsAccountId", told.path)


def _region(resource: dict[str, Any], path: str, told: _Told) -> str:
    """Give the server's Region: its own, else the event's, else that of the finding's ARN."""
    arn = fields.arn(told.finding.get("findingArn"))
    named = fields.spoken(resource.get("region")) or fields.spoken(told.around.get("region")) or (arn and arn.region)
    return named or fields.text(resource, "region", path)


def _server(resource: dict[str, Any], path: str, told: _Told, opening: _Opening) -> Server:
    """Read one resource. Only an instance on AWS can be judged."""
    if resource.get("type") != _INSTANCE:
        raise fields.refusal(resource, "type", path, f"{_INSTANCE}, so it cannot be judged")
    if resource.get("provider", "AWS") != "AWS":
        raise fields.refusal(resource, "provider", path, "AWS, so it cannot be judged")
    name, tags = fields.text(resource, "id", path), fields.tag_map(resource, "tags", path)
    instance, machine = _detail(resource, "awsEc2Instance"), _detail(resource, "vm")
    subnets = machine.get("subnetIds")
    subnet = subnets[0] if isinstance(subnets, list) and subnets else None
    way = opening.way
    return Server(
        kind="instance",
        id=name,
        name=fields.known(tags.get("Name")) if tags else UNSET,
        tags=tags or {},
        tags_known=tags is not None,
        account=opening.account,
        region=_region(resource, path, told),
        vpc=fields.known(instance.get("vpcId")) or fields.known(machine.get("networkId")),
        subnet=fields.known(instance.get("subnetId")) or fields.known(subnet),
        security_groups=tuple(filter(None, way.groups)) if way.instance in {None, name} else (),
        platform=fields.known(instance.get("platform")) or fields.known(machine.get("platform")),
    )


def _detail(resource: dict[str, Any], key: str) -> dict[str, Any]:
    """Give what is told of an instance, or nothing."""
    details = resource.get("details")
    told = details.get(key) if isinstance(details, dict) else None
    return told if isinstance(told, dict) else {}


def _report(opening: _Opening, server: Server, now: str) -> Finding | Closed:
    """Put together what was read. Inspector never says which addresses can reach the port."""
    way, (protocol, low, high) = opening.way, opening.ports
    reach = way.reach or "internet"
    own = identity(server, reach, {opening.ports})
    if opening.closed:
        return Closed(id=own, reporter=opening.reporter, server=server)
    group = way.groups[-1] if server.security_groups else None
    exposure = Exposure(protocol=protocol, from_port=low, to_port=high, sources=(UNKNOWN,), security_group=group)
    return Finding(
        id=own,
        reporters=(opening.reporter,),
        now=now,
        reach=reach,
        reach_known=way.reach is not None,
        server=server,
        exposures=(exposure,),
    )


def _undecidable(told: _Told, error: UnreadableError, resource: Any) -> Undecidable:
    """Say what could not be read, with as much of the rest as can be."""
    finding = told.finding if isinstance(told.finding, dict) else {}
    resources = finding.get("resources")
    if resource is None and isinstance(resources, list) and resources:
        resource = resources[0]
    place = resource if isinstance(resource, dict) else {}
    return Undecidable(
        shape=told.shape,
        field=error.field,
        problem=error.problem,
        raw=told.raw,
        reporter=NAME,
        id=fields.spoken(finding.get("findingArn")),
        account=fields.spoken(finding.get("awsAccountId")) or fields.spoken(told.around.get("account")),
        region=fields.spoken(place.get("region")) or fields.spoken(told.around.get("region")),
        server=fields.spoken(place.get("id")),
    )
