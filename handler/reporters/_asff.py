"""What every finding in AWS's Security Finding Format (ASFF) has: who told it, and whose resource it is about.

Shape: Security Hub user guide, "AWS Security Finding Format (ASFF)"; botocore `securityhub`, `AwsSecurityFinding`.
"""

import re
from collections.abc import Iterator
from typing import Any, Literal, Protocol

from msgspec import UNSET, Struct

from handler.errors import UnreadableError
from handler.finding import Exposure, Finding, Ignored, Reach, Reporter, Server, Undecidable, identity
from handler.reporters import _fields as fields

NAME = "security_hub"

_KINDS: dict[str, tuple[Literal["instance", "security_group"], str]] = {
    "awsec2instance": ("instance", "i-"),
    "awsec2securitygroup": ("security_group", "sg-"),
}
"""By the `Type` of a resource, without its case."""

_ENDED = {"PASSED": True, "NOT_AVAILABLE": False}

_SERVER = re.compile("(?:i|sg)-[0-9a-z]+", re.ASCII | re.IGNORECASE)


class Received(Struct, frozen=True):
    """A finding as it came: where it stands (with a dot), the event around it, and what an alert attaches.

    `asked` is true when a person sent it by a custom action, and waits for the verdict.
    """

    shape: str
    path: str
    finding: dict[str, Any]
    around: dict[str, Any]
    raw: Any
    asked: bool = False


class Product(Protocol):
    """What a module has that reads the findings of one product. All its functions may raise `UnreadableError`.

    `RESOURCE` is the `Type` of what the findings are about, null for an instance or a security group.
    """

    RESOURCE: str | None

    def unwanted(self, received: Received) -> str | None:
        """Give the reason why a finding is about something else than an open port, or is muted in the product.

        Whoever asks is told of what is muted as well.
        """

    def ended(self, received: Received) -> bool | None:
        """Say whether the product itself ends a finding: true when nothing is open, false when it cannot tell.

        Null where it does not, or where whoever asks is told what is open nevertheless.
        """

    def findings(self, received: Received, resource: dict[str, Any], path: str, now: str) -> Iterator[Finding]:
        """Give what is open on one resource."""


def compliance(received: Received) -> str:
    """Read the verdict of a check."""
    holder, path = fields.mapping(received.finding, "Compliance", received.path), f"{received.path}Compliance."
    status = fields.text(holder, "Status", path)
    if status not in {"PASSED", "FAILED", "WARNING", "NOT_AVAILABLE"}:
        raise fields.refusal(holder, "Status", path, "a verdict on any list")
    return status


def ended(received: Received) -> bool | None:
    """Say whether a check ends its finding: true when it passed, false when it could not be made, else null."""
    return _ENDED.get(compliance(received))


def product_fields(received: Received) -> dict[str, Any]:
    """Give what the product says in its own words, nothing if it says nothing."""
    return fields.loose_object(received.finding.get("ProductFields"))


def details(resource: dict[str, Any]) -> dict[str, Any]:
    """Give what is said of an instance or a group beside its id, nothing if nothing is."""
    parts = fields.loose_object(resource.get("Details"))
    kind = fields.folded(resource.get("Type"))
    return fields.loose_object(next((part for name, part in parts.items() if fields.folded(name) == kind), None))


def is_judgeable(resource: dict[str, Any], path: str) -> bool:
    """Say whether a resource is an instance or a group; one whose id says so while its type does not is unreadable."""
    known = fields.folded(fields.text(resource, "Type", path)) in _KINDS
    if not known and _SERVER.fullmatch(_name(resource)):
        raise fields.refusal(resource, "Type", path, f"the type of what is called {_name(resource)}")
    return known


def finding(  # noqa: PLR0913  what a report says, part by part
    received: Received,
    server: Server,
    exposures: tuple[Exposure, ...],
    now: str,
    *,
    reach: Reach | None = None,
    notes: tuple[str, ...] = (),
) -> Finding:
    """Put together what was read. A way that is not told is assumed to be the worst."""
    ports: set[tuple[str, int, int]] = {
        (exposure.protocol, exposure.from_port, exposure.to_port) for exposure in exposures
    }
    return Finding(
        id=identity(server, reach or "internet", ports),
        reporters=(reporter(received),),
        now=now,
        reach=reach or "internet",
        reach_known=reach is not None,
        server=server,
        exposures=exposures,
        notes=notes,
    )


