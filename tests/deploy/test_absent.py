"""The Regions in which the modules refuse a scanner are those for which AWS's SDK has no endpoint of it."""

import json

import boto3
import pytest

from handler.settings import ROOT

ABSENT = json.loads((ROOT / "deploy" / "absent.json").read_text())


def regions(service: str) -> set[str]:
    """Return the Regions of all partitions that have a service, by botocore's endpoints."""
    session = boto3.Session()
    partitions = session.get_available_partitions()
    return {region for partition in partitions for region in session.get_available_regions(service, partition)}


@pytest.mark.parametrize("scanner", ABSENT)
def test_a_scanner_is_refused_where_it_has_no_endpoint(scanner: str) -> None:
    """Each Region with EC2 is either with an endpoint of the scanner or on its list, in order."""
    service = scanner.replace("_", "")
    assert regions(service)
    assert ABSENT[scanner] == sorted(regions("ec2") - regions(service))


def test_every_scanner_with_endpoints_has_a_list() -> None:
    """Trusted Advisor alone has none: its events come from us-east-1, wherever its endpoints are."""
    patterns = {path.stem for path in (ROOT / "deploy" / "patterns").glob("*.json")}
    assert patterns - ABSENT.keys() == {"trusted_advisor"}
