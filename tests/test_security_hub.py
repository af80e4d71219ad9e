"""What Security Hub tells is the exposure that others tell, whichever of its formats and standards it comes in."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from handler import reporters
from handler.finding import Finding, Ignored, Reference, Report, Undecidable
from handler.folding import fold

NOW = "2026-11-24T06:12:00Z"
CASES = Path(__file__).parent / "cases"


def event(case: str) -> Any:
    """Give the event of a case."""
    return json.loads((CASES / case / "event.json").read_text())


def normalized(case: str) -> list[Report]:
    """Give what the event of a case becomes."""
    return reporters.normalize(event(case), NOW)


def exposure(case: str) -> str:
    """Give the identity of the one exposure of a case."""
    (report,) = normalized(case)
    assert isinstance(report, Finding)
    return report.id


@pytest.mark.parametrize(
    ("case", "same"),
    [
        pytest.param("security_hub/inspector-by-its-fields", "inspector2/open", id="Inspector"),
        pytest.param("security_hub/classic-port", "security_hub/classic-indexed", id="Classic, before and after 2019"),
        pytest.param("security_hub/control-of-cis-1-2", "security_hub/control-by-its-meaning", id="CIS"),
        pytest.param("security_hub/control-of-pci", "security_hub/control-by-its-meaning", id="PCI"),
        pytest.param("security_hub_v2/control", "security_hub/control-by-its-meaning", id="both Hubs"),
        pytest.param("security_hub/control-same-ports-in-two-rules", "security_hub/control-by-its-meaning", id="rules"),
        pytest.param("security_hub/prowler-group", "security_hub/control-rules-of-another-time", id="Prowler"),
    ],
)
def test_the_same_exposure_has_the_same_identity(case: str, same: str) -> None:
    """However it is told, it can be folded, and is remembered as one."""
    assert exposure(case) == exposure(same)


def test_classic_through_the_hub_is_what_classic_itself_tells() -> None:
    """The same attributes, as product fields and as the API gives them."""
    (told,) = normalized("security_hub/classic-port")
    (hub,) = (report for report in [told] if isinstance(report, Finding))
    answer = event("inspector_classic/port")
    finding = answer["findings"][0]
    product = event("security_hub/classic-port")["detail"]["findings"][0]["ProductFields"]
    finding["arn"] = product["aws/inspector/arn"]
    finding["attributes"] = [
        {"key": name.removeprefix("attributes/"), "value": value}
        for name, value in product.items()
        if name.startswith("attributes/")
    ]
    finding["assetAttributes"] = {"agentId": "i-0aaa", "schemaVersion": 1}
    (own,) = reporters.normalize({"findings": [finding], "failedItems": {}}, NOW)
    assert isinstance(own, Finding)
    assert (hub.id, hub.exposures, hub.reach, hub.notes) == (own.id, own.exposures, own.reach, own.notes)


def test_controls_of_one_group_are_one_exposure() -> None:
    """Several controls fail for one port of one group: one finding, and all of them are named."""
    told = [
        report
        for case in ("control-by-its-meaning", "control-by-its-rules")
        for report in normalized(f"security_hub/{case}")
    ]
    told += normalized("security_hub_v2/control")
    findings = [report for report in told if isinstance(report, Finding)]
    ssh = next(one.report for one in fold(("record", report) for report in findings) if one.report.id == findings[0].id)
    assert isinstance(ssh, Finding)
    assert [(one.name, one.id.split("/")[1]) for one in ssh.reporters] == [
        ("security_hub", "EC2.13"),
        ("security_hub", "EC2.19"),
        ("security_hub_v2", "EC2.13"),
    ]


@pytest.mark.parametrize("hub", ["security_hub", "security_hub_v2"])
def test_unreadable_finding_of_many_is_attached_alone(hub: str) -> None:
    """The alert shows an event with that finding only, which can be judged again as it is."""
    told = event(f"{hub}/many-findings")
    for report in reporters.normalize(told, NOW):
        if isinstance(report, Undecidable):
            (finding,) = report.raw["detail"]["findings"]
            assert finding in told["detail"]["findings"]
            again = [one for one in reporters.normalize(report.raw, NOW) if isinstance(one, Undecidable)]
            assert [one.problem for one in again] == [report.problem]


def test_reference_attaches_the_event() -> None:
    """If the finding cannot be fetched, the event that named it is what there is to show."""
    (report,) = normalized("security_hub_v2/inspector-reachability")
    assert isinstance(report, Reference)
    assert report.raw == event("security_hub_v2/inspector-reachability")


@pytest.mark.parametrize("status", ["NEW", "NOTIFIED", "RESOLVED", "SUPPRESSED", "ASSIGNED"])
@pytest.mark.parametrize("state", ["ACTIVE", "ARCHIVED"])
def test_question_is_judged_whatever_the_state(status: str, state: str) -> None:
    """A custom action is answered, though an event of the same finding would be put aside."""
    told = event("security_hub/asked")
    told["detail"]["findings"][0] |= {"Workflow": {"Status": status}, "RecordState": state}
    (report,) = reporters.normalize(told, NOW)
    assert isinstance(report, Finding)
    assert report.reporters[0].asked


def test_nothing_that_was_asked_is_silent() -> None:
    """What there is nothing to judge about is answered too, with whose it is."""
    silent = [
        path.parent.name
        for path in CASES.glob("security_hub/asked*/event.json")
        for report in normalized(f"security_hub/{path.parent.name}")
        if isinstance(report, Ignored) and not (report.asked and report.id and report.account and report.region)
    ]
    assert silent == []


def test_title_is_not_read() -> None:
    """The cases of Inspector say another port in their title than in their fields."""
    told = event("security_hub/inspector-by-its-fields")
    finding = told["detail"]["findings"][0]
    assert finding["Title"].startswith("Port 8443 ")
    (report,) = reporters.normalize(told, NOW)
    assert isinstance(report, Finding)
    assert report.exposures[0].from_port == 443
    nameless = deepcopy(told)
    del nameless["detail"]["findings"][0]["Title"]
    (again,) = reporters.normalize(nameless, NOW)
    assert isinstance(again, Finding)
    assert again.exposures == report.exposures


@pytest.mark.parametrize(
    ("hub", "list_of"), [("security_hub", "Vulnerabilities"), ("security_hub_v2", "vulnerabilities")]
)
def test_one_that_is_no_cve_is_fetched(hub: str, list_of: str) -> None:
    """Among CVEs, what is none may be an open port: Inspector itself is asked."""
    software = event(f"{hub}/inspector-vulnerability")
    network = event(f"{hub}/inspector-vulnerability-that-is-no-cve")
    (listed,) = software["detail"]["findings"]
    (told,) = network["detail"]["findings"]
    told[list_of] = listed[list_of]
    assert [type(report) for report in reporters.normalize(network, NOW)] == [Ignored]
    told[list_of] = [*listed[list_of], {"Id": "Port 22 is reachable"}]
    assert [type(report) for report in reporters.normalize(network, NOW)] == [Reference]
