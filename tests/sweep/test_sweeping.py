"""The sweep through the function: what it looks at, how far it comes, and what it says."""
# ruff: noqa: SLF001  it looks at what the started function holds

import json
import logging
from collections import Counter
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from handler.cli import main
from handler.errors import RecordsFailedError
from handler.memory import store
from handler.memory.state import Run
from handler.sweep.again import Again
from handler.sweep.listing import Listed
from handler.sweep.sweeping import _KEY
from tests.memory.story import Stage, remembering
from tests.memory.tables import make_table

SWEEP = {"sweep": True}


@pytest.fixture(scope="module")
def stage(opa_path: str, tmp_path_factory: pytest.TempPathFactory, dynamodb: DynamoDBClient) -> Iterator[Stage]:
    """Start the function once."""
    folder = tmp_path_factory.mktemp("function")
    with remembering(opa_path, folder, dynamodb.meta.endpoint_url, make_table(dynamodb)) as world:
        yield Stage(world, opa_path)


@pytest.fixture
def servers(stage: Stage, table: str) -> Stage:
    """Remember five servers that are denied in two accounts."""
    reports = [
        {"report": f"a{number}", "server": f"i-0a{number}", "port": 8080, "sources": ["198.51.100.0/24"]}
        | ({"account": "444455556666"} if number > 3 else {})
        for number in range(5)
    ]
    play(stage, table, {"at": "2026-11-24T06:00:00", "events": reports})
    return stage


