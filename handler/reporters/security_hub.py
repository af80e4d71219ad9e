"""AWS Security Hub (CSPM), in AWS's Security Finding Format: by event, by a custom action, or by `get_findings`.

Shapes: Security Hub user guide, "EventBridge event formats" and "AWS Security Finding Format (ASFF)". Each product has
a module of its own (`_asff_...`); here is what holds for all of them: record state and workflow.
"""

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from handler.errors import UnreadableError
from handler.finding import Finding, Report, Undecidable
from handler.reporters import _asff as asff
from handler.reporters import (
    _asff_config,
    _asff_controls,
    _asff_guardduty,
    _asff_inspector2,
    _asff_inspector_classic,
    _asff_prowler,
)
from handler.reporters import _fields as fields
from handler.reporters import _opening as opening
from handler.reporters._aws_products import is_known_other

NAME = asff.NAME
SOURCE = "aws.securityhub"
OF_THE_NEW_HUB = "Findings Imported V2"
"""The events of the new Security Hub come from the same source, in another format."""

_IMPORTED = "Security Hub Findings - Imported"
_ASKED = "Security Hub Findings - Custom Action"
_ASKED_OF_AN_INSIGHT = "Security Hub Insight Results"
_NO_FINDINGS = {
    _ASKED_OF_AN_INSIGHT: "Security Hub Insight Results counts findings and tells none: send the findings themselves",
    "Security Hub Standard Results": "Security Hub Standard Results tells of a standard, not of an open port",
    "AWS API Call via CloudTrail": "AWS API Call via CloudTrail tells that somebody called Security Hub",
}
_PRODUCTS: dict[str, asff.Product] = {
    "aws/config": _asff_config,
    "aws/guardduty": _asff_guardduty,
    "aws/inspector": _asff_inspector_classic,
    "aws/securityhub": _asff_controls,
    "prowler/prowler": _asff_prowler,
}
_PUT_ASIDE = {
    "NOTIFIED": "NOTIFIED in Security Hub: somebody has been told",
    "SUPPRESSED": "SUPPRESSED in Security Hub",
}
_RESOLVED = "RESOLVED"
"""A person's word, or Security Hub's own where a control passed."""

_CLOSES_NOTHING = "It has ended, and does not say of which server"
_STILL_ARCHIVED = "Security Hub has archived this finding: what it found may be gone"


def claims(event: Any) -> bool:
    """Claim Security Hub's events, its findings, and pages of them."""
    if not isinstance(event, dict):
        return False
    if "source" in event or "detail-type" in event:
        return event.get("source") == SOURCE and event.get("detail-type") != OF_THE_NEW_HUB
    findings = event.get("Findings")
    if isinstance(findings, list):
        return not findings or any(map(_bare, findings))
    return _bare(event)


def normalize(event: dict[str, Any], now: str) -> Iterator[Report]:
    """Give a finding for what is open on each resource of each finding, or what it is instead."""
    if event.get("source") == SOURCE:
        yield from _event(event, now)
    elif isinstance(event.get("Findings"), list):
        for index, finding in enumerate(event["Findings"]):
            yield from _read(
                asff.Received("securityhub get_findings", f"Findings[{index}].", finding, {}, finding), now
            )
    else:
        yield from _read(asff.Received("securityhub get_findings", "", event, {}, event), now)


def _bare(finding: Any) -> bool:
    """Say whether this is a finding without an event around it."""
    return isinstance(finding, dict) and "ProductArn" in finding and "AwsAccountId" in finding


def _event(event: dict[str, Any], now: str) -> Iterator[Report]:
    """Read an event of EventBridge. It has one finding, and may have many: each is then attached alone."""
    kind = fields.spoken(event.get("detail-type"))
    shape, detail = f"{SOURCE} {kind}"[:200], fields.loose_object(event.get("detail"))
    if kind in _NO_FINDINGS:
        insight = {"Id": detail.get("insightArn")}
        received = asff.Received(shape, "", insight, event, event, asked=kind == _ASKED_OF_AN_INSIGHT)
        yield asff.ignored(received, _NO_FINDINGS[kind])
        return
    try:
        if kind not in {_IMPORTED, _ASKED}:
            raise fields.refusal(event, "detail-type", "", "on any list of Security Hub's events")
        findings = fields.filled_list(fields.mapping(event, "detail", ""), "findings", "detail.")
    except UnreadableError as error:
        yield asff.undecidable(asff.Received(shape, "", {}, event, event), error)
        return
    for index, finding in enumerate(findings):
        alone = event if len(findings) == 1 else {**event, "detail": {**detail, "findings": [finding]}}
        received = asff.Received(shape, f"detail.findings[{index}].", finding, event, alone, asked=kind == _ASKED)
        yield from _read(received, now)


