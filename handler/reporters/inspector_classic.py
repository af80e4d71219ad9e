"""Amazon Inspector Classic (2015 to 2026): the service is gone, recordings of it and scripts that read it are not.

Shapes: Inspector Classic user guide, "Network Reachability" and "Setting up an SNS topic" (a message names the ARN of a
finding and nothing of it); botocore `inspector`, `Finding`.
"""

from collections.abc import Iterator
from typing import Any

from msgspec import UNSET

from handler.errors import UnreadableError
from handler.finding import (
    Finding,
    Ignored,
    Reach,
    Reference,
    Report,
    Reporter,
    Server,
    Undecidable,
    identity,
)
from handler.reporters import _classic_attributes as classic
from handler.reporters import _fields as fields

NAME = "inspector_classic"

_OTHER_MESSAGES = {
    "ASSESSMENT_RUN_STARTED",
    "ASSESSMENT_RUN_COMPLETED",
    "ASSESSMENT_RUN_STATE_CHANGED",
    "ENABLE_ASSESSMENT_NOTIFICATIONS",
    "OTHER",
}
_MESSAGE_ARNS = ("template", "target", "run", "finding")
_ANSWER = "inspector describe_findings"
_NOTHING_FOUND = "No potential security issues found"


def claims(event: Any) -> bool:
    """Claim Classic's SNS messages, its findings, and answers of `describe_findings`."""
    if not isinstance(event, dict) or "detail-type" in event:
        return False
    page = "failedItems" in event or any(map(_bare, fields.loose_list(event.get("findings"))))
    return page or _bare(event) or _is_message(event)


def normalize(event: dict[str, Any], now: str) -> Iterator[Report]:
    """Give a finding for each network finding, a reference for a message that names one."""
    if _bare(event):
        yield _read(event, "", now)
    elif _is_message(event):
        yield _message(event)
    else:
        yield from _answer(event, now)


def _bare(finding: Any) -> bool:
    """Say whether this is a finding of Classic."""
    return isinstance(finding, dict) and ("assetAttributes" in finding or "serviceAttributes" in finding)


def _is_message(event: dict[str, Any]) -> bool:
    """Say whether this is a message that Classic sent to SNS."""
    named = (fields.arn(event.get(key)) for key in _MESSAGE_ARNS)
    return "event" in event and any(arn is not None and arn.service == "inspector" for arn in named)


def _message(event: dict[str, Any]) -> Report:
    """Read a message: only one of its kinds is about a finding."""
    kind = fields.spoken(event.get("event"))
    if kind in _OTHER_MESSAGES:
        return Ignored(reporter=NAME, reason=f"{kind} is about an assessment, not about an open port")
    try:
        if kind != "FINDING_REPORTED":
            raise fields.refusal(event, "event", "", "a message on any list")
        arn = fields.arn(event.get("finding"))
        if arn is None or arn.service != "inspector":
            raise fields.refusal(event, "finding", "", "the ARN of a finding")
    except UnreadableError as error:
        return _undecidable("inspector SNS message", error, event, event.get("finding"))
    return Reference(
        reporter=NAME, service="inspector", arn=event["finding"], account=arn.account, region=arn.region, raw=event
    )


def _answer(event: dict[str, Any], now: str) -> Iterator[Report]:
    """Read an answer of `describe_findings`; what the API could not give is said, ARN by ARN."""
    findings, failed = event.get("findings"), event.get("failedItems", {})
    if not isinstance(findings, list):
        yield _undecidable(_ANSWER, fields.refusal(event, "findings", "", "a list"), event, None)
        findings = []
    if not isinstance(failed, dict):
        yield _undecidable(_ANSWER, fields.refusal(event, "failedItems", "", "an object"), event, None)
        failed = {}
    for index, finding in enumerate(findings):
        yield _read(finding, f"findings[{index}].", now)
    for arn, item in failed.items():
        code = item.get("failureCode") if isinstance(item, dict) else item
        error = UnreadableError("failedItems", f"inspector:DescribeFindings could not give it: {fields.spell(code)}")
        yield _undecidable(_ANSWER, error, {arn: item}, arn)


def _read(finding: Any, path: str, now: str) -> Report:
    """Read one finding."""
    try:
        finding = fields.entry(finding, path)
        if not _is_network(finding, path):
            return Ignored(reporter=NAME, reason="A finding of another rules package, not about an open port")
        return _finding(finding, path, now)
    except UnreadableError as error:
        arn = finding.get("arn") if isinstance(finding, dict) else None
        return _undecidable(_ANSWER, error, finding, arn)


