"""Every reporter turns its reports into findings, and whatever it cannot read into something that alerts."""

import json
import pkgutil
from copy import deepcopy
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest

import handler.reporters
from handler import events, reporters
from handler.finding import Closed, Finding, Ignored, Reference, Report, Reporter, Server, Undecidable
from handler.folding import fold
from handler.reporters import _fields as fields

CASES = Path(__file__).parent / "cases"
NOW = "2026-11-24T06:12:00Z"
PATHS = sorted(path.parent for path in CASES.glob("*/*/event.json"))
NAMES = [reporter.NAME for reporter in reporters.REPORTERS]


def read(path: Path) -> Any:
    """Give the JSON of a case."""
    return json.loads(path.read_text())


def event(case: str) -> Any:
    """Give the one event inside a case, without its envelope."""
    (record,) = events.unwrap(read(CASES / case / "event.json"), "request").records
    return record.event


def normalized(case: Path) -> list[Report]:
    """Give what a case's event becomes, whatever its envelope."""
    records = events.unwrap(read(case / "event.json"), "request").records
    return [report for record in records for report in reporters.normalize(record.event, NOW)]


def spelled(report: Report) -> dict[str, Any]:
    """Spell a report as `findings.json` does: its kind, and all of it but what an alert attaches."""
    kind = type(report).__name__.lower()
    told = msgspec.json.decode(msgspec.json.encode(report))
    return {"outcome": kind} | {key: value for key, value in told.items() if key != "raw"}


def test_every_module_of_the_folder_is_listed() -> None:
    """A reporter that is written is asked; helpers begin with an underscore."""
    folder = {module.name for module in pkgutil.iter_modules(handler.reporters.__path__)}
    assert {name for name in folder if not name.startswith("_")} == set(NAMES)
    assert len(NAMES) == len(set(NAMES))


@pytest.mark.parametrize("name", NAMES)
def test_every_reporter_has_cases_of_each_outcome(name: str) -> None:
    """Judged, put aside with a reason, and alerted as unreadable are shown for each reporter; so are zero and many."""
    found = [normalized(path) for path in PATHS if path.parent.name == name]
    kinds = {type(report) for case in found for report in case}
    assert Finding in kinds
    assert kinds & {Closed, Ignored}
    assert Undecidable in kinds
    assert any(len(case) > 1 for case in found)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_case(path: Path) -> None:
    """An event becomes exactly what its case says."""
    assert [spelled(report) for report in normalized(path)] == read(path / "findings.json")


@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_one_reporter_claims_a_case(path: Path) -> None:
    """No event is two reporters'."""
    for record in events.unwrap(read(path / "event.json"), "request").records:
        assert [one.NAME for one in reporters.REPORTERS if one.claims(record.event)] == [path.parent.name]


def test_identity_is_made_of_place_server_reach_and_ports() -> None:
    """The id is that of the exposure, spelled out here once; stores keep it, so it must not change."""
    (finding,) = reporters.normalize(event("inspector2/open"), NOW)
    told = "111122223333\neu-west-1\ninstance\ni-0aaa\ninternet\ntcp/443-443"
    assert isinstance(finding, Finding)
    assert finding.id == sha256(told.encode()).hexdigest()[:32]


def test_closed_has_the_identity_of_its_open_finding() -> None:
    """What closes an exposure names the same exposure."""
    (opened,) = reporters.normalize(event("inspector2/open"), NOW)
    (closed,) = reporters.normalize(event("inspector2/closed"), NOW)
    assert isinstance(opened, Finding)
    assert isinstance(closed, Closed)
    assert opened.id == closed.id


