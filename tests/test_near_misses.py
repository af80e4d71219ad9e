"""What is nearly a known word is taken for it, or refused; it is never passed over in silence."""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from handler import reporters
from handler.finding import Ignored, Report, Undecidable
from tests import mutations
from tests.mutations import NOW, Place

CASES = Path(__file__).parent / "cases"

FINDING = ("detail", "findings", 0)
RESOURCE = (*FINDING, "Resources", 0)
RULE = (*RESOURCE, "Details", "AwsEc2SecurityGroup", "IpPermissions", 0)
PROBED = "aws/guardduty/service/action/portProbeAction/portProbeDetails.1_/localPortDetails/port"


def event(case: str) -> Any:
    """Return the event of a case."""
    return json.loads((CASES / case / "event.json").read_text())


def changed(case: str, path: Place, value: Any) -> list[Report]:
    """Return what the event of a case becomes with another value at a path."""
    told = event(case)
    mutations.at(told, path[:-1])[path[-1]] = value
    return reporters.normalize(told, NOW)


def renamed(case: str, path: Place, name: str) -> list[Report]:
    """Return what the event of a case becomes with a member under another name."""
    told = event(case)
    holder = mutations.at(told, path[:-1])
    holder[name] = holder.pop(path[-1])
    return reporters.normalize(told, NOW)


@pytest.mark.parametrize(
    ("case", "path", "value"),
    [
        pytest.param("security_hub/control-by-its-meaning", (*RESOURCE, "Type"), "awsEc2SecurityGroup ", id="asff"),
        pytest.param(
            "security_hub/control-by-its-meaning", (*FINDING, "Compliance", "SecurityControlId"), "ec2.13", id="control"
        ),
        pytest.param(
            "security_hub/control-of-pci", (*FINDING, "GeneratorId"), "PCI-DSS/v/3.2.1/PCI.EC2.5", id="standard"
        ),
        pytest.param(
            "security_hub/control-by-its-meaning",
            (*FINDING, "ProductArn"),
            "arn:aws:securityhub:eu-west-1::product/AWS/SecurityHub ",
            id="product",
        ),
        pytest.param("security_hub_v2/control", (*FINDING, "compliance", "control"), " ec2.13", id="control-v2"),
        pytest.param("config/ssh-of-a-template", ("detail", "resourceType"), "AWS::EC2::securityGroup", id="config"),
        pytest.param("guardduty/open", ("detail", "type"), "Recon:EC2/PORTPROBEUnprotectedPort", id="probe"),
    ],
)
def test_case_and_blanks_do_not_count(case: str, path: Place, value: str) -> None:
    """A kind in another case, or with blanks around it, is that kind."""
    before = reporters.normalize(event(case), NOW)
    assert changed(case, path, value) == before
    assert not any(isinstance(report, Ignored | Undecidable) for report in before)


@pytest.mark.parametrize(
    ("reports", "field"),
    [
        pytest.param(
            lambda: renamed("security_hub/control-by-its-rules", (*RULE, "IpRanges"), "ipRanges"),
            "IpPermissions[0].ipRanges",
            id="rule",
        ),
        pytest.param(
            lambda: changed("security_hub/control-by-its-rules", (*RULE, "IpRanges", 0, "cidrIp"), "::/0"),
            "IpRanges[0].cidrIp",
            id="source",
        ),
        pytest.param(
            lambda: changed("security_hub/control-two-groups", (*RESOURCE, "Type"), "AwsEc2SecurityGroups"),
            "Resources[0].Type",
            id="type-beside-a-known-one",
        ),
        pytest.param(
            lambda: changed(
                "security_hub_v2/control-two-groups-one-unreadable", (*FINDING, "resources", 0, "type"), "AwsEc2Group"
            ),
            "resources[0].type",
            id="type-v2",
        ),
        pytest.param(
            lambda: changed("config/ssh-of-a-template", ("detail", "resourceType"), "AWS::EC2::Groups"),
            "resourceType",
            id="type-of-config",
        ),
        pytest.param(
            lambda: changed("inspector_classic/aggregate", ("findings", 0, "attributes", -1, "key"), "UDP_Ports"),
            "attributes.UDP_Ports",
            id="attribute-of-classic",
        ),
        pytest.param(
            lambda: changed(
                "security_hub/classic-aggregate", (*FINDING, "ProductFields", "attributes/UDP_Ports"), "[[53 - 53]]"
            ),
            "attributes/UDP_Ports",
            id="attribute-of-classic-in-the-hub",
        ),
        pytest.param(
            lambda: changed("security_hub/classic-port", (*FINDING, "ProductFields", " attributes/UDP_PORTS"), "x"),
            " attributes/UDP_PORTS",
            id="blank-before-an-attribute",
        ),
        pytest.param(
            lambda: renamed(
                "security_hub/probe-of-two-ports-told-three-times", (*FINDING, "ProductFields", PROBED), f" {PROBED}"
            ),
            f"ProductFields. {PROBED}",
            id="blank-before-a-probed-port",
        ),
        pytest.param(
            lambda: changed("inspector2/page-of-list-findings", ("FailedItems",), {"arn": {}}),
            "FailedItems",
            id="failed-items",
        ),
        pytest.param(
            lambda: changed("inspector2/page-of-list-findings", ("failedItems",), {"arn": {}}),
            "failedItems",
            id="failed-items-beside-findings-of-inspector",
        ),
        pytest.param(
            lambda: changed("security_hub/page-of-get-findings", ("findings",), [{}]), "findings", id="two-pages"
        ),
        pytest.param(
            lambda: changed(
                "security_hub/own-product",
                (*FINDING, "ProductArn"),
                "arn:aws:securityhub:eu-west-1::product/aws/network-inspector",
            ),
            "ProductArn",
            id="unknown-product-of-aws",
        ),
        pytest.param(
            lambda: changed(
                "security_hub_v2/detection-of-a-threat",
                (*FINDING, "metadata", "product", "uid"),
                "arn:aws:securityhub:eu-west-1::productv2/aws/network-inspector",
            ),
            "metadata.product.uid",
            id="unknown-product-of-aws-v2",
        ),
    ],
)
def test_near_miss_is_undecidable(reports: Callable[[], list[Report]], field: str) -> None:
    """A misspelled member beside readable ones alerts with its path, whatever becomes of the others."""
    told = [report.field for report in reports() if isinstance(report, Undecidable)]
    assert any(path.endswith(field) for path in told), told


def test_path_longer_than_any_is_undecidable() -> None:
    """A path has at most 30 steps; a longer one is not followed."""
    told = event("inspector2/open")
    path = told["detail"]["networkReachabilityDetails"]["networkPath"]
    step = {"componentId": "sg-0a1", "componentType": "AWS::EC2::SecurityGroup"}
    path["steps"] = [step] * 30
    assert not any(isinstance(report, Undecidable) for report in reporters.normalize(deepcopy(told), NOW))
    path["steps"] = [step] * 17_000
    [report] = reporters.normalize(told, NOW)
    assert isinstance(report, Undecidable)
    assert report.field == "detail.networkReachabilityDetails.networkPath.steps"
    assert report.problem == "has 17000 steps, and no path has more than 30"
