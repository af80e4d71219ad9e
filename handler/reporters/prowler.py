"""Prowler: the JSON-OCSF files that it writes, a list of findings or one of them.

Shapes: prowler 4 to 5.46, `lib/outputs/ocsf/ocsf.py`: an OCSF Detection Finding for each check and resource. The ports
stand only in the check's id (see `_prowler_checks`), tags are texts like `Name:web-01`.
"""

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from msgspec import UNSET

from handler.errors import UnreadableError
from handler.finding import Ignored, Report, Reporter, Server, Undecidable
from handler.reporters import _fields as fields
from handler.reporters import _opening as opening
from handler.reporters._prowler_checks import NOT_WHICH, SOURCES, is_about_ports, is_check, is_checked, ports_of

NAME = "prowler"

_SHAPE = "Prowler OCSF finding"
_OTHER_CHECK = "Another check of Prowler, not about an open port of an instance or a security group"
_NOT_OPEN = "PASS: Prowler found the ports of the check closed to the internet"
_MUTED = "Muted in Prowler"
_TAGS_UNCLEAR = "Prowler's labels can be split in several ways, so the tags are unknown"
_KINDS: dict[str, Literal["instance", "security_group"]] = {
    "instance": "instance",
    "security-group": "security_group",
}
_COLONS_OF_AWS = 3


class _Place(NamedTuple):
    """What the ARN of a resource says."""

    kind: Literal["instance", "security_group"]
    id: str
    account: str
    region: str


def claims(event: Any) -> bool:
    """Claim Prowler's findings."""
    if not isinstance(event, dict) or "source" in event or "detail-type" in event:
        return False
    product = fields.loose_object(fields.loose_object(event.get("metadata")).get("product"))
    return product.get("name") == "Prowler" or product.get("uid") == "prowler"


def normalize(event: dict[str, Any], now: str) -> Iterator[Report]:
    """Give a finding for each resource of a failed check of ports, or what it is instead."""
    try:
        check = _check(event)
        reason = _unwanted(event, check)
        if reason is not None:
            yield Ignored(reporter=NAME, reason=reason)
            return
        if event["status_code"] == "PASS":
            yield from _passed(event)
            return
        reporter, ports = _reporter(event), _ports(check)
        resources = fields.filled_list(event, "resources", "")
    except UnreadableError as error:
        yield _undecidable(event, error, None)
        return
    for index, resource in enumerate(resources):
        path = f"resources[{index}]."
        try:
            server, notes = _server(fields.entry(resource, path), path)
        except UnreadableError as error:
            yield _undecidable(event, error, resource)
        else:
            notes = [NOT_WHICH, *notes]
            yield opening.finding(server, reporter, now, ports=ports, sources=SOURCES, reach_known=False, notes=notes)


def _passed(event: dict[str, Any]) -> Iterator[Report]:
    """Close what a check that failed before told of each resource."""
    try:
        reporter, listed = _reporter(event), fields.filled_list(event, "resources", "")
        places = [f"resources[{index}]." for index in range(len(listed))]
        servers = [_server(fields.entry(*at), at[1])[0] for at in zip(listed, places, strict=True)]
    except UnreadableError:
        yield Ignored(reporter=NAME, reason=_NOT_OPEN)
    else:
        confirmed = is_checked(event.get("status_detail")) and is_checked(event.get("message"))
        yield from (opening.closed(server, reporter, confirmed=confirmed) for server in servers)


def _check(event: dict[str, Any]) -> str:
    """Read the id of the check."""
    metadata = fields.mapping(event, "metadata", "")
    check = fields.text(metadata, "event_code", "metadata.")
    if not is_check(check):
        raise fields.refusal(metadata, "event_code", "metadata.", "the id of a check of Prowler")
    return check


def _unwanted(event: dict[str, Any], check: str) -> str | None:
    """Give the reason why a finding is not for us; MANUAL says that Prowler could not tell, so that is unreadable."""
    if not is_about_ports(check):
        return _OTHER_CHECK
    if event.get("status") == "Suppressed":
        return _MUTED
    if fields.text(event, "status_code", "") not in {"PASS", "FAIL"}:
        raise fields.refusal(event, "status_code", "", "PASS or FAIL")
    return None