@pytest.mark.parametrize(
    ("opened", "ended", "confirmed"),
    [
        pytest.param("config/authorized-ports", "config/compliant", True, id="Config, compliant"),
        pytest.param("config/authorized-ports", "config/not-applicable", False, id="Config, not applicable"),
        pytest.param("guardduty/port-as-text", "guardduty/archived", False, id="GuardDuty, archived"),
        pytest.param("inspector2/open", "inspector2/closed", True, id="Inspector, closed"),
        pytest.param("prowler/instance-ssh", "prowler/pass", True, id="Prowler, passed"),
        pytest.param("security_hub/classic-port", "security_hub/classic-archived", False, id="Hub, Classic archived"),
        pytest.param("security_hub/config-ssh", "security_hub/config-ssh-passed", True, id="Hub, Config passed"),
        pytest.param("security_hub/control-by-its-meaning", "security_hub/resolved", False, id="Hub, resolved"),
        pytest.param("security_hub/control-by-its-rules", "security_hub/control-archived", False, id="Hub, archived"),
        pytest.param(
            "security_hub/inspector-by-its-fields",
            "security_hub/inspector-archived",
            True,
            id="Hub, Inspector archived",
        ),
        pytest.param("security_hub/probe", "security_hub/probe-archived", False, id="Hub, GuardDuty archived"),
        pytest.param("security_hub/prowler-group", "security_hub/prowler-passed", True, id="Hub, Prowler passed"),
        pytest.param("security_hub_v2/control", "security_hub_v2/control-passed", True, id="new Hub, passed"),
        pytest.param(
            "security_hub_v2/probe", "security_hub_v2/probe-that-guardduty-closed", False, id="new Hub, closed"
        ),
        pytest.param("trusted_advisor/specific-port", "trusted_advisor/ok", True, id="Trusted Advisor, OK"),
    ],
)
def test_what_ends_names_the_report_and_the_server_that_it_told_open(
    opened: str, ended: str, *, confirmed: bool
) -> None:
    """By these a report is closed: the reporter, its id of the report, and the server's kind, id, account, Region."""
    closings = [report for report in normalized(CASES / ended) if isinstance(report, Closed)]
    assert [closing.confirmed for closing in closings] == [confirmed]
    told = [report for report in normalized(CASES / opened) if isinstance(report, Finding)]
    assert {_claim(report.reporters[0], report.server) for report in told} == {
        _claim(closing.reporter, closing.server) for closing in closings
    }


def _claim(reporter: Reporter, server: Server) -> tuple[str, ...]:
    return reporter.name, reporter.id, server.kind, server.id, server.account, server.region


@pytest.mark.parametrize("end", ["security_hub/control-archived", "security_hub/resolved"])
def test_what_ends_without_evidence_silences_nothing_of_its_batch(end: str) -> None:
    """Told open before, in the same invocation, it is judged: nobody has seen the port closed."""
    opened = "control-by-its-rules" if end.endswith("archived") else "control-by-its-meaning"
    told = [*normalized(CASES / "security_hub" / opened), *normalized(CASES / end)]
    folded = fold((str(number), report) for number, report in enumerate(told) if isinstance(report, Finding | Closed))
    assert [type(one.report) for one in folded] == [type(report) for report in told]


def test_the_ends_of_two_reports_of_a_server_stay_two() -> None:
    """Each closes what its own report has told."""
    told = [*normalized(CASES / "security_hub/control-passed"), *normalized(CASES / "security_hub/resolved")]
    folded = fold((str(number), report) for number, report in enumerate(told) if isinstance(report, Closed))
    assert [one.report for one in folded] == told


def test_told_again_it_is_the_same_exposure() -> None:
    """Another event, another date, another group on the path, by the API instead: the same id."""
    told = event("inspector2/open")
    again = deepcopy(told["detail"]) | {"updatedAt": datetime(2026, 11, 23, tzinfo=UTC), "severity": "LOW"}
    again["networkReachabilityDetails"]["networkPath"]["steps"][2]["componentId"] = "sg-0zzz"
    (first,) = reporters.normalize(told, NOW)
    (second,) = reporters.normalize({"findings": [again]}, NOW)
    assert isinstance(first, Finding)
    assert isinstance(second, Finding)
    assert first.id == second.id


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("guardduty/open", "prowler/instance-ssh", id="instance"),
        pytest.param("config/ssh-of-control-tower", "trusted_advisor/ssh", id="group"),
    ],
)
def test_reporters_tell_the_same_exposure(one: str, other: str) -> None:
    """What two reporters tell of one port of one server is one finding, with both of them named."""
    told = [report for case in (one, other) for report in normalized(CASES / case)]
    (folded,) = fold((str(number), report) for number, report in enumerate(told) if isinstance(report, Finding))
    assert isinstance(folded.report, Finding)
    assert sorted(reporter.name for reporter in folded.report.reporters) == sorted(
        case.split("/")[0] for case in (one, other)
    )


def test_unreadable_event_is_attached_whole() -> None:
    """The alert shows the event as it came."""
    told = event("inspector2/reversed-range")
    (report,) = reporters.normalize(told, NOW)
    assert isinstance(report, Undecidable)
    assert report.raw == told


def test_unreadable_finding_of_a_page_is_attached_alone() -> None:
    """One bad finding of many is shown without the others."""
    page = event("inspector2/page-of-list-findings")
    reports = reporters.normalize(page, NOW)
    assert [report.raw for report in reports if isinstance(report, Undecidable)] == page["findings"][3:]