def _read(received: asff.Received, now: str) -> Iterator[Report]:
    """Read one finding."""
    try:
        fields.entry(received.finding, received.path)
        name = _product_name(received)
        product = _PRODUCTS.get(name.casefold())
        if product is _asff_inspector_classic and _asff_inspector2.claims(received):
            product = _asff_inspector2
        if product is None and name.casefold().startswith("aws/") and not is_known_other(name.casefold()):
            raise fields.refusal(received.finding, "ProductArn", received.path, "a product of AWS on any list")
        if product is None:
            yield asff.ignored(received, f"A finding of {name}, whose findings Portcullis does not read")
        else:
            yield from _judge(received, product, now)
    except UnreadableError as error:
        yield asff.undecidable(received, error)


def _product_name(received: asff.Received) -> str:
    """Read the product: `arn:aws:securityhub:REGION:ACCOUNT:product/COMPANY/PRODUCT`."""
    _, separator, name = fields.text(received.finding, "ProductArn", received.path).rpartition(":product/")
    if not separator or not name:
        raise fields.refusal(received.finding, "ProductArn", received.path, "the ARN of a product")
    return name.strip()[:100]


def _judge(received: asff.Received, product: asff.Product, now: str) -> Iterator[Report]:
    """Give what is open, if it is for us. Whoever asks gets an answer, whatever the finding's state."""
    archived = _state(received) == "ARCHIVED"
    reason = product.unwanted(received)
    ended = product.ended(received) if reason is None else None
    if reason is None and ended is None and not received.asked:
        workflow = _RESOLVED if archived else _workflow(received)
        reason = _PUT_ASIDE.get(workflow)
        ended = False if workflow == _RESOLVED else None
    if reason is not None:
        yield asff.ignored(received, reason)
    elif ended is not None:
        yield from _closed(received, product, confirmed=ended)
    elif product is _asff_inspector2 and not _asff_inspector2.has_ports(received):
        yield _asff_inspector2.reference(received)
    else:
        notes = (_STILL_ARCHIVED,) if archived else ()
        for report in _findings(received, product, now):
            yield replace(report, notes=(*notes, *report.notes)) if isinstance(report, Finding) else report


def _state(received: asff.Received) -> str:
    """Read whether the product still tells of the finding."""
    state = fields.text({"RecordState": "ACTIVE"} | received.finding, "RecordState", received.path)
    if state not in {"ACTIVE", "ARCHIVED"}:
        raise fields.refusal(received.finding, "RecordState", received.path, "a state on any list")
    return state


def _workflow(received: asff.Received) -> str:
    """Read how somebody has dealt with a finding; Prowler's and old ones have no workflow, so nobody has."""
    if received.finding.get("Workflow") is None:
        return "NEW"
    workflow, path = fields.mapping(received.finding, "Workflow", received.path), f"{received.path}Workflow."
    status = fields.text(workflow, "Status", path)
    if status not in {"NEW", _RESOLVED, *_PUT_ASIDE}:
        raise fields.refusal(workflow, "Status", path, "a status on any list")
    return status


def _closed(received: asff.Received, product: asff.Product, *, confirmed: bool) -> Iterator[Report]:
    """Close what a finding has told of each server among the resources; one that cannot be read stays open."""
    closed, unread = [], False
    for index, resource in enumerate(fields.loose_list(received.finding.get("Resources"))):
        path = f"{received.path}Resources[{index}]."
        try:
            if asff.is_judgeable(fields.entry(resource, path), path):
                server = asff.server(received, resource, path, product.RESOURCE)
                closed.append(opening.closed(server, asff.reporter(received), confirmed=confirmed))
        except UnreadableError:
            unread = True
    yield from closed
    if unread or not closed:
        yield asff.ignored(received, _CLOSES_NOTHING)


def _findings(received: asff.Received, product: asff.Product, now: str) -> Iterator[Finding | Undecidable]:
    """Give what is open on each instance and each group among the resources."""
    names_a_server = False
    for index, resource in enumerate(fields.filled_list(received.finding, "Resources", received.path)):
        path = f"{received.path}Resources[{index}]."
        try:
            if asff.is_judgeable(fields.entry(resource, path), path):
                names_a_server = True
                yield from product.findings(received, resource, path, now)
        except UnreadableError as error:
            names_a_server = True
            yield asff.undecidable(received, error, resource)
    if not names_a_server:
        raise UnreadableError(f"{received.path}Resources", "names neither an instance nor a security group")
