"""The new AWS Security Hub, in the Open Cybersecurity Schema Framework (OCSF): by event, or by `get_findings_v2`.

Shapes: Security Hub user guide, "EventBridge event formats" of the new Hub; botocore `securityhub`, `OcsfNumberField`;
OCSF 1.6, category Findings. Only a detection may carry a port: controls are read by their meaning, and the findings of
Inspector are fetched by their ARN.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from handler.errors import UnreadableError
from handler.finding import UNKNOWN, Closed, Finding, Ignored, Reference, Report, Undecidable
from handler.reporters import _controls as controls
from handler.reporters import _fields as fields
from handler.reporters import _ocsf as ocsf
from handler.reporters import _ocsf_status as status
from handler.reporters import _opening as opening
from handler.reporters._aws_products import is_known_other
from handler.reporters.guardduty import TCP_ASSUMED, is_probe
from handler.reporters.security_hub import OF_THE_NEW_HUB, SOURCE

NAME = ocsf.NAME

_VULNERABILITY, _DETECTION = 2002, 2004
_SOFTWARE = "A Vulnerability Finding tells of software, not of an open port"
_UNWANTED = {
    _DETECTION: "A Detection Finding that tells of a threat or of several findings together, not of an open port",
    2005: "An Incident Finding tells of an incident, not of an open port",
    2006: "A Data Security Finding tells of data, not of an open port",
    2007: "An Application Security Posture Finding tells of software, not of an open port",
    2008: "An IAM Analysis Finding tells of permissions, not of an open port",
}
_CLOSES_NOTHING = "It has ended, and does not say of which server"
_INSPECTOR, _GUARDDUTY = "aws/inspector", "aws/guardduty"
_READ = {_INSPECTOR, _GUARDDUTY, "aws/securityhub"}
_FETCHED_BY = "inspector2"


class _Opening(NamedTuple):
    """A port that is open, to whom, and what is to be said of it."""

    ports: opening.Ports
    sources: tuple[str, ...]
    reach_known: bool
    notes: tuple[str, ...]


def claims(event: Any) -> bool:
    """Claim the new Hub's events, its findings, and pages of them."""
    if not isinstance(event, dict):
        return False
    if "source" in event or "detail-type" in event:
        return event.get("source") == SOURCE and event.get("detail-type") == OF_THE_NEW_HUB
    return _bare(event) or any(map(_bare, fields.loose_list(event.get("Findings"))))


def normalize(event: dict[str, Any], now: str) -> Iterator[Report]:
    """Give a finding for what is open on each resource of each finding, or what it is instead."""
    if event.get("source") != SOURCE:
        page = event.get("Findings")
        bare = enumerate(page) if isinstance(page, list) else ()
        tellings = [(f"Findings[{index}].", finding) for index, finding in bare] or [("", event)]
        for path, finding in tellings:
            yield from _read(ocsf.Received("securityhub get_findings_v2", path, finding, {}, finding), now)
        return
    shape = f"{SOURCE} {OF_THE_NEW_HUB}"
    try:
        findings = fields.filled_list(fields.mapping(event, "detail", ""), "findings", "detail.")
    except UnreadableError as error:
        yield ocsf.undecidable(ocsf.Received(shape, "", {}, event, event), error)
        return
    for index, finding in enumerate(findings):
        alone = event if len(findings) == 1 else {**event, "detail": {**event["detail"], "findings": [finding]}}
        yield from _read(ocsf.Received(shape, f"detail.findings[{index}].", finding, event, alone), now)


def _bare(finding: Any) -> bool:
    """Say whether this is a finding without an event around it."""
    product = fields.loose_object(fields.loose_object(fields.loose_object(finding).get("metadata")).get("product"))
    return ":productv2/" in (fields.spoken(product.get("uid")) or "")


def _read(received: ocsf.Received, now: str) -> Iterator[Report]:
    """Read one finding."""
    try:
        fields.entry(received.finding, received.path)
        reason = _unwanted(received)
        ended = status.ended(received, inspectors=_arn(received) is not None) if reason is None else None
        reason = reason or (status.put_aside(received) if ended is None else None)
        if reason is not None:
            yield Ignored(reporter=NAME, reason=reason)
        elif ended is not None:
            yield from _closed(received, confirmed=ended)
        elif (arn := _arn(received)) is not None:
            yield _reference(received, arn)
        else:
            yield from _findings(received, now)
    except UnreadableError as error:
        yield ocsf.undecidable(received, error)


def _unwanted(received: ocsf.Received) -> str | None:
    """Give the reason why a finding is not for us; a class that is on no list is unreadable."""
    product, kind = ocsf.product(received).casefold(), received.finding.get("class_uid")
    if not product.startswith("aws/"):
        return f"A finding of {product}, whose findings Portcullis does not read"
    if _is_software(received):
        return _SOFTWARE
    if _arn(received) is not None or (kind == _DETECTION and product == _GUARDDUTY and _is_probe(received)):
        return None
    if product == _INSPECTOR:
        raise fields.refusal(
            ocsf.info(received), "uid", f"{received.path}finding_info.", "the ARN of a finding of Inspector"
        )
    if status.is_control(received):
        return None if _control(received) in controls.CONTROLS else controls.OTHER
    if type(kind) is int and kind in _UNWANTED:
        if product not in _READ and not is_known_other(product):
            place = fields.loose_object(fields.loose_object(received.finding["metadata"])["product"])
            raise fields.refusal(place, "uid", f"{received.path}metadata.product.", "a product of AWS on any list")
        return _UNWANTED[kind]
    if kind == _VULNERABILITY:
        raise fields.refusal(received.finding, "vulnerabilities", received.path, "a list of CVEs")
    raise fields.refusal(received.finding, "class_uid", received.path, "a class on any list")