def test_reference_attaches_the_message() -> None:
    """If the finding cannot be fetched, the message that named it is what there is to show."""
    told = event("inspector_classic/message-finding-reported")
    (report,) = reporters.normalize(told, NOW)
    assert isinstance(report, Reference)
    assert report.raw == told


def test_item_that_the_api_did_not_give_is_attached_alone() -> None:
    """A failed item is shown with its ARN."""
    answer = event("inspector_classic/failed-items-only")
    *_, report = reporters.normalize(answer, NOW)
    assert isinstance(report, Undecidable)
    assert report.raw == answer["failedItems"]


@pytest.mark.parametrize(
    ("told", "shape"),
    [
        pytest.param({"source": "aws.s3", "detail-type": "Object Created"}, "aws.s3 Object Created", id="bus"),
        pytest.param({"b": 1, "a": {"c": 2}}, "an object of a, b", id="keys"),
        pytest.param({}, "an object of nothing", id="nothing"),
        pytest.param([], "an event that is no object", id="empty array"),
        pytest.param("text", "an event that is no object", id="text"),
        pytest.param(None, "an event that is no object", id="null"),
        pytest.param({f"key-{number}": 1 for number in range(1000)}, None, id="a thousand keys"),
    ],
)
def test_what_nobody_claims_is_undecidable(told: Any, shape: str | None) -> None:
    """An unknown event alerts under a short shape that events of its kind share."""
    (report,) = reporters.normalize(told, NOW)
    assert isinstance(report, Undecidable)
    assert report.raw == told
    assert report.shape == shape or (shape is None and len(report.shape) <= 200)


def test_unknown_event_says_whose_it_is() -> None:
    """EventBridge's account and Region are given, so that the alert finds its team."""
    told = {"source": "aws.x", "detail-type": "Y", "account": "111122223333", "region": "eu-west-1"}
    (report,) = reporters.normalize(told, NOW)
    assert isinstance(report, Undecidable)
    assert (report.account, report.region) == ("111122223333", "eu-west-1")


def test_every_member_of_an_array_is_read() -> None:
    """An array inside one message is several events."""
    told = [event("inspector2/open"), event("inspector2/scan"), {"unknown": True}]
    assert [type(report) for report in reporters.normalize(told, NOW)] == [Finding, Ignored, Undecidable]


@pytest.mark.parametrize(
    ("told", "read_as"),
    [
        pytest.param("Thu Sep 05 13:06:56.334 UTC 2024", "2024-09-05T13:06:56Z", id="event of today"),
        pytest.param("Mar 20, 2023, 6:08:05 PM", "2023-03-20T18:08:05Z", id="event of 2023"),
        pytest.param("Mar 20, 2023, 6:08:05\u202fPM", "2023-03-20T18:08:05Z", id="with a newer Java's narrow space"),
        pytest.param("Dec 1, 2023, 12:00:05 AM", "2023-12-01T00:00:05Z", id="midnight"),
        pytest.param("Dec 1, 2023, 12:00:05 PM", "2023-12-01T12:00:05Z", id="noon"),
        pytest.param("2026-11-20T09:15:29.334000+01:00", "2026-11-20T08:15:29Z", id="ISO with an offset"),
        pytest.param("2026-11-20T09:15:29Z", "2026-11-20T09:15:29Z", id="ISO in UTC"),
        pytest.param("2026-11-20T09:15:29", "2026-11-20T09:15:29Z", id="ISO without an offset"),
        pytest.param(1458680301.37, "2016-03-22T20:58:21Z", id="seconds since 1970"),
        pytest.param(datetime(2026, 11, 20, 9, 15, tzinfo=UTC), "2026-11-20T09:15:00Z", id="datetime"),
        pytest.param(
            datetime(2026, 11, 20, 9, 15, tzinfo=timezone(timedelta(hours=9))), "2026-11-20T00:15:00Z", id="elsewhere"
        ),
        pytest.param("Thu Sep 05 13:06:56.334 CEST 2024", None, id="a zone whose offset is not known"),
        pytest.param("Thu Sept 05 13:06:56 UTC 2024", None, id="no month of AWS"),
        pytest.param("Thu Feb 30 13:06:56 UTC 2024", None, id="no day of the month"),
        pytest.param("yesterday", None, id="words"),
        pytest.param("", None, id="empty"),
        pytest.param(1e300, None, id="beyond all years"),
        pytest.param(float("nan"), None, id="no number"),
        pytest.param(None, None, id="absent"),
        pytest.param(["2026"], None, id="list"),
    ],
)
def test_dates(told: Any, read_as: str | None) -> None:
    """Every form that AWS writes is read to the second, in UTC; what cannot be read is null, not an error."""
    assert fields.instant(told) == read_as
