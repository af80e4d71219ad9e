"""The scanners whose findings a sweep lists: what it asks them for, page by page, and whether they are on."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from handler.finding import Reporter
from handler.memory.observing import claim_of
from handler.memory.state import spelled
from handler.reporters import _fields as fields
from handler.reporters import inspector2, security_hub, security_hub_v2
from handler.sweep.absence import Covered, control_of

_INSTANCE, _GROUP = ("AwsEc2Instance", "AWS::EC2::Instance"), ("AwsEc2SecurityGroup", "AWS::EC2::SecurityGroup")
_SOFTWARE = "Software and Configuration Checks/Vulnerabilities/CVE"
_PAGE = 100
"""Findings on a page, the most that each of the scanners gives."""

Parameters = dict[str, Any]


class Status(Struct, frozen=True):
    """Whether a scanner is on, else in which state it is instead, and since when where it says so."""

    enabled: bool
    state: str = ""
    since: str | None = None


class Scanner(Struct, frozen=True, kw_only=True):
    """How the findings of a scanner are listed: the client, its operation, the key of the findings in an answer.

    `filters` makes the arguments for an account and Region, `name_of` reads the id of a finding, `suppressed` and
    `unsuppressed` are what it says where somebody has suppressed it, and what it would say else, `archived` what it
    says where its product tells of it no more, `created` reads when it was made. `status` asks whether the scanner is
    on in an account, and `coverage` what it scans there, where it says so. All raise what boto3 raises.
    """

    reporter: str
    service: str
    operation: str
    key: str
    filters: Callable[[str, str], Parameters]
    name_of: Callable[[Any], Any]
    suppressed: Parameters
    unsuppressed: Parameters
    archived: Parameters
    created: Callable[[Any], Any] = lambda _: None
    status: Callable[[Any, str], Status]
    coverage: Callable[[Any, str], Mapping[str, Covered]] | None = None

    def pages(self, client: Any, account: str, region: str) -> Iterator[list[Any]]:
        """Give the findings of each page."""
        pages = client.get_paginator(self.operation).paginate(
            **self.filters(account, region), PaginationConfig={"PageSize": _PAGE}
        )
        for page in pages:
            yield page.get(self.key, [])

    def active(self, finding: Any) -> dict[str, Any] | None:
        """Return a finding that is suppressed as if it were not; nothing for any other."""
        known = fields.loose_object(finding)
        is_suppressed = known.items() >= self.suppressed.items()
        return {**known, **self.unsuppressed} if is_suppressed else None

    def controls(self, findings: Iterable[Any]) -> dict[str, str]:
        """Return the controls of Security Hub that are on, each with the oldest date of what it has not archived."""
        controls: dict[str, str] = {}
        for finding in map(fields.loose_object, findings):
            name = self.name_of(finding)
            control = control_of(name) if isinstance(name, str) else ""
            created = fields.instant(self.created(finding)) if control else None
            if created is not None and not finding.items() >= self.archived.items():
                controls[control] = min(created, controls.get(control, created))
        return controls

    def writers(self, findings: Iterable[Any]) -> dict[str, str]:
        """Return by claim who has written the note at a finding: Security Hub has one where somebody dealt with it."""
        notes = {
            self.claim_of(finding): fields.loose_object(fields.loose_object(finding).get("Note"))
            for finding in findings
        }
        return {claim: writer for claim, note in notes.items() if (writer := fields.spoken(note.get("UpdatedBy")))}

    def claim_of(self, finding: Any) -> str:
        """Return the key of the claim that a listed finding holds, whatever its state."""
        name = self.name_of(fields.loose_object(finding))
        return claim_of(Reporter(name=self.reporter, id=name if isinstance(name, str) else ""))


def _equal(*values: str) -> list[dict[str, str]]:
    return [{"comparison": "EQUALS", "value": value} for value in values]


def _equals(*values: str) -> list[dict[str, str]]:
    return [{"Comparison": "EQUALS", "Value": value} for value in values]


def _any_of(field: str, *values: str) -> dict[str, Any]:
    filters = [{"FieldName": field, "Filter": {"Comparison": "EQUALS", "Value": value}} for value in values]
    return {"StringFilters": filters, "Operator": "OR"}


def _inspector_status(client: Any, account: str) -> Status:
    """Ask whether Inspector scans the instances of an account."""
    accounts = client.batch_get_account_status(accountIds=[account]).get("accounts", [])
    states = [entry["resourceState"]["ec2"]["status"] for entry in accounts if entry["accountId"] == account]
    state = states[0] if states else "not on: it does not know the account"
    return Status(state == "ENABLED", state)


def _inspector_coverage(client: Any, account: str) -> Mapping[str, Covered]:
    """Ask which instances of an account Inspector scans."""
    filters = {"accountId": _equal(account), "resourceType": _equal("AWS_EC2_INSTANCE"), "scanType": _equal("NETWORK")}
    pages = client.get_paginator("list_coverage").paginate(filterCriteria=filters)
    return {resource["resourceId"]: _covered(resource) for page in pages for resource in page["coveredResources"]}


def _covered(resource: dict[str, Any]) -> Covered:
    status, scanned = resource.get("scanStatus", {}), resource.get("lastScannedAt")
    return Covered(
        status.get("statusCode") == "ACTIVE",
        status.get("reason", ""),
        spelled(scanned) if isinstance(scanned, datetime) else None,
    )


def _subscribed(answer: dict[str, Any]) -> Status:
    """Read since when the Hub is on; it refuses to answer where it is not."""
    return Status(enabled=True, since=fields.instant(answer.get("SubscribedAt")))


def _created(about: dict[str, Any]) -> Any:
    """Read when a finding of OCSF was made: `created_time` is in milliseconds."""
    made = about.get("created_time")
    return about.get("created_time_dt") or (made / 1000 if isinstance(made, int | float) else None)


SCANNERS: Mapping[str, Scanner] = {
    "inspector2": Scanner(
        reporter=inspector2.NAME,
        service="inspector2",
        operation="list_findings",
        key="findings",
        filters=lambda account, _: {
            "filterCriteria": {"awsAccountId": _equal(account), "findingType": _equal("NETWORK_REACHABILITY")}
        },
        name_of=lambda finding: finding.get("findingArn"),
        suppressed={"status": "SUPPRESSED"},
        unsuppressed={"status": "ACTIVE"},
        archived={"status": "CLOSED"},
        status=_inspector_status,
        coverage=_inspector_coverage,
    ),
    "securityhub": Scanner(
        reporter=security_hub.NAME,
        service="securityhub",
        operation="get_findings",
        key="Findings",
        filters=lambda account, region: {
            "Filters": {
                "AwsAccountId": _equals(account),
                "Region": _equals(region),
                "ResourceType": _equals(_INSTANCE[0], _GROUP[0]),
                "Type": [{"Comparison": "PREFIX_NOT_EQUALS", "Value": _SOFTWARE}],
            }
        },
        name_of=lambda finding: finding.get("Id"),
        suppressed={"Workflow": {"Status": "SUPPRESSED"}},
        unsuppressed={"Workflow": {"Status": "NEW"}},
        archived={"RecordState": "ARCHIVED"},
        created=lambda finding: finding.get("CreatedAt"),
        status=lambda client, _: _subscribed(client.describe_hub()),
    ),
    "securityhub-v2": Scanner(
        reporter=security_hub_v2.NAME,
        service="securityhub",
        operation="get_findings_v2",
        key="Findings",
        filters=lambda account, region: {
            "Filters": {
                "CompositeFilters": [
                    _any_of("cloud.account.uid", account),
                    _any_of("cloud.region", region),
                    _any_of("resources.type", *_INSTANCE, *_GROUP),
                ],
                "CompositeOperator": "AND",
            }
        },
        name_of=lambda finding: fields.loose_object(finding.get("finding_info")).get("uid"),
        suppressed={"status_id": 3},
        unsuppressed={"status_id": 1},
        archived={"activity_id": 3},
        created=lambda finding: _created(fields.loose_object(finding.get("finding_info"))),
        status=lambda client, _: _subscribed(client.describe_security_hub_v2()),
    ),
}
"""By their names in SWEEP_SCANNERS."""
