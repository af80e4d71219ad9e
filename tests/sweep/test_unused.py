"""An allowance that nothing needs is told to its owner, once, after enough sweeps that have seen everything."""
# ruff: noqa: SLF001  it looks at what the started function holds

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from handler import readings
from handler.bundle import Folder
from handler.cli import main
from handler.memory.store import Table
from handler.sweep import unused
from tests.memory.story import Stage, remembering
from tests.memory.tables import make_table
from tests.sweep.aws_loopback import network_finding
from tests.sweep.test_listing import Sweeps, loopback, sweeps
from tests.sweep.test_queue import taken

__all__ = ["loopback", "sweeps"]

WEB = "arn:aws:inspector2:eu-west-1:111122223333:finding/c1"
DAY = 24


@pytest.fixture(scope="module")
def stage(opa_path: str, tmp_path_factory: pytest.TempPathFactory, dynamodb: DynamoDBClient) -> Iterator[Stage]:
    """Start the function once."""
    folder = tmp_path_factory.mktemp("function")
    with remembering(opa_path, folder, dynamodb.meta.endpoint_url, make_table(dynamodb)) as world:
        yield Stage(world, opa_path)


@pytest.fixture(scope="module")
def register(stage: Stage, opa_path: str, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the register of the function's policies, as a check keeps it."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        environment.setenv("OPA_PATH", opa_path)
        assert main(["check", str(stage.world.policies)]) == 0
        return readings.read(Folder(stage.world.policies))


@pytest.fixture
def used(sweeps: Sweeps, register: bytes) -> Sweeps:
    """Give sweeps of a folder with a register, and of a web server that `web-https` allows; two days are long."""
    readings.store(Folder(sweeps.stage.world.policies), register)
    _open(sweeps)
    sweeps.settings["sweep_unused_days"] = 2
    return sweeps


def _open(sweeps: Sweeps, **fields: Any) -> None:
    finding = network_finding("c1", "i-0c1", 443, sweeps.at, tags={"Role": "web"})
    sweeps.loopback.findings[WEB] = finding | fields
    sweeps.stage._sources.by_report["c1"] = {"sources": ["0.0.0.0/0"]}


def _close(sweeps: Sweeps) -> None:
    sweeps.loopback.findings[WEB] |= {"status": "CLOSED", "updatedAt": sweeps.at}


def told(sweeps: Sweeps) -> dict[str, str]:
    """Sweep; return what was told of each allowance that nothing needs."""
    sweeps.sweep()
    entries = [entry for message in sweeps.notices for entry in message["news"] if entry["state"] == "unused"]
    return {entry["text"].partition(" ")[0]: entry["text"] for entry in entries}


def told_after(sweeps: Sweeps, hours: int) -> dict[str, str]:
    """Let hours pass without a sweep, and sweep."""
    sweeps.hour += hours - 1
    return told(sweeps)


def test_allowance_that_nothing_needs_is_told_once_to_its_owner(used: Sweeps) -> None:
    """The time begins when it is first seen; what allows an open port is not told."""
    assert told(used) == {}
    assert told_after(used, DAY) == {}
    texts = told_after(used, DAY)
    assert texts["bastion-ssh"] == (
        "bastion-ssh of netops has allowed nothing since 2026-11-24: remove it, or leave it if it is still to allow "
        "something. Its reason: Administrators log in from the office"
    )
    assert "cache-01-redis" in texts  # a row of the table
    assert "web-https" not in texts
    [message] = [message for message in used.notices if message["team"] == "netops"]
    assert message["subject"].startswith("[notice] ")
    assert message["subject"].endswith(" allowances are not used")
    assert "bastion-ssh of netops has allowed nothing since 2026-11-24" in " ".join(message["mail"].split())
    assert [told(used), told_after(used, DAY)] == [{}, {}]


def test_time_begins_anew_when_something_was_open(used: Sweeps) -> None:
    """What closes was in use until then, and what opens again is in use again."""
    told(used)
    told_after(used, 2 * DAY)
    _close(used)
    assert told_after(used, DAY) == {}
    assert told_after(used, DAY) == {}
    _open(used, updatedAt=used.at)
    told_after(used, 1)
    _close(used)
    assert told_after(used, DAY) == {}
    assert [*told_after(used, DAY)] == ["web-https"]


def test_port_that_is_open_for_some_hours_a_day_is_use(used: Sweeps) -> None:
    """The day's look for what is not used finds it closed, every day."""
    _close(used)
    told(used)
    for _ in range(4):
        used.hour += 4
        _open(used, updatedAt=used.at)
        told(used)
        used.hour += 4
        _close(used)
        told(used)
        used.hour += DAY - 10
        assert "web-https" not in told(used)


def test_suppressed_report_is_use(used: Sweeps) -> None:
    """It is not remembered as open, but its port is open by an allowance."""
    used.loopback.findings[WEB]["status"] = "SUPPRESSED"
    told(used)
    told_after(used, DAY)
    texts = told_after(used, DAY)
    assert "bastion-ssh" in texts
    assert "web-https" not in texts


@pytest.mark.parametrize(
    "operation",
    [
        pytest.param("ListFindings", id="not listed"),
        pytest.param("ListMembers", id="members not known"),
    ],
)
def test_sweep_that_has_not_seen_everything_tells_nothing(used: Sweeps, operation: str) -> None:
    """What it has not seen may need the allowance: the next sweep of the day tells it."""
    told(used)
    used.loopback.errors[operation] = [(403, "AccessDeniedException")]
    assert told_after(used, 2 * DAY) == {}
    assert used.line["unseen"] == 1
    assert "bastion-ssh" in told(used)


def test_account_whose_scanner_is_off_keeps_nothing_back(used: Sweeps) -> None:
    """That it is off is told; there will be no more to see of it."""
    used.loopback.states["123456789012"] = "DISABLED"
    told(used)
    assert "bastion-ssh" in told_after(used, 2 * DAY)


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"sweep_unused_days": 0}, id="off"),
        pytest.param({"sweep_scanners": ""}, id="nothing listed"),
    ],
)
def test_nothing_is_told_where_it_is_off_or_nothing_is_listed(used: Sweeps, settings: dict[str, Any]) -> None:
    """Without a listing nobody knows what was open before there was a memory."""
    used.settings |= settings
    assert [told(used), told_after(used, 3 * DAY)] == [{}, {}]