def _is_software(received: ocsf.Received) -> bool:
    """Say whether a finding tells of CVEs and of nothing else; what else stands among them may be an open port."""
    listed = fields.loose_list(received.finding.get("vulnerabilities"))
    known = [isinstance(fields.loose_object(vulnerability).get("cve"), dict) for vulnerability in listed]
    return (bool(known) and all(known)) or any("/CVE" in kind for kind in _types(received))


def _types(received: ocsf.Received) -> list[str]:
    return [kind for kind in fields.loose_list(ocsf.info(received).get("types")) if isinstance(kind, str)]


def _is_probe(received: ocsf.Received) -> bool:
    """Say whether a finding of GuardDuty is of a port probe; one without a type of GuardDuty's is unreadable."""
    kinds = [kind for kind in _types(received) if ":" in kind and "/" in kind]
    if not kinds:
        problem = "name no type of GuardDuty's, like Recon:EC2/PortProbeUnprotectedPort"
        raise UnreadableError(f"{received.path}finding_info.types", problem)
    return any(map(is_probe, kinds))


def _resource(received: ocsf.Received) -> ocsf.Kind:
    """Say what a finding is about: of a control a group, of Inspector or a probe an instance."""
    return "security_group" if status.is_control(received) else "instance"


def _closed(received: ocsf.Received, *, confirmed: bool) -> Iterator[Closed | Ignored]:
    """Close what a finding has told of each server among the resources; one that cannot be read stays open."""
    closed, unread = [], False
    for index, resource in enumerate(fields.loose_list(received.finding.get("resources"))):
        path = f"{received.path}resources[{index}]."
        try:
            if ocsf.kind_of(fields.entry(resource, path), path) == _resource(received):
                server = ocsf.server(received, resource, path)
                closed.append(opening.closed(server, ocsf.reporter(received), confirmed=confirmed))
        except UnreadableError:
            unread = True
    yield from closed
    if unread or not closed:
        yield Ignored(reporter=NAME, reason=_CLOSES_NOTHING)


def _reference(received: ocsf.Received, arn: fields.Arn) -> Reference:
    """Name a finding of Inspector, to be fetched."""
    return Reference(
        reporter=NAME,
        service=_FETCHED_BY,
        arn=ocsf.info(received)["uid"],
        account=arn.account,
        region=arn.region,
        raw=received.raw,
        told_by=ocsf.reporter(received),
    )


def _findings(received: ocsf.Received, now: str) -> Iterator[Finding | Undecidable]:
    """Give what is open on each resource that the finding is about."""
    openings = _of_control(received) if status.is_control(received) else _of_probe(received)
    reporter, wanted, names_a_server = ocsf.reporter(received), _resource(received), False
    for index, resource in enumerate(fields.filled_list(received.finding, "resources", received.path)):
        path = f"{received.path}resources[{index}]."
        try:
            if ocsf.kind_of(fields.entry(resource, path), path) != wanted:
                continue
            server = ocsf.server(received, resource, path)
        except UnreadableError as error:
            yield ocsf.undecidable(received, error, resource)
        else:
            for ports, sources, known, notes in openings:
                yield opening.finding(
                    server, reporter, now, ports=[ports], sources=sources, reach_known=known, notes=notes
                )
            if not openings:
                yield opening.portless(server, reporter, now, controls.assumption(_control(received)))
        names_a_server = True
    if not names_a_server:
        raise UnreadableError(f"{received.path}resources", f"names no {wanted.replace('_', ' ')}")


def _of_control(received: ocsf.Received) -> list[_Opening]:
    """Give what a failed control means; nothing if it does not say which port is open."""
    name = _control(received)
    ports, sources = controls.CONTROLS[name]
    notes = (controls.assumption(name),)
    return [_Opening(opened, sources, reach_known=False, notes=notes) for opened in ports]


def _of_probe(received: ocsf.Received) -> list[_Opening]:
    """Give the ports that were probed; one that cannot be read spoils the finding."""
    openings: dict[_Opening, None] = {}
    for index, evidence in enumerate(fields.filled_list(received.finding, "evidences", received.path)):
        at = f"{received.path}evidences[{index}]."
        local = fields.mapping(fields.entry(evidence, at), "dst_endpoint", at)
        port = fields.port(local, "port", f"{at}dst_endpoint.")
        connection = fields.loose_object(evidence.get("connection_info"))
        assumed = connection.get("protocol_name") is None
        protocol = "tcp" if assumed else fields.protocol(connection, "protocol_name", f"{at}connection_info.")
        notes = (TCP_ASSUMED,) if assumed else ()
        openings[_Opening((protocol, port, port), (UNKNOWN,), reach_known=True, notes=notes)] = None
    return list(openings)


def _control(received: ocsf.Received) -> str:
    """Read the id of a control."""
    compliance, path = fields.mapping(received.finding, "compliance", received.path), f"{received.path}compliance."
    name = controls.spelled(fields.text(compliance, "control", path))
    if not controls.is_control(name):
        raise fields.refusal(compliance, "control", path, "the id of a control")
    return name


def _arn(received: ocsf.Received) -> fields.Arn | None:
    """Give the ARN that Inspector knows a finding by, if it is Inspector's."""
    arn = fields.arn(ocsf.info(received).get("uid"))
    return arn if arn is not None and arn.service == _FETCHED_BY else None
