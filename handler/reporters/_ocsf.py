"""What every finding in the Open Cybersecurity Schema Framework (OCSF) has, as the new Security Hub writes it.

Shape: OCSF 1.6, category Findings, with the profile Cloud; botocore `securityhub`, `OcsfStringField`.
"""

import re
from typing import Any, Literal

from msgspec import UNSET, Struct
from msgspec.structs import replace

from handler.errors import UnreadableError
from handler.finding import Reporter, Server, Undecidable
from handler.reporters import _fields as fields

NAME = "security_hub_v2"

Kind = Literal["instance", "security_group"]
_KINDS: dict[str, tuple[Kind, str]] = {
    "aws::ec2::instance": ("instance", "i-"),
    "aws::ec2::securitygroup": ("security_group", "sg-"),
    "awsec2instance": ("instance", "i-"),
    "awsec2securitygroup": ("security_group", "sg-"),
}
"""By the `type` of a resource, without its case."""

_SERVER = re.compile("(?:i|sg)-[0-9a-z]+", re.ASCII | re.IGNORECASE)


class Received(Struct, frozen=True):
    """A finding as it came: where it stands (with a dot), the event around it, and what an alert attaches."""

    shape: str
    path: str
    finding: dict[str, Any]
    around: dict[str, Any]
    raw: Any


def product(received: Received) -> str:
    """Read the product: `arn:aws:securityhub:REGION:ACCOUNT:productv2/COMPANY/PRODUCT`."""
    metadata = fields.mapping(received.finding, "metadata", received.path)
    holder, path = fields.mapping(metadata, "product", f"{received.path}metadata."), f"{received.path}metadata.product."
    _, separator, name = fields.text(holder, "uid", path).rpartition(":productv2/")
    if not separator or not name:
        raise fields.refusal(holder, "uid", path, "the ARN of a product")
    return name.strip()[:100]


def info(received: Received) -> dict[str, Any]:
    """Give what the finding says of itself, nothing if nothing."""
    return fields.loose_object(fields.loose_object(received.finding).get("finding_info"))


def kind_of(resource: dict[str, Any], path: str) -> Kind | None:
    """Say whether a resource is an instance or a group; null if it is neither, and neither its id says so."""
    known = _KINDS.get(fields.folded(fields.text(resource, "type", path)))
    name = (fields.spoken(resource.get("uid")) or "").rpartition("/")[2]
    if known is None and _SERVER.fullmatch(name):
        raise fields.refusal(resource, "type", path, f"the type of what is called {name}")
    return known[0] if known else None


def reporter(received: Received) -> Reporter:
    """Say what the product says of its finding."""
    about = info(received)
    return Reporter(
        name=NAME,
        id=fields.text(about, "uid", f"{received.path}finding_info."),
        severity=fields.spoken(received.finding.get("severity")),
        title=fields.spoken(about.get("title")),
        updated_at=fields.instant(about.get("modified_time_dt") or received.finding.get("time_dt")),
        first_seen_at=fields.instant(about.get("first_seen_time_dt")) or UNSET,
    )


def server(received: Received, resource: dict[str, Any], path: str) -> Server:
    """Read an instance or a group; `uid` is its id, in places its ARN."""
    kind, prefix = _KINDS[fields.folded(resource["type"])]
    name = fields.text(resource, "uid", path).rpartition("/")[2]
    if not name.startswith(prefix):
        raise fields.refusal(resource, "uid", path, f"the id of what is called {prefix}...")
    tags = fields.pairs(resource, "tags", path, "name")
    more = fields.loose_object(fields.loose_object(resource.get("data")).get("awsEc2InstanceDetails"))
    subnet = fields.loose_object(resource.get("subnet_info")).get("uid")
    return Server(
        kind=kind,
        id=name,
        name=fields.known(tags.get("Name")) if tags else UNSET,
        tags=tags or {},
        tags_known=tags is not None,
        account=_account(received, resource) or fields.text({}, "uid", f"{path}owner.account."),
        region=_region(received, resource) or fields.text(resource, "region", path),
        vpc=fields.known(resource.get("vpc_uid")) or fields.known(more.get("vpcId")),
        subnet=fields.known(subnet) or fields.known(more.get("subnetId")),
        platform=fields.known(more.get("platform")),
    )


def undecidable(received: Received, error: UnreadableError, resource: Any = None) -> Undecidable:
    """Say what could not be read, of one resource or of the whole, with as much of the rest as can be."""
    received = replace(received, finding=fields.loose_object(received.finding))
    resources = [fields.loose_object(resource) for resource in fields.loose_list(received.finding.get("resources"))]
    known = [resource for resource in resources if fields.folded(resource.get("type")) in _KINDS]
    first = next(iter([*known, *resources] if resource is None else [fields.loose_object(resource)]), {})
    return Undecidable(
        shape=received.shape,
        field=error.field,
        problem=error.problem,
        raw=received.raw,
        reporter=NAME,
        id=fields.spoken(info(received).get("uid")),
        account=_account(received, first) or fields.spoken(received.around.get("account")),
        region=_region(received, first) or fields.spoken(received.around.get("region")),
        server=(fields.spoken(first.get("uid")) or "").rpartition("/")[2] or None,
    )


def _account(received: Received, resource: dict[str, Any]) -> str | None:
    owner, cloud = (fields.loose_object(holder) for holder in (resource.get("owner"), received.finding.get("cloud")))
    uids = (fields.spoken(fields.loose_object(holder.get("account")).get("uid")) for holder in (owner, cloud))
    return next(filter(None, uids), None)


def _region(received: Received, resource: dict[str, Any]) -> str | None:
    cloud = fields.loose_object(received.finding.get("cloud"))
    return fields.spoken(resource.get("region")) or fields.spoken(cloud.get("region"))