def _ports(check: str) -> tuple[opening.Ports, ...]:
    """Give the ports of a check."""
    ports = ports_of(check)
    if ports is None:
        problem = f"is {check!r}: some port is open, but Prowler does not say which"
        raise UnreadableError("metadata.event_code", problem)
    return ports


def _server(resource: dict[str, Any], path: str) -> tuple[Server, list[str]]:
    """Read one resource, and what is to be said of it."""
    place, tags = _place(resource, path), _tags(resource, path)
    known = fields.loose_object(fields.loose_object(resource.get("data")).get("metadata"))
    groups = [group for group in fields.loose_list(known.get("security_groups")) if fields.spoken(group)]
    server = Server(
        kind=place.kind,
        id=place.id,
        name=fields.known(tags.get("Name")) if tags else UNSET,
        tags=tags or {},
        tags_known=tags is not None,
        account=place.account,
        region=place.region,
        vpc=fields.known(known.get("vpc_id")),
        subnet=fields.known(known.get("subnet_id")),
        security_groups=tuple(dict.fromkeys(groups)),
        platform=fields.known(known.get("platform")),
    )
    return server, [_TAGS_UNCLEAR] if tags is None and resource.get("labels") is not None else []


def _place(resource: dict[str, Any], path: str) -> _Place:
    """Read the ARN of an instance or a security group."""
    uid = fields.text(resource, "uid", path)
    named = fields.arn(uid)
    kind, _, name = uid.rpartition(":")[2].partition("/")
    if named is None or named.service != "ec2" or kind not in _KINDS or not name:
        raise fields.refusal(resource, "uid", path, "the ARN of an instance or a security group")
    return _Place(_KINDS[kind], name, named.account, named.region)


def _tags(resource: dict[str, Any], path: str) -> dict[str, str] | None:
    """Read labels like `Name:web-01`; null if there are none, or if a further colon leaves open where a key ends."""
    labels = resource.get("labels")
    if labels is None:
        return None
    if not isinstance(labels, list):
        raise fields.refusal(resource, "labels", path, "a list of texts")
    pairs = [_pair(label, f"{path}labels[{index}]") for index, label in enumerate(labels)]
    tags = {pair[0]: pair[1] for pair in pairs if pair is not None}
    return tags if len(tags) == len(labels) else None


def _pair(label: Any, path: str) -> tuple[str, str] | None:
    """Take a label apart. Only AWS writes keys that begin with `aws:`, and those have three parts."""
    if not isinstance(label, str) or ":" not in label:
        raise UnreadableError(path, f"is {fields.spell(label)}, and not a text like Name:web-01")
    wanted = _COLONS_OF_AWS if label.startswith("aws:") else 1
    *key, value = label.split(":", wanted)
    unclear = len(key) < wanted or (":" in value and wanted == 1)
    return None if unclear else (":".join(key), value)


def _reporter(event: dict[str, Any]) -> Reporter:
    """Say what Prowler says of its own finding. Of its two dates the number is in UTC, the text in the auditor's."""
    about = fields.mapping(event, "finding_info", "")
    received = about.get("created_time")
    return Reporter(
        name=NAME,
        id=fields.text(about, "uid", "finding_info."),
        severity=fields.spoken(event.get("severity")),
        title=fields.spoken(about.get("title")),
        updated_at=fields.instant(event.get("time") if received is None else received),
    )


def _undecidable(event: dict[str, Any], error: UnreadableError, resource: Any) -> Undecidable:
    """Say what could not be read, with as much of the rest as can be."""
    resources = fields.loose_list(event.get("resources"))
    place = fields.loose_object(resources[0] if resource is None and resources else resource)
    cloud = fields.loose_object(event.get("cloud"))
    return Undecidable(
        shape=_SHAPE,
        field=error.field,
        problem=error.problem,
        raw=event,
        reporter=NAME,
        id=fields.spoken(fields.loose_object(event.get("finding_info")).get("uid")),
        account=fields.spoken(fields.loose_object(cloud.get("account")).get("uid")),
        region=fields.spoken(place.get("region")) or fields.spoken(cloud.get("region")),
        server=fields.spoken(place.get("uid")),
    )