def play(stage: Stage, table: str, *steps: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """Play steps; return the messages of each."""
    return [messages for _, messages, _ in stage.play({"steps": list(steps)}, table)]


def test_sweep_without_a_table_is_refused(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has nothing to look at, and the error says what to set."""
    monkeypatch.setattr(stage.app, "_MEMORY", None)
    context = SimpleNamespace(aws_request_id="request-1", get_remaining_time_in_millis=lambda: 30_000)
    with pytest.raises(RecordsFailedError, match="MEMORY_TABLE names a table"):
        stage.app.lambda_handler({"source": "portcullis.sweep"}, context)


def test_sweep_goes_on_where_the_last_one_ended(
    servers: Stage, table: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With time for one batch only, each sweep judges the next one, and says that something is left; none is lost."""
    monkeypatch.setattr(store, "_KEYS", 2)
    monkeypatch.setattr(servers.app, "_DECIDED", 0.3)
    caplog.set_level(logging.INFO)
    seen = {f"a{number}": {"sources": ["0.0.0.0/0"]} for number in range(5)}
    steps: list[dict[str, Any]] = [{"at": f"2026-11-24T{hour:02}:00:00", "events": [SWEEP]} for hour in range(7, 12)]
    steps[0]["sees"] = seen
    told = [
        sorted(entry["server"] for message in messages for entry in message["news"])
        for messages in play(servers, table, *steps)
    ]
    assert told == [["i-0a0", "i-0a1"], ["i-0a2", "i-0a3"], [], ["i-0a4"], []]
    lines = [record.fields for record in caplog.records if record.message == "sweep"]  # type: ignore[attr-defined]
    assert [line["left"] for line in lines] == [2, 2, 1, 1, 0]
    assert {line["started"] for line in lines} == {"2026-11-24T07:00:00Z"}
    assert lines[0]["problems"] == ["no time was left for all of it: the next sweep goes on there"]
    assert [record.levelname for record in caplog.records if record.message == "sweep"][-1] == "INFO"
    done = [record.fields for record in caplog.records if record.message == "done"]  # type: ignore[attr-defined]
    assert [(line["sweeps"], line["sweep_problems"]) for line in done] == [(0, 1), (0, 1), (0, 1), (0, 1), (1, 0)]


def test_sweep_that_meets_another_leaves_it_alone(servers: Stage, table: str, caplog: pytest.LogCaptureFixture) -> None:
    """While another invocation is at work nothing is judged; once its time is over, the sweep is taken over."""
    caplog.set_level(logging.INFO)
    memory = servers.app._MEMORY.table
    run = Run(
        started="2026-11-24T06:30:00Z",
        places=2,
        waiting={"444455556666#eu-west-1": ""},
        token="request-0",  # noqa: S106  it names an invocation
        until="2026-11-24T07:10:00Z",
    )
    memory.put(_KEY, run, "2026-11-24T06:30:00Z")
    sees = {"a4": {"sources": ["0.0.0.0/0"]}}
    first, second = play(
        servers,
        table,
        {"at": "2026-11-24T07:00:00", "events": [SWEEP], "sees": sees},
        {"at": "2026-11-24T07:15:00", "events": [SWEEP]},
    )
    assert first == []
    assert [entry["server"] for message in second for entry in message["news"]] == ["i-0a4"]
    [line, after] = [record.fields for record in caplog.records if record.message == "sweep"]  # type: ignore[attr-defined]
    assert line["note"].startswith("the sweep of 2026-11-24T06:30:00Z is still at work")
    assert (after["started"], after["left"], after["judged"]) == ("2026-11-24T06:30:00Z", 0, 1)
    done = [record.fields for record in caplog.records if record.message == "done"]  # type: ignore[attr-defined]
    assert [line["sweeps"] for line in done] == [0, 1]


def test_place_with_an_error_keeps_the_sweep_from_no_other(
    servers: Stage, table: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What Portcullis fails to look at is named as a bug, and the account after it is looked at by the same sweep."""
    caplog.set_level(logging.INFO)
    judge = Again.judge

    def fail(again: Again, place: str, after: str, listed: Listed) -> Iterator[str]:
        if place == "111122223333#eu-west-1":
            raise OverflowError(place)
        yield from judge(again, place, after, listed)

    monkeypatch.setattr(Again, "judge", fail)
    sees = {"a4": {"sources": ["0.0.0.0/0"]}}
    [messages] = play(servers, table, {"at": "2026-11-24T07:00:00", "events": [SWEEP], "sees": sees})
    assert [entry["server"] for message in messages for entry in message["news"]] == ["i-0a4"]
    [line] = [record.fields for record in caplog.records if record.message == "sweep"]  # type: ignore[attr-defined]
    assert line["left"] == 0
    where = "111122223333 eu-west-1 was looked at in part"
    assert line["problems"] == [f"{where}: OverflowError: 111122223333#eu-west-1; this is a bug, please report it"]


def test_sweep_of_an_unchanged_table_writes_only_how_far_it_is(servers: Stage, table: str) -> None:
    """What is as it was is read, and not written."""
    play(servers, table, {"at": "2026-11-24T07:00:00", "events": [SWEEP]})
    before = {item["sk"]["S"]: item for item in servers.dynamodb.scan(TableName=table)["Items"]}
    play(servers, table, {"at": "2026-11-24T08:00:00", "events": [SWEEP]})
    after = {item["sk"]["S"]: item for item in servers.dynamodb.scan(TableName=table)["Items"]}
    assert {key for key in after if after[key] != before.get(key)} == {
        "run#sweep",
        "notice#digest#2026-11-24",
    }


def test_report_that_is_not_in_the_table_is_said(
    servers: Stage, table: str, dynamodb: DynamoDBClient, caplog: pytest.LogCaptureFixture
) -> None:
    """What it opens stays, nothing is told of it, and the line of the sweep is an error that says so."""
    for item in dynamodb.scan(TableName=table)["Items"]:
        if item["sk"]["S"].startswith("report#"):
            dynamodb.delete_item(TableName=table, Key={"pk": item["pk"], "sk": item["sk"]})
    [messages] = play(servers, table, {"at": "2026-11-24T07:00:00", "events": [SWEEP]})
    assert messages == []
    [record] = [record for record in caplog.records if record.message == "sweep"]
    assert record.levelname == "ERROR"
    [problem] = record.fields["problems"]  # type: ignore[attr-defined]
    assert problem.endswith("it stays as it was (5 times)")


def test_table_that_cannot_be_read_gives_the_sweep_back(servers: Stage, table: str) -> None:
    """A sweep that can do nothing fails its record, which names the table."""
    fault = {"before": "dynamodb.Scan", "error": "ProvisionedThroughputExceededException"}
    steps = [{"at": "2026-11-24T07:00:00", "events": [SWEEP], "fault": fault}]
    [(_, messages, given_back)] = servers.play({"steps": steps}, table)
    assert (messages, given_back) == ([], ["message-0"])


def test_throttled_comparison_tells_nothing_as_if_it_were_new(
    servers: Stage, table: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What could not be compared is known: it is not told again, the line says so, and the next sweep looks again."""
    fault = {"after": "dynamodb.Query", "then": "dynamodb.BatchGetItem", "error": "ThrottlingException"}
    first, second = play(
        servers,
        table,
        {"at": "2026-11-24T07:00:00", "events": [SWEEP], "fault": fault, "sees": {"a0": {"sources": ["0.0.0.0/0"]}}},
        {"at": "2026-11-24T08:00:00", "events": [SWEEP]},
    )
    assert first == []
    assert [entry["server"] for message in second for entry in message["news"]] == ["i-0a0"]
    assert "ThrottlingException" in json.dumps([vars(record).get("fields") for record in caplog.records], default=str)


def test_many_batches_are_one_message(servers: Stage, table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A release of the policies denies servers of several batches and accounts in one message, and closes by team."""
    monkeypatch.setattr(store, "_KEYS", 2)
    allowed = """allowance contains {
      "id": "everything", "tcp": [8080], "sources": ["anywhere"], "owner": "o", "reason": "r", "expires": "2027-11-25",
      "everywhere": true,
    }"""
    closed, denied = play(
        servers,
        table,
        {"at": "2026-11-24T07:00:00", "events": [SWEEP], "policies": {"all": allowed}},
        {"at": "2026-11-24T08:00:00", "events": [SWEEP], "policies": {}},
    )
    assert sorted(len(message["news"]) for message in closed) == [1, 4]
    [message] = denied
    assert [(entry["server"], entry["state"]) for entry in message["news"]] == [
        (f"i-0a{number}", "policy") for number in range(5)
    ]


@pytest.mark.usefixtures("servers")
def test_shell_sweeps_as_the_function_does(
    table: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command judges again what is open, tells the topic, and says what it did."""
    monkeypatch.setenv("MEMORY_TABLE", table)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert main(["sweep"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith("The sweep that began at ")
    assert shown[0].endswith(" has looked at 2 of 2 accounts and Regions.")
    assert shown[1:] == [
        "Seen: 0 findings listed, 5 remembered reports judged again.",
        "Told: 0 servers as open, 0 as closed, 0 other things, in 0 messages.",
        "Not listed any more: 0 reports; 0 for the second time, which closes them.",
        "Unconfirmed: 0 reports, which nobody lists or tells. They stay open.",
    ]
    monkeypatch.delenv("MEMORY_TABLE")
    assert main(["sweep"]) == 2
    assert "MEMORY_TABLE is not set" in capsys.readouterr().err


def test_unchanged_servers_cost_reads_only(stage: Stage, table: str) -> None:
    """A hundred servers take two queries, and one read each of reports and servers; how far it is, three writes.

    The start tries whether it may write, once.
    """
    reports = [
        {"report": f"a{number}", "server": f"i-{number:05}", "port": 8080, "sources": ["198.51.100.0/24"]}
        for number in range(100)
    ]
    play(
        stage, table, {"at": "2026-11-24T06:00:00", "events": reports}, {"at": "2026-11-24T06:30:00", "events": [SWEEP]}
    )
    calls: list[tuple[str, Any]] = []

    def note(model: Any, params: Any, **_: object) -> None:
        calls.append((model.name, json.loads(params["body"])))

    stage.dynamodb.meta.events.register("before-call.dynamodb", note)
    play(stage, table, {"at": "2026-11-24T07:00:00", "events": [SWEEP]})
    stage.dynamodb.meta.events.unregister("before-call.dynamodb", note)
    written = [asked["Item"]["sk"]["S"] for name, asked in calls if name == "PutItem"]
    read = [
        [key["sk"]["S"].partition("#")[0] for key in asked["RequestItems"][table]["Keys"]]
        for name, asked in calls
        if name == "BatchGetItem"
    ]
    assert sorted(written) == ["notice#digest#2026-11-24", "run#sweep", "run#sweep", "run#sweep", "start"]
    assert [keys for keys in read if len(keys) > 1] == [["report"] * 100, ["server"] * 100]
    assert Counter(name for name, _ in calls)["Query"] == 2