def _is_network(finding: dict[str, Any], path: str) -> bool:
    """Say whether the finding is about the network, by its attributes or by its `id`, the name of its rule.

    One that has neither says that nothing was found, or it is unreadable.
    """
    if not isinstance(finding.get("attributes"), list):
        raise fields.refusal(finding, "attributes", path, "a list")
    rule = finding.get("id")
    if isinstance(rule, str) and classic.is_network_rule(rule):
        return True
    paths = ((f"{path}attributes[{index}].", attribute) for index, attribute in enumerate(finding["attributes"]))
    keys = {fields.text(fields.entry(attribute, at), "key", at) for at, attribute in paths}
    is_network = classic.is_network(keys)
    if not is_network and finding.get("title") != _NOTHING_FOUND:
        fields.text(finding, "id", path)
    return is_network


def _finding(finding: dict[str, Any], path: str, now: str) -> Finding:
    """Read a network finding."""
    attributes = fields.pairs(finding, "attributes", path) or {}
    named = fields.arn(fields.text(finding, "arn", path))
    if named is None:
        raise fields.refusal(finding, "arn", path, "an ARN")
    exposures = classic.exposures(attributes, path + "attributes.")
    server = _server(finding, attributes, named, path)
    received = classic.reach(attributes)
    reach: Reach = received or "internet"
    return Finding(
        id=identity(
            server, reach, {(exposure.protocol, exposure.from_port, exposure.to_port) for exposure in exposures}
        ),
        reporters=(_reporter(finding),),
        now=now,
        reach=reach,
        reach_known=received is not None,
        server=server,
        exposures=exposures,
        notes=classic.notes(attributes),
    )


def _reporter(finding: dict[str, Any]) -> Reporter:
    """Say what Classic says of its own finding."""
    return Reporter(
        name=NAME,
        id=finding["arn"],
        severity=fields.spoken(finding.get("severity")),
        title=fields.spoken(finding.get("title")),
        updated_at=fields.instant(finding.get("updatedAt")),
        first_seen_at=fields.instant(finding.get("createdAt")) or UNSET,
    )


def _server(finding: dict[str, Any], attributes: dict[str, str], named: fields.Arn, path: str) -> Server:
    """Read the instance. Its Name is a tag's: `hostname` is a DNS name that no policy lists."""
    assets = {} if finding.get("assetAttributes") is None else fields.mapping(finding, "assetAttributes", path)
    path += "assetAttributes."
    tags = fields.pairs(assets, "tags", path)
    interfaces = [fields.loose_object(interface) for interface in fields.loose_list(assets.get("networkInterfaces"))]
    at = next(
        (interface for interface in interfaces if interface.get("networkInterfaceId") == attributes.get("ENI")), {}
    )
    listed = (group for interface in interfaces for group in fields.loose_list(interface.get("securityGroups")))
    groups = [fields.loose_object(group).get("groupId") for group in listed]
    groups.append(attributes.get("SECURITY_GROUP"))
    return Server(
        kind="instance",
        id=_instance(assets, attributes, path),
        name=fields.known(tags.get("Name")) if tags else UNSET,
        tags=tags or {},
        tags_known=tags is not None,
        account=named.account,
        region=named.region,
        vpc=fields.known(attributes.get("VPC")) or fields.known(at.get("vpcId")),
        subnet=fields.known(at.get("subnetId")),
        security_groups=tuple(dict.fromkeys(group for group in groups if isinstance(group, str) and group)),
    )


def _instance(assets: dict[str, Any], attributes: dict[str, str], path: str) -> str:
    """Give the instance's id, which the finding has twice."""
    agent, instance = fields.spoken(assets.get("agentId")), attributes.get("INSTANCE_ID")
    if agent and instance and agent != instance:
        raise UnreadableError(path + "agentId", f"is {agent!r}, but INSTANCE_ID is {instance!r}")
    return agent or instance or fields.text(assets, "agentId", path)


def _undecidable(shape: str, error: UnreadableError, raw: Any, arn: Any) -> Undecidable:
    """Say what could not be read; the ARN names account and Region."""
    named = fields.arn(arn)
    assets = fields.loose_object(fields.loose_object(raw).get("assetAttributes"))
    return Undecidable(
        shape=shape,
        field=error.field,
        problem=error.problem,
        raw=raw,
        reporter=NAME,
        id=fields.spoken(arn),
        account=named.account if named else None,
        region=named.region if named else None,
        server=fields.spoken(assets.get("agentId")),
    )
