"""Amazon Inspector's findings in Security Hub: those about the network, by their structured fields.

Shape: botocore `securityhub`, `Network` and `NetworkPathComponent`. AWS has retired `Network`; where it is absent the
finding is fetched by its ARN, which is its `Id`. Its title is a sentence for people and is not read.
"""

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from handler.errors import UnreadableError
from handler.finding import Finding, Reference
from handler.reporters import _asff as asff
from handler.reporters import _fields as fields
from handler.reporters._network_path import follow
from handler.reporters._opening import Ports

RESOURCE: str | None = "AwsEc2Instance"

_SOFTWARE = "A finding of Inspector about software, not about an open port"
_SUPPRESSED = "SUPPRESSED by a rule in Inspector"
_FETCHED_BY = "inspector2"
_STATUS = "aws/inspector/FindingStatus"


def claims(received: asff.Received) -> bool:
    """Tell the findings of today's Inspector from those of its Classic, whose product has the same ARN."""
    return asff.product_fields(received).get("aws/inspector/ProductVersion") == "2" or _arn(received) is not None


def unwanted(received: asff.Received) -> str | None:
    """Tell findings about software by the CVEs that they list; those about the network list nothing."""
    if _is_software(received) and not has_ports(received):
        return _SOFTWARE
    return _SUPPRESSED if asff.product_fields(received).get(_STATUS) == "SUPPRESSED" and not received.asked else None


def ended(received: asff.Received) -> bool | None:
    """Inspector archives what it closes; what it still calls active may be open."""
    if received.finding.get("RecordState") != "ARCHIVED" or received.asked:
        return None
    return bool(asff.product_fields(received).get(_STATUS, "CLOSED") == "CLOSED")


def has_ports(received: asff.Received) -> bool:
    """Say whether the finding has its ports as structured fields."""
    return fields.loose_object(received.finding.get("Network")).get("OpenPortRange") is not None


def reference(received: asff.Received) -> Reference:
    """Name the finding, to be fetched."""
    arn = _arn(received)
    if arn is None:
        raise fields.refusal(
            received.finding, "Id", received.path, "the ARN of a finding of Inspector, by which to fetch it"
        )
    return Reference(
        reporter=asff.NAME,
        service=_FETCHED_BY,
        arn=received.finding["Id"],
        account=arn.account,
        region=arn.region,
        raw=received.raw,
        told_by=asff.reporter(received),
    )


def findings(received: asff.Received, resource: dict[str, Any], path: str, now: str) -> Iterator[Finding]:
    """Give the one finding of an instance."""
    server = asff.server(received, resource, path, RESOURCE)
    ports = _ports(received)
    steps = map(fields.loose_object, fields.loose_list(received.finding.get("NetworkPath")))
    way = follow(
        [{"componentId": step.get("ComponentId"), "componentType": step.get("ComponentType")} for step in steps],
        f"{received.path}NetworkPath",
    )
    hop = way.hop_to(server.id)
    groups = tuple(filter(None, hop.groups))
    yield asff.finding(received, replace(server, security_groups=groups), (hop.exposure(ports),), now, reach=way.reach)


def _is_software(received: asff.Received) -> bool:
    """Say whether a finding lists CVEs and nothing else; what else stands among them may be an open port."""
    listed = fields.loose_list(received.finding.get("Vulnerabilities"))
    known = [
        (fields.spoken(fields.loose_object(vulnerability).get("Id")) or "").startswith("CVE-")
        for vulnerability in listed
    ]
    kinds = fields.loose_list(received.finding.get("Types"))
    return (bool(known) and all(known)) or any("/CVE" in kind for kind in kinds if isinstance(kind, str))


def _ports(received: asff.Received) -> Ports:
    """Read the protocol and the open range."""
    network, path = fields.mapping(received.finding, "Network", received.path), f"{received.path}Network."
    if network.get("Direction", "IN") != "IN":
        raise fields.refusal(network, "Direction", path, "IN")
    opened = fields.mapping(network, "OpenPortRange", path)
    low = fields.port(opened, "Begin", f"{path}OpenPortRange.")
    high = fields.port(opened, "End", f"{path}OpenPortRange.")
    if low > high:
        raise UnreadableError(f"{path}OpenPortRange", f"Begin {low} is above End {high}")
    return fields.protocol(network, "Protocol", path), low, high


def _arn(received: asff.Received) -> fields.Arn | None:
    """Give the ARN that Inspector knows the finding by."""
    arn = fields.arn(received.finding.get("Id"))
    return arn if arn is not None and arn.service == _FETCHED_BY else None
