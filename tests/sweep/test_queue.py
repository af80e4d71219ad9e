"""A sweep over a queue: one message for each account and Region, whoever takes it, however often it comes."""

# ruff: noqa: SLF001  it looks at what the started function holds

import json
from collections.abc import Iterator
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from handler import aws
from handler.sweep.sweeping import _KEY
from tests.memory.story import Stage, remembering
from tests.memory.tables import make_table
from tests.sweep.aws_loopback import LoopbackAws, instance, network_finding
from tests.sweep.test_listing import START, Sweeps

ACCOUNTS = ("111122223333", "222233334444", "444455556666")


@pytest.fixture(scope="module")
def stage(opa_path: str, tmp_path_factory: pytest.TempPathFactory, dynamodb: DynamoDBClient) -> Iterator[Stage]:
    """Start the function once."""
    folder = tmp_path_factory.mktemp("function")
    with remembering(opa_path, folder, dynamodb.meta.endpoint_url, make_table(dynamodb)) as world:
        yield Stage(world, opa_path)


@pytest.fixture
def sweeps(
    stage: Stage, table: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Iterator[Sweeps]:
    """Give sweeps of three members with a finding each, over a queue."""
    with LoopbackAws() as world:
        monkeypatch.setenv("AWS_ENDPOINT_URL_INSPECTOR2", world.url)
        aws.lister.cache_clear()
        world.members = [*ACCOUNTS]
        for number, account in enumerate(ACCOUNTS):
            finding = network_finding(f"a{number}", f"i-0a{number}", 22, START, account=account)
            world.findings[finding["findingArn"]] = finding
            world.instances[f"i-0a{number}"] = instance(START, account)
        sweeps = Sweeps(stage, table, world, caplog)
        queue = stage.world.sqs.create_queue(QueueName=f"sweep-{table}")["QueueUrl"]
        sweeps.settings |= {"sweep_queue_url": queue}
        yield sweeps
    aws.lister.cache_clear()


def taken(sweeps: Sweeps) -> list[dict[str, Any]]:
    """Take the messages from the queue, by their accounts."""
    sqs, queue = sweeps.stage.world.sqs, sweeps.settings["sweep_queue_url"]
    messages = []
    while received := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in received:
            messages.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return sorted(messages, key=lambda message: str(message["account"]))


def told(sweeps: Sweeps, message: dict[str, Any]) -> list[str]:
    """Let the function take a message; return which servers it told of."""
    return [server for server, _, _ in sweeps.step([{"raw": message}])]


def test_each_place_is_a_message_and_each_is_done_once(sweeps: Sweeps) -> None:
    """The sweep tells nothing itself; each message is about one place, and is taken once; the last one says so."""
    assert sweeps.sweep() == []
    assert sweeps.line["note"] == "4 accounts and Regions are to be looked at by others"
    messages = taken(sweeps)
    assert [sorted(message) for message in messages] == [["account", "region", "run", "source"]] * 4
    assert [message["account"] for message in messages] == sorted([*ACCOUNTS, "123456789012"])
    first, other, second, third = messages
    assert told(sweeps, first) == ["i-0a0"]
    assert (sweeps.line["place"], sweeps.line["left"]) == ("111122223333#eu-west-1", 3)
    assert told(sweeps, first) == []
    assert sweeps.line["note"].endswith("it was looked at before")
    assert [told(sweeps, message) for message in (third, other, second)] == [["i-0a2"], [], ["i-0a1"]]
    assert (sweeps.line["left"], sweeps.line["problems"]) == (0, [])
    assert sweeps.sweep() == []
    assert sweeps.line["problems"] == []


def test_place_that_was_not_done_comes_first_in_the_next_sweep(sweeps: Sweeps) -> None:
    """The next sweep says which places were not done, and a message of the sweep before is not taken any more."""
    sweeps.sweep()
    *done, lost, _ = taken(sweeps)
    for message in done:
        told(sweeps, message)
    sweeps.sweep()
    [problem] = sweeps.line["problems"]
    assert problem == (
        "the last sweep has not done 2 accounts and Regions: 222233334444 eu-west-1, 444455556666 eu-west-1"
    )
    run: Any = sweeps.stage.app._MEMORY.table.read([_KEY], "2026-11-24T06:00:00Z")[_KEY].item
    assert [place[:12] for place in run.waiting] == ["222233334444", "444455556666", "111122223333", "123456789012"]
    again = taken(sweeps)
    assert told(sweeps, lost) == []
    assert sweeps.line["note"].endswith("another has begun since")
    assert told(sweeps, again[3]) == ["i-0a2"]


def test_message_comes_again_after_a_death(sweeps: Sweeps) -> None:
    """A function that dies before it tells has its message delivered again, which tells once its time is over."""
    sweeps.sweep()
    first = taken(sweeps)[0]
    with pytest.raises(AssertionError, match="died"):
        sweeps.step([{"raw": first}], fault={"before": "sns"})
    sweeps.hour += 1
    assert told(sweeps, first) == ["i-0a0"]


def test_place_for_which_no_time_is_left_goes_on_in_the_next_sweep(
    sweeps: Sweeps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not sent again from inside: Lambda stops what invokes itself."""
    monkeypatch.setattr(sweeps.stage.app, "_DECIDED", 0.3)
    sweeps.sweep()
    first = taken(sweeps)[0]
    assert told(sweeps, first) == ["i-0a0"]
    assert sweeps.line["left"] == 4
    assert "no time was left for all of it: the next sweep goes on there" in sweeps.line["problems"]
    assert taken(sweeps) == []


def test_queue_that_takes_nothing_is_said(sweeps: Sweeps) -> None:
    """Each message that SQS did not take is counted, and its place is the first of the next sweep."""
    sweeps.settings["sweep_queue_url"] += "-elsewhere"
    sweeps.sweep()
    [problem] = sweeps.line["problems"]
    assert problem.startswith("SQS did not take a message of the sweep: ")
    assert problem.endswith("(4 times)")


def test_sweep_of_nothing_is_complete(sweeps: Sweeps, caplog: pytest.LogCaptureFixture) -> None:
    """Where there is neither a scanner nor anything remembered, no message is sent and the sweep counts as done."""
    sweeps.settings["sweep_scanners"] = ""
    assert sweeps.sweep() == []
    [done] = [record.fields for record in caplog.records if record.message == "done"]  # type: ignore[attr-defined]
    assert (taken(sweeps), done["sweeps"], done["sweep_problems"]) == ([], 1, 0)
