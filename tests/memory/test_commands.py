"""`portcullis open`, `history` and `forget`, on a table that the function has written."""

import json
import logging
import os
from collections.abc import Iterator

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from handler.cli import main
from tests.memory.story import play, remembering
from tests.memory.tables import make_table
from tests.world import World

SERVER = "i-0a1"
OPENED = {"report": "a", "server": SERVER, "port": 22, "sources": ["0.0.0.0/0"], "tags": {"Name": "web-01"}}
CLOSED = OPENED | {"status": "CLOSED"}
OTHER = {"report": "b", "server": "i-0b2", "port": 443, "sources": ["0.0.0.0/0"], "tags": {"Role": "web"}}


@pytest.fixture(scope="module")
def world(opa_path: str, dynamodb: DynamoDBClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Start the function with a table, and tell it of one server that is denied and one that is allowed."""
    with remembering(
        opa_path, tmp_path_factory.mktemp("function"), dynamodb.meta.endpoint_url, make_table(dynamodb)
    ) as world:
        yield world


@pytest.fixture(autouse=True)
def shell(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the shell what the function was given, and tell it of two servers."""
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    list(play(world, [{"at": "2026-11-24T06:00:00+00:00", "events": [OPENED, OTHER]}]))


def test_open_lists_what_is_open(capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each, with since when it is open and when it was told, or by what it is allowed."""
    assert main(["open"]) == 1
    denied, allowed = (line.split("\t") for line in capsys.readouterr().out.splitlines())
    assert denied[:6] == ["critical", SERVER, "web-01", "tcp 22", "0.0.0.0/0", "DENY"]
    assert "open since 2026-11-24T06:00:00Z; told 2026-11-24T06:00:00Z" in denied[6]
    assert allowed[:6] == ["-", "i-0b2", "-", "tcp 443", "0.0.0.0/0", "allow"]
    assert "allowed by web-https; open since 2026-11-24T06:00:00Z" in allowed[6]


def test_open_can_leave_the_allowed_out(capsys: pytest.CaptureFixture[str]) -> None:
    """With --denied only what is denied is there, in JSON with everything that is remembered of it."""
    assert main(["open", "--denied", "--json"]) == 1
    [line] = capsys.readouterr().out.splitlines()
    server = json.loads(line)
    assert (server["account"], server["server"], server["since"]) == ("111122223333", SERVER, "2026-11-24T06:00:00Z")
    [claim] = server["claims"].values()
    assert claim["report"].endswith("finding/a")


def test_baseline_judges_what_is_open_again(
    world: World, dynamodb: DynamoDBClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --open the reports in the table are judged as they came; one that the table has lost is said."""
    list(play(world, [{"at": "2026-11-24T06:30:00+00:00", "events": [{"report": "c", "group": "sg-0c3"}]}]))
    command = ["baseline", "--open", "--policies", str(world.policies)]
    assert main(command) == 1
    proposed = capsys.readouterr()
    assert '"id": "sg-0c3-tcp-22"' in proposed.out
    assert "With --look-up that is read from AWS.\n#   web-01 (i-0a1): tcp 22\n" in proposed.out
    assert "3 reports: 3 exposures (0 repeated): 2 denied" in proposed.err
    name = os.environ["MEMORY_TABLE"]
    for item in dynamodb.scan(TableName=name)["Items"]:
        if item["sk"]["S"].startswith("report#") and "sg-0c3" in item["state"]["S"]:
            dynamodb.delete_item(TableName=name, Key={"pk": item["pk"], "sk": item["sk"]})
    assert main(command) == 2
    lost = capsys.readouterr()
    assert '"id": "sg-0c3' not in lost.out
    assert "table remembers that it is open, and has no report of it to judge\n" in lost.out
    assert main(["forget", "sg-0c3"]) == 0
    capsys.readouterr()


def test_what_is_accepted_counts_as_told(
    world: World, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """What was observed and accepted does not alert; a wider source of it does. Its history says who accepted it."""
    other = {"report": "d", "server": "i-0d4", "port": 8080, "sources": ["198.51.100.0/24"], "tags": {"Name": "app-01"}}
    observing = {"at": "2026-11-24T06:40:00+00:00", "settings": {"mode": "observe"}, "events": [other]}
    caplog.set_level(logging.INFO)
    assert [messages for _, messages, _ in play(world, [observing])] == [[]]
    [decided] = [record.__dict__["fields"] for record in caplog.records if record.message == "decided"][-1:]
    assert (decided["server"], decided["action"], decided["alerted"]) == ("i-0d4", "deny", False)
    assert main(["baseline", "--accept"]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines()[-1] == "accepted: app-01 i-0d4: tcp 8080 from 198.51.100.0/24"
    assert printed.err == "1 server accepted\n"
    again = {"at": "2026-11-24T06:50:00+00:00", "settings": {"mode": "alert"}, "events": [other]}
    wider = {"at": "2026-11-24T06:55:00+00:00", "events": [other | {"sources": ["198.51.0.0/16"]}]}
    [(_, silent, _), (_, [message], _)] = play(world, [again, wider])
    assert silent == []
    assert message["Subject"].startswith("[medium, wider] app-01: tcp 8080 open to 198.51.0.0/16")
    assert main(["history", "i-0d4"]) == 0
    assert "\n  accepted by arn:aws:sts::" in capsys.readouterr().out
    assert main(["baseline", "--accept"]) == 0
    assert capsys.readouterr().err == "0 servers accepted\n"
    assert main(["forget", "i-0d4"]) == 0
    capsys.readouterr()


def test_history_lists_episodes(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """What has closed is there with when and why, and the messages that have told it."""
    list(play(world, [{"at": "2026-11-24T09:30:00+00:00", "events": [CLOSED]}]))
    assert main(["history", SERVER]) == 0
    shown = capsys.readouterr().out
    assert "2026-11-24T06:00:00Z to 2026-11-24T09:30:00Z (3 hours 30 minutes)" in shown
    assert "tcp 22 from 0.0.0.0/0" in shown
    assert "closed at the scanner: arn:aws:inspector2:eu-west-1:111122223333:finding/a" in shown
    assert "message " in shown
    list(play(world, [{"at": "2026-11-24T10:00:00+00:00", "events": [OPENED]}]))


def test_what_is_forgotten_is_told_anew(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """A server that was taken out is new when it is reported again, and its history says that it was forgotten."""
    assert main(["forget", SERVER]) == 0
    assert capsys.readouterr().out == f"forgotten: {SERVER} in 111122223333 eu-west-1\n"
    assert main(["history", SERVER]) == 0
    assert "portcullis forget" in capsys.readouterr().out
    [(_, messages, _)] = play(world, [{"at": "2026-11-24T11:00:00+00:00", "events": [OPENED]}])
    assert [message["Subject"].startswith("[critical] web-01") for message in messages] == [True]


@pytest.mark.parametrize("command", ["history", "forget"])
def test_unknown_server_is_said(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is not remembered is said, with status 2."""
    assert main([command, "i-0fff"]) == 2
    assert capsys.readouterr().err == "nothing is remembered of i-0fff\n"


def test_missing_table_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A table that is not there, and a setting that is not set, end with a sentence and status 2."""
    monkeypatch.setenv("MEMORY_TABLE", "nowhere")
    assert main(["open"]) == 2
    assert "MEMORY_TABLE nowhere" in capsys.readouterr().err
    monkeypatch.delenv("MEMORY_TABLE")
    assert main(["open"]) == 2
    assert "MEMORY_TABLE is not set" in capsys.readouterr().err


def test_open_says_what_is_unconfirmed(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """What has ended at the scanner without evidence is still listed, with since when."""
    group = {"report": "g", "group": "sg-0b1", "sources": ["0.0.0.0/0"]}
    list(play(world, [{"at": "2026-11-24T12:00:00+00:00", "events": [group]}]))
    list(play(world, [{"at": "2026-11-24T13:00:00+00:00", "events": [group | {"state": "ARCHIVED"}]}]))
    assert main(["open", "--denied"]) == 1
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    said = {line[1]: line[6] for line in lines}
    assert "told 2026-11-24T12:00:00Z; unconfirmed since 2026-11-24T13:00:00Z" in said["sg-0b1"]
    assert "unconfirmed" not in said[SERVER]