def test_nothing_is_told_without_a_register(sweeps: Sweeps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder was not checked: nobody knows all of its allowances."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    sweeps.settings["sweep_unused_days"] = 2
    assert [told(sweeps), told_after(sweeps, 3 * DAY)] == [{}, {}]


def test_what_is_not_used_is_written_when_it_changes(used: Sweeps) -> None:
    """Sweeps of two days write it once, since what is in use and what is not stay the same."""
    for _ in range(2 * DAY):
        used.sweep()
    table = used.stage.app._MEMORY.table
    assert table.read([unused._KEY], "2026-11-26T00:00:00Z")[unused._KEY].version == 1


def test_table_that_cannot_be_read_is_said(used: Sweeps) -> None:
    """The look is made up for by the next sweep."""
    told(used)
    used.hour += 2 * DAY
    used.step([{"sweep": True}], fault={"before": "dynamodb.Scan", "then": "dynamodb.Scan", "error": "Throttled"})
    assert "it did not look for allowances that are not used: MEMORY_TABLE" in " ".join(used.line["problems"])
    assert "bastion-ssh" in told(used)


def test_last_message_of_a_sweep_tells(used: Sweeps) -> None:
    """Whoever has the last place of a sweep looks, where nothing was unseen in any of its places."""
    queue = used.stage.world.sqs.create_queue(QueueName="unused")["QueueUrl"]
    told(used)
    used.settings["sweep_queue_url"] = queue
    used.hour += 2 * DAY
    used.loopback.errors["ListFindings"] = [(403, "AccessDeniedException")]
    assert _by_messages(used) == [[], []]
    assert [bool(names) for names in _by_messages(used)] == [False, True]
    assert _by_messages(used) == [[], []]


def _by_messages(sweeps: Sweeps) -> list[list[str]]:
    sweeps.sweep()
    names = []
    for message in taken(sweeps):
        sweeps.step([{"raw": message}])
        names.append([entry["state"] for notice in sweeps.notices for entry in notice["news"]])
    return names


def test_more_allowances_than_an_item_holds(dynamodb: DynamoDBClient, used: Sweeps) -> None:
    """Each of 12,000 allowances is told, expired ones as such: their item is split."""
    table = Table(dynamodb, make_table(dynamodb))
    statement = {"owner": "netops", "reason": "Partners", "expires": "2026-12-31"}
    allowances = {f"partner-{number:05}-{'x' * 40}": [statement, {}, {}] for number in range(12_000)}
    policies = str(used.stage.world.policies)
    readings.store(Folder(policies), json.dumps({"allowance": allowances, "prohibition": {}}).encode())
    assert unused.look(table, policies, "2026-11-24T06:00:00Z", 90, float("inf")) == []
    found = unused.look(table, policies, "2027-02-22T06:00:00Z", 90, float("inf"))
    assert len(found) == len(allowances)
    assert " has allowed nothing since 2026-11-24 and ended on 2026-12-31: " in found[0].text
