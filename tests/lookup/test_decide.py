"""`portcullis decide --look-up` judges what AWS knows, and prints what was looked up and what could not be."""

import json
from pathlib import Path
from typing import Any

import pytest

from handler.cli import main
from tests.lookup.cloud import ACCOUNT, REGION, Cloud, tcp
from tests.lookup.endpoint import Endpoint

NOW = ["--now", "2026-11-24T06:12:00Z"]
OFFICE = "203.0.113.0/24"


def event(instance: str, port: int) -> dict[str, Any]:
    """Give a finding of Inspector as `list_findings` does, without tags."""
    return {
        "findingArn": f"arn:aws:inspector2:{REGION}:{ACCOUNT}:finding/0a",
        "awsAccountId": ACCOUNT,
        "type": "NETWORK_REACHABILITY",
        "status": "ACTIVE",
        "updatedAt": "2026-11-24T05:58:10Z",
        "networkReachabilityDetails": {
            "openPortRange": {"begin": port, "end": port},
            "protocol": "TCP",
            "networkPath": {"steps": [{"componentId": "igw-1", "componentType": "AWS::EC2::InternetGateway"}]},
        },
        "resources": [{"id": instance, "type": "AWS_EC2_INSTANCE", "region": REGION}],
    }


@pytest.fixture
def recorded(tmp_path: Path, opa_path: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give what records a finding of ssh in a file."""
    monkeypatch.setenv("OPA_PATH", opa_path)

    def record(instance: str) -> str:
        file = tmp_path / "findings.json"
        file.write_text(json.dumps({"findings": [event(instance, 22)]}))
        return str(file)

    return record


def fields(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """Give the lines of verdicts, a blank between their fields, and what stands below them."""
    printed = capsys.readouterr()
    return printed.out.replace("\t", " "), printed.err


def test_ssh_from_the_office_is_silent(cloud: Cloud, recorded: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The report says neither who it is nor from where; AWS does, and the shipped policy allows it."""
    file = recorded(cloud.instance(cloud.group(tcp(22, OFFICE)), Name="bastion-01", Role="bastion"))
    assert main(["decide", *NOW, file]) == 1
    assert main(["decide", *NOW, "--look-up", file]) == 0
    assert f"tcp 22 {OFFICE} allow bastion-ssh" in fields(capsys)[0]


def test_what_was_looked_up_is_printed(cloud: Cloud, recorded: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The rule that is wrong stands beside its denial; below the table stands what was read, and when."""
    office, debug = cloud.group(tcp(22, OFFICE)), cloud.group(tcp(22, "0.0.0.0/0"))
    instance = cloud.instance(office, debug, Name="bastion-01", Role="bastion")
    assert main(["decide", *NOW, "--look-up", recorded(instance)]) == 1
    verdicts, below = fields(capsys)
    assert f"tcp 22 {OFFICE} allow bastion-ssh" in verdicts
    assert f"[{debug} {cloud.rules(debug)['0.0.0.0/0']}]" in verdicts
    assert f"bastion-01: tags of {instance} read at 20" in below
    assert f"bastion-01: rules of {office}, {debug} read at 20" in below or f"{debug}, {office} read at 20" in below


def test_what_could_not_be_looked_up_is_printed(
    endpoint: Endpoint, recorded: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """The permission that is missing is named, in the table's notes and in the JSON."""
    endpoint.tells["DescribeInstances"] = {}
    file = recorded("i-1")
    denied = f"ec2:DescribeNetworkInterfaces was denied in {ACCOUNT}: who reaches tcp 22 is unknown"
    assert main(["decide", *NOW, "--look-up", file]) == 1
    assert f"i-1: {denied}" in fields(capsys)[1]
    main(["decide", "--json", *NOW, "--look-up", file])
    assert denied in json.loads(capsys.readouterr().out)["finding"]["notes"]


def test_only_what_the_variables_say_is_looked_up(
    endpoint: Endpoint, recorded: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in the function; without the option nothing is."""
    monkeypatch.setenv("LOOK_UP_TAGS", "always")
    endpoint.tells["DescribeInstances"] = {}
    file = recorded("i-1")
    main(["decide", *NOW, file])
    assert endpoint.asked == []
    main(["decide", *NOW, "--look-up", file])
    assert endpoint.actions() == ["GetCallerIdentity", "DescribeInstances"]


def test_a_variable_that_cannot_be_read_is_said(
    recorded: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is judged."""
    monkeypatch.setenv("LOOK_UP_TAGS", "sometimes")
    assert main(["decide", *NOW, "--look-up", recorded("i-1")]) == 2
    assert "LOOK_UP_TAGS is 'sometimes'" in capsys.readouterr().err
