"""`portcullis baseline --sweep`: what the scanners list becomes proposals, against the loopback AWS."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from handler import aws
from handler.cli import main
from handler.settings import ROOT
from tests.builders import team_folder
from tests.sweep.aws_loopback import LoopbackAws, instance, network_finding

START = datetime(2026, 11, 24, 6, tzinfo=UTC)
GROUP_CASE = json.loads((ROOT / "tests" / "cases" / "security_hub" / "asked" / "event.json").read_text())


@pytest.fixture
def loopback(opa_path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackAws]:
    """Start an AWS with a finding of Inspector and one of Security Hub, and give the shell what a sweep needs."""
    team_folder(tmp_path)
    monkeypatch.chdir(tmp_path)
    with LoopbackAws() as world:
        settings = {
            "alert_topic_arn": "arn:aws:sns:eu-west-1:111122223333:alerts",
            "sweep_scanners": "inspector2,securityhub",
            "opa_path": opa_path,
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
            "aws_endpoint_url_inspector2": world.url,
            "aws_endpoint_url_securityhub": world.url,
        }
        for name, value in settings.items():
            monkeypatch.setenv(name.upper(), value)
        aws.lister.cache_clear()
        world.instances = {"i-0a1": instance(START)}
        finding = network_finding("a1", "i-0a1", 22, START)
        world.findings[finding["findingArn"]] = finding
        [control] = GROUP_CASE["detail"]["findings"]
        world.hub[control["Id"]] = control
        yield world
    aws.lister.cache_clear()


def test_what_scanners_list_is_proposed(loopback: LoopbackAws, capsys: pytest.CaptureFixture[str]) -> None:
    """Each page is judged as it is listed, with nothing remembered and nothing sent."""
    assert main(["baseline", "--sweep"]) == 1
    printed = capsys.readouterr()
    assert '"id": "sg-0a1-tcp-22"' in printed.out
    assert "With --look-up that is read from AWS.\n#   i-0a1: tcp 22\n" in printed.out
    assert "1 allowance proposed for 1 server, 1 not proposed" in printed.err
    assert not any(name.startswith("batch_get") for name in loopback.calls)


def test_listing_that_ends_early_is_said(loopback: LoopbackAws, capsys: pytest.CaptureFixture[str]) -> None:
    """What was listed is proposed, what may be missing is said, and the status is 2."""
    loopback.errors["ListFindings"] = [(403, "AccessDeniedException")]
    assert main(["baseline", "--sweep"]) == 2
    printed = capsys.readouterr().out.replace("\n#     ", " ")
    assert '"id": "sg-0a1-tcp-22"' in printed
    assert "inspector2 in 111122223333 eu-west-1 was not listed to its end, so that something may be missing" in printed
    assert "AccessDeniedException" in printed


def test_no_scanner_is_named(
    loopback: LoopbackAws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without SWEEP_SCANNERS there is nothing to list, which is said with what to write."""
    monkeypatch.delenv("SWEEP_SCANNERS")
    assert main(["baseline", "--sweep"]) == 2
    assert "SWEEP_SCANNERS is not set: name the scanners to list" in capsys.readouterr().err
    assert not loopback.calls