def reporter(received: Received) -> Reporter:
    """Say what the product says of its finding."""
    return Reporter(
        name=NAME,
        id=fields.text(received.finding, "Id", received.path),
        severity=fields.spoken(fields.loose_object(received.finding.get("Severity")).get("Label")),
        title=fields.spoken(received.finding.get("Title")),
        updated_at=fields.instant(received.finding.get("UpdatedAt")),
        first_seen_at=fields.instant(received.finding.get("FirstObservedAt")) or UNSET,
        asked=received.asked,
    )


def server(received: Received, resource: dict[str, Any], path: str, only: str | None = None) -> Server:
    """Read an instance or a group, or one of them only (its `Type`).

    The event around it may come from an administrator's account, and from the Region where findings are gathered.
    """
    if only is not None and fields.folded(only) != fields.folded(resource["Type"]):
        raise fields.refusal(resource, "Type", path, f"{only}, so it cannot be judged")
    kind, prefix = _KINDS[fields.folded(resource["Type"])]
    name = _name(resource)
    if not name.startswith(prefix):
        raise fields.refusal(resource, "Id", path, f"the ARN of what is called {prefix}...")
    tags, more = fields.tag_map(resource, "Tags", path), details(resource)
    return Server(
        kind=kind,
        id=name,
        name=fields.known(tags.get("Name")) if tags else UNSET,
        tags=tags or {},
        tags_known=tags is not None,
        account=_account(received) or fields.text(received.finding, "AwsAccountId", received.path),
        region=_region(resource) or fields.text(resource, "Region", path),
        vpc=fields.known(more.get("VpcId")),
        subnet=fields.known(more.get("SubnetId")),
    )


def ignored(received: Received, reason: str) -> Ignored:
    """Say why a finding is not for us; whoever asked about it is told whose it is."""
    if not received.asked:
        return Ignored(reporter=NAME, reason=reason)
    return Ignored(
        reporter=NAME,
        reason=reason,
        asked=True,
        id=fields.spoken(received.finding.get("Id")),
        account=_account(received) or fields.spoken(received.around.get("account")),
        region=_region(_first(received)) or fields.spoken(received.around.get("region")),
    )


def undecidable(received: Received, error: UnreadableError, resource: Any = None) -> Undecidable:
    """Say what could not be read, of one resource or of the whole, with as much of the rest as can be."""
    about = _first(received) if resource is None else fields.loose_object(resource)
    return Undecidable(
        shape=received.shape,
        field=error.field,
        problem=error.problem,
        raw=received.raw,
        reporter=NAME,
        id=fields.spoken(fields.loose_object(received.finding).get("Id")),
        account=_account(received) or fields.spoken(received.around.get("account")),
        region=_region(about) or fields.spoken(received.around.get("region")),
        server=_name(about) or None,
        asked=received.asked or UNSET,
    )


def _first(received: Received) -> dict[str, Any]:
    """Give the first instance or group among the resources, else the first resource."""
    listed = fields.loose_list(fields.loose_object(received.finding).get("Resources"))
    resources = [fields.loose_object(resource) for resource in listed]
    known = [resource for resource in resources if fields.folded(resource.get("Type")) in _KINDS]
    return next(iter(known + resources), {})


def _name(resource: dict[str, Any]) -> str:
    """Give the id of a resource, which stands at the end of its ARN."""
    return (fields.spoken(resource.get("Id")) or "").rpartition("/")[2]


def _account(received: Received) -> str | None:
    return fields.spoken(fields.loose_object(received.finding).get("AwsAccountId"))


def _region(resource: dict[str, Any]) -> str | None:
    arn = fields.arn(resource.get("Id"))
    return fields.spoken(resource.get("Region")) or (arn.region if arn else None)
