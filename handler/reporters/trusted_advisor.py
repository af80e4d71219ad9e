"""AWS Trusted Advisor: its two checks of security groups whose ports are open to everyone, by event.

Shapes: AWS Support user guide, "Monitoring Trusted Advisor check results with Amazon EventBridge" and "Security"
(checks HCP4007jGY and 1iG5NDGVre). An item's details are the columns of the check's report; how an event spells them
is not documented, so case, blanks and punctuation do not count. Both checks look at IPv4 only.
"""

from collections.abc import Iterator
from typing import Any

from msgspec import UNSET, UnsetType

from handler.errors import UnreadableError
from handler.finding import Closed, Ignored, Report, Reporter, Server, Undecidable, identity
from handler.reporters import _fields as fields
from handler.reporters import _opening as opening

NAME = "trusted_advisor"
SOURCE = "aws.trustedadvisor"

_ITEM = "Trusted Advisor Check Item Refresh Notification"
_CALL = "AWS API Call via CloudTrail"
_PORT_CHECKS = {"securitygroupsspecificportsunrestricted", "securitygroupsunrestrictedaccess"}
_OTHER_CHECKS_OF_GROUPS = {"elbsecuritygroups", "amazonrdssecuritygroupaccessrisk"}
_OTHER_CHECK = "Another check of Trusted Advisor, not about the open ports of a security group"
_OK = "OK: Trusted Advisor sees no problem"
_HARMLESS = {25, 80, 443, 465}
"""Ports that may be open to everyone by one check or the other: of these OK does not say that they are closed."""

_ANYWHERE = "0.0.0.0/0"
_GROUP = "Security Group ID"
_FROM, _TO = "From Port", "To Port"
_IN_ONE = ("Port", "Ports", "Port Range")
_COLUMNS = (_GROUP, "Security Group Name", "Region", "Protocol", _FROM, _TO, *_IN_ONE)


def claims(event: Any) -> bool:
    """Claim Trusted Advisor's events."""
    return isinstance(event, dict) and event.get("source") == SOURCE


def normalize(event: dict[str, Any], now: str) -> Iterator[Report]:
    """Give the port of a security group that is open to everyone, or what the event is instead."""
    kind = fields.spoken(event.get("detail-type"))
    try:
        if kind == _CALL:
            yield Ignored(
                reporter=NAME, reason=f"{_CALL} tells that somebody called Trusted Advisor, not that a port is open"
            )
        elif kind == _ITEM:
            yield _item(fields.mapping(event, "detail", ""), event, now)
        else:
            raise fields.refusal(event, "detail-type", "", "on any list of Trusted Advisor's events")
    except UnreadableError as error:
        yield _undecidable(event, error)


def _item(detail: dict[str, Any], event: dict[str, Any], now: str) -> Report:
    """Read one item of a check."""
    path = "detail.check-item-detail."
    cells = _cells(fields.loose_object(detail.get("check-item-detail")), path)
    reason = _unwanted(detail, cells)
    if reason is not None:
        return Ignored(reporter=NAME, reason=reason)
    try:
        fields.mapping(detail, "check-item-detail", "detail.")
        return _of_group(detail, cells, event, now)
    except UnreadableError:
        if detail["status"] != "OK":
            raise
        return Ignored(reporter=NAME, reason=_OK)


