"""AWS Config: rules about the open ports of a security group, by event or as Config posts them to its own SNS topic.

Shapes: AWS Config developer guide, "Monitoring AWS Config with Amazon EventBridge" and "Notifications that AWS Config
sends to an Amazon SNS topic" (the same, without an event around it).
"""

from collections.abc import Iterator
from typing import Any

from handler.errors import UnreadableError
from handler.finding import Ignored, Report, Reporter, Server, Undecidable
from handler.reporters import _config_rules as rules
from handler.reporters import _fields as fields
from handler.reporters import _opening as opening

NAME = "config"
SOURCE = "aws.config"
_CHANGE = "Config Rules Compliance Change"
_NO_CHANGES = {
    "AWS API Call via CloudTrail",
    "Config Configuration History Delivery Status",
    "Config Configuration Item Change",
    "Config Configuration Snapshot Delivery Status",
    "Config Rules Re-evaluation Status",
}
_MESSAGE = "ComplianceChangeNotification"
_OTHER_MESSAGES = {
    "ConfigRulesEvaluationStarted",
    "ConfigurationHistoryDeliveryCompleted",
    "ConfigurationItemChangeNotification",
    "ConfigurationSnapshotDeliveryCompleted",
    "ConfigurationSnapshotDeliveryFailed",
    "ConfigurationSnapshotDeliveryStarted",
    "OversizedConfigurationItemChangeDeliveryFailed",
    "OversizedConfigurationItemChangeNotification",
    "ScheduledNotification",
}
_GROUP = "AWS::EC2::SecurityGroup"

_ENDED = {
    "COMPLIANT": "COMPLIANT: the group opens nothing that the rule forbids",
    "NOT_APPLICABLE": "NOT_APPLICABLE: the rule no longer applies to the group",
}


def claims(event: Any) -> bool:
    """Claim Config's events, and what Config posts to SNS."""
    if not isinstance(event, dict):
        return False
    if "source" in event or "detail-type" in event:
        return bool(event.get("source") == SOURCE)
    kind = event.get("messageType")
    return isinstance(kind, str) and (kind == _MESSAGE or kind in _OTHER_MESSAGES)


def normalize(event: dict[str, Any], now: str) -> Iterator[Report]:
    """Give the group that a rule objects to, or what the event is instead."""
    try:
        yield _read(event, now) if event.get("source") == SOURCE else _change(event, event, "", now)
    except UnreadableError as error:
        yield _undecidable(event, error)


def _read(event: dict[str, Any], now: str) -> Report:
    """Read an event of EventBridge."""
    kind = fields.spoken(event.get("detail-type"))
    if kind in _NO_CHANGES:
        return Ignored(reporter=NAME, reason=f"{kind} is not about the verdict of a rule")
    if kind != _CHANGE:
        raise fields.refusal(event, "detail-type", "", "on any list of Config's events")
    return _change(fields.mapping(event, "detail", ""), event, "detail.", now)


def _change(change: dict[str, Any], event: dict[str, Any], path: str, now: str) -> Report:
    """Read a change of a rule's verdict on a resource."""
    reason = _unwanted(change, path)
    if reason is not None:
        return Ignored(reporter=NAME, reason=reason)
    verdict = _verdict(change, path)
    try:
        return _of_group(change, event, path, verdict, now)
    except UnreadableError:
        if verdict not in _ENDED:
            raise
        return Ignored(reporter=NAME, reason=_ENDED[verdict])


def _of_group(change: dict[str, Any], event: dict[str, Any], path: str, verdict: str, now: str) -> Report:
    """Judge or close what a rule about open ports says of a group."""
    reason = rules.other(change, "configRuleName", path)
    if reason is not None:
        return Ignored(reporter=NAME, reason=_ENDED.get(verdict, reason))
    rule, result = change["configRuleName"], change["newEvaluationResult"]
    server = Server(
        kind="security_group",
        id=_group(change, path),
        tags={},
        tags_known=False,
        account=fields.spoken(change.get("awsAccountId")) or fields.text(event, "account", ""),
        region=fields.spoken(change.get("awsRegion")) or fields.text(event, "region", ""),
    )
    reporter = Reporter(
        name=NAME,
        id=fields.text(change, "configRuleARN", path),
        title=f"{rule}: {verdict}",
        updated_at=fields.instant(result.get("resultRecordedTime") or change.get("notificationCreationTime")),
    )
    if verdict in _ENDED:
        return opening.closed(server, reporter, confirmed=verdict == "COMPLIANT")
    control = rules.control(rule)
    if not control.ports:
        return opening.portless(server, reporter, now)
    return opening.finding(
        server,
        reporter,
        now,
        ports=control.ports,
        sources=control.sources,
        reach_known=False,
        notes=[rules.NOT_WHENCE],
    )


def _unwanted(change: dict[str, Any], path: str) -> str | None:
    """Give the reason why a message is not about a security group."""
    kind = fields.text(change, "messageType", path)
    if kind in _OTHER_MESSAGES:
        return f"{kind} is not about the verdict of a rule"
    if kind != _MESSAGE:
        raise fields.refusal(change, "messageType", path, "a message on any list")
    resource = fields.text(change, "resourceType", path)
    if "::" not in resource:
        raise fields.refusal(change, "resourceType", path, f"a type like {_GROUP}")
    if fields.folded(resource) == fields.folded(_GROUP):
        return None
    if fields.folded(change.get("resourceId")).startswith("sg-"):
        raise fields.refusal(change, "resourceType", path, f"{_GROUP}, as its id says")
    return rules.OTHER_RESOURCE


def _verdict(change: dict[str, Any], path: str) -> str:
    """Read the verdict."""
    result = fields.mapping(change, "newEvaluationResult", path)
    verdict = fields.text(result, "complianceType", f"{path}newEvaluationResult.")
    if verdict not in {*_ENDED, "NON_COMPLIANT"}:
        raise fields.refusal(result, "complianceType", f"{path}newEvaluationResult.", "a verdict on any list")
    return verdict


def _group(change: dict[str, Any], path: str) -> str:
    """Read the id of the security group."""
    group = fields.text(change, "resourceId", path)
    if not group.startswith("sg-"):
        raise fields.refusal(change, "resourceId", path, "the id of a security group")
    return group


def _undecidable(event: dict[str, Any], error: UnreadableError) -> Undecidable:
    """Say what could not be read, with as much of the rest as can be."""
    named = event.get("source") == SOURCE
    change = fields.loose_object(event.get("detail")) if named else event
    return Undecidable(
        shape=f"{SOURCE} {fields.spoken(event.get('detail-type') if named else event.get('messageType'))}"[:200],
        field=error.field,
        problem=error.problem,
        raw=event,
        reporter=NAME,
        id=fields.spoken(change.get("configRuleARN")),
        account=fields.spoken(change.get("awsAccountId")) or fields.spoken(event.get("account")),
        region=fields.spoken(change.get("awsRegion")) or fields.spoken(event.get("region")),
        server=fields.spoken(change.get("resourceId")),
    )
