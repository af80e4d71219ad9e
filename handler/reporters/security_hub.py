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
            yield from _read(asff.Told("securityhub get_findings", f"Findings[{index}].", finding, {}, finding), now)
    else:
        yield from _read(asff.Told("securityhub get_findings", "", event, {}, event), now)


def _bare(finding: Any) -> bool:
    """Say whether this is a finding without an event around it."""
    return isinstance(finding, dict) and "ProductArn" in finding and "AwsAccountId" in finding


def _event(event: dict[str, Any], now: str) -> Iterator[Report]:
    """Read an event of EventBridge. It has one finding, and may have many: each is then attached alone."""
    kind = fields.spoken(event.get("detail-type"))
    shape, detail = f"{SOURCE} {kind}"[:200], fields.loose_object(event.get("detail"))
    if kind in _NO_FINDINGS:
        insight = {"Id": detail.get("insightArn")}
        told = asff.Told(shape, "", insight, event, event, asked=kind == _ASKED_OF_AN_INSIGHT)
        yield asff.ignored(told, _NO_FINDINGS[kind])
        return
    try:
        if kind not in {_IMPORTED, _ASKED}:
            raise fields.refusal(event, "detail-type", "", "on any list of Security Hub's events")
        findings = fields.filled_list(fields.mapping(event, "detail", ""), "findings", "detail.")
    except UnreadableError as error:
        yield asff.undecidable(asff.Told(shape, "", {}, event, event), error)
        return
    for index, finding in enumerate(findings):
        alone = event if len(findings) == 1 else {**event, "detail": {**detail, "findings": [finding]}}
        told = asff.Told(shape, f"detail.findings[{index}].", finding, event, alone, asked=kind == _ASKED)
        yield from _read(told, now)


def _read(told: asff.Told, now: str) -> Iterator[Report]:
    """Read one finding."""
    try:
        fields.entry(told.finding, told.path)
        name = _product_name(told)
        product = _PRODUCTS.get(name.casefold())
        if product is _asff_inspector_classic and _asff_inspector2.claims(told):
            product = _asff_inspector2
        if product is None and name.casefold().startswith("aws/") and not is_known_other(name.casefold()):
            raise fields.refusal(told.finding, "ProductArn", told.path, "a product of AWS on any list")
        if product is None:
            yield asff.ignored(told, f"A finding of {name}, whose findings Portcullis does not read")
        else:
            yield from _judge(told, product, now)
    except UnreadableError as error:
        yield asff.undecidable(told, error)


def _product_name(told: asff.Told) -> str:
    """Read the product: `arn:aws:securityhub:REGION:ACCOUNT:product/COMPANY/PRODUCT`."""
    _, found, name = fields.text(told.finding, "ProductArn", told.path).rpartition(":product/")
    if not found or not name:
        raise fields.refusal(told.finding, "ProductArn", told.path, "the ARN of a product")
    return name.strip()[:100]


def _judge(told: asff.Told, product: asff.Product, now: str) -> Iterator[Report]:
    """Give what is open, if it is for us. Whoever asks gets an answer, whatever the finding's state."""
    archived = _state(told) == "ARCHIVED"
    reason = product.unwanted(told)
    ended = product.ended(told) if reason is None else None
    if reason is None and ended is None and not told.asked:
        workflow = _RESOLVED if archived else _workflow(told)
        reason = _PUT_ASIDE.get(workflow)
        ended = False if workflow == _RESOLVED else None
    if reason is not None:
        yield asff.ignored(told, reason)
    elif ended is not None:
        yield from _closed(told, product, confirmed=ended)
    elif product is _asff_inspector2 and not _asff_inspector2.has_ports(told):
        yield _asff_inspector2.reference(told)
    else:
        notes = (_STILL_ARCHIVED,) if archived else ()
        for report in _findings(told, product, now):
            yield replace(report, notes=(*notes, *report.notes)) if isinstance(report, Finding) else report


def _state(told: asff.Told) -> str:
    """Read whether the product still tells of the finding."""
    state = fields.text({"RecordState": "ACTIVE"} | told.finding, "RecordState", told.path)
    if state not in {"ACTIVE", "ARCHIVED"}:
        raise fields.refusal(told.finding, "RecordState", told.path, "a state on any list")
    return state


def _workflow(told: asff.Told) -> str:
    """Read how somebody has dealt with a finding; Prowler's and old ones have no workflow, so nobody has."""
    if told.finding.get("Workflow") is None:
        return "NEW"
    workflow, path = fields.mapping(told.finding, "Workflow", told.path), f"{told.path}Workflow."
    status = fields.text(workflow, "Status", path)
    if status not in {"NEW", _RESOLVED, *_PUT_ASIDE}:
        raise fields.refusal(workflow, "Status", path, "a status on any list")
    return status


def _closed(told: asff.Told, product: asff.Product, *, confirmed: bool) -> Iterator[Report]:
    """Close what a finding has told of each server among the resources; one that cannot be read stays open."""
    closed, unread = [], False
    for index, resource in enumerate(fields.loose_list(told.finding.get("Resources"))):
        path = f"{told.path}Resources[{index}]."
        try:
            if asff.is_judgeable(fields.entry(resource, path), path):
                server = asff.server(told, resource, path, product.RESOURCE)
                closed.append(opening.closed(server, asff.reporter(told), confirmed=confirmed))
        except UnreadableError:
            unread = True
    yield from closed
    if unread or not closed:
        yield asff.ignored(told, _CLOSES_NOTHING)


def _findings(told: asff.Told, product: asff.Product, now: str) -> Iterator[Finding | Undecidable]:
    """Give what is open on each instance and each group among the resources."""
    found = False
    for index, resource in enumerate(fields.filled_list(told.finding, "Resources", told.path)):
        path = f"{told.path}Resources[{index}]."
        try:
            if asff.is_judgeable(fields.entry(resource, path), path):
                found = True
                yield from product.findings(told, resource, path, now)
        except UnreadableError as error:
            found = True
            yield asff.undecidable(told, error, resource)
    if not found:
        raise UnreadableError(f"{told.path}Resources", "names neither an instance nor a security group")