def _of_group(detail: dict[str, Any], cells: dict[str, Any], event: dict[str, Any], now: str) -> Report:
    """Judge or close one row of a check's report: a group, a protocol and a port range, which are its id.

    Neither id of an event is a row's: `resource_id` is the group's or empty, and what `uuid` names AWS does not say.
    """
    path = "detail.check-item-detail."
    group, vpc = _group(cells, path)
    server = Server(
        kind="security_group",
        id=group,
        tags={},
        tags_known=False,
        account=fields.text(event, "account", ""),
        region=fields.text(cells, "Region", path),
        vpc=vpc,
    )
    protocol, (low, high) = fields.protocol(cells, "Protocol", path), _range(cells, path)
    reporter = Reporter(
        name=NAME,
        id=f"{detail['check-name']}: {group} {protocol}/{low}-{high}",
        severity=detail["status"],
        title=detail["check-name"],
        updated_at=fields.instant(event.get("time")),
    )
    if detail["status"] == "OK":
        if low == high and low in _HARMLESS:
            return Ignored(reporter=NAME, reason=_OK)
        return Closed(id=identity(server, "internet", {(protocol, low, high)}), reporter=reporter, server=server)
    called = fields.spoken(cells.get("Security Group Name"))
    return opening.finding(
        server,
        reporter,
        now,
        ports=[(protocol, low, high)],
        sources=(_ANYWHERE,),
        reach_known=False,
        notes=[f"The security group is called {called}"] if called else [],
    )


def _unwanted(detail: dict[str, Any], cells: dict[str, Any]) -> str | None:
    """Give the reason why an item is not for us; a check that is on no list and names a group is unreadable."""
    check = fields.squeezed(fields.text(detail, "check-name", "detail."))
    if check not in _PORT_CHECKS:
        if _GROUP in cells or ("securitygroup" in check and check not in _OTHER_CHECKS_OF_GROUPS):
            raise fields.refusal(detail, "check-name", "detail.", "a check of security groups on any list")
        return _OTHER_CHECK
    status = fields.text(detail, "status", "detail.")
    if status not in {"OK", "WARN", "ERROR"}:
        raise fields.refusal(detail, "status", "detail.", "a status on any list")
    return None


def _cells(item: dict[str, Any], path: str) -> dict[str, Any]:
    """Give the cells of the columns that are read here, under the names that the check's report gives them."""
    names = {fields.squeezed(name): name for name in _COLUMNS}
    cells: dict[str, Any] = {}
    for key, value in item.items():
        name = names.get(fields.squeezed(key))
        if name in cells:
            raise UnreadableError(f"{path}{key}", "is there twice, in two spellings")
        if name is not None:
            cells[name] = value
    return cells


def _group(cells: dict[str, Any], path: str) -> tuple[str, str | UnsetType]:
    """Read `sg-... (vpc-...)`, or the group alone."""
    group, _, vpc = fields.text(cells, _GROUP, path).partition(" ")
    inside = vpc.removeprefix("(").removesuffix(")")
    if not group.startswith("sg-") or vpc not in {"", f"({inside})"}:
        raise fields.refusal(cells, _GROUP, path, "a security group like sg-0a1 (vpc-0a1)")
    return group, inside or UNSET


def _range(cells: dict[str, Any], path: str) -> tuple[int, int]:
    """Read the ports: from two columns, or from one that holds a port or `8000-8100`."""
    column = next((name for name in _IN_ONE if name in cells), _FROM)
    if _FROM not in cells and isinstance(cells.get(column), str):
        first, _, last = cells[column].partition("-")
        cells = {_FROM: first.strip(), _TO: (last or first).strip()}
    elif _FROM not in cells:
        cells = {_FROM: cells.get(column), _TO: cells.get(column)}
    low, high = fields.port(cells, _FROM, path), fields.port(cells, _TO, path)
    if low > high:
        raise UnreadableError(path + column, f"{low} is above {high}")
    return low, high


def _undecidable(event: dict[str, Any], error: UnreadableError) -> Undecidable:
    """Say what could not be read, with as much of the rest as can be. The event's Region is Trusted Advisor's own."""
    detail = fields.loose_object(event.get("detail"))
    item = {fields.squeezed(key): value for key, value in fields.loose_object(detail.get("check-item-detail")).items()}
    return Undecidable(
        shape=f"{SOURCE} {fields.spoken(event.get('detail-type'))}"[:200],
        field=error.field,
        problem=error.problem,
        raw=event,
        reporter=NAME,
        id=fields.spoken(detail.get("resource_id")) or fields.spoken(detail.get("uuid")),
        account=fields.spoken(event.get("account")),
        region=fields.spoken(item.get("region")),
        server=fields.spoken(item.get(fields.squeezed(_GROUP))),
    )
