"""The function's own events: what they make, and whom they do not reach; and the metrics of an invocation."""

import json
import logging
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handler import canary, log, metrics
from handler.events import Record
from handler.opa import Opa
from handler.process import Process
from handler.settings import Settings
from tests.builders import NOW
from tests.world import World, bundled, sqs, start, undying_policies

pytestmark = pytest.mark.slow

CANARY = {"source": "portcullis.canary", "detail-type": "Canary", "detail": {}}
HEARTBEAT = {"source": "portcullis.heartbeat", "detail-type": "Heartbeat", "detail": {}}
EVERYTHING = """package allow

allowance contains {
	"id": "everything",
	"tcp": ["0-65535"],
	"sources": ["anywhere"],
	"owner": "nobody",
	"reason": "a mistake",
	"expires": "2999-12-31",
	"everywhere": true,
}
"""


@pytest.fixture
def world(opa_path: str, tmp_path: Path) -> Iterator[World]:
    """Give the function on the shipped policies."""
    with start(opa_path, tmp_path) as started:
        yield started


def done(caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    """Return the last line of an invocation as CloudWatch gets it."""
    [record] = [record for record in caplog.records if record.message == "done"]
    line: dict[str, Any] = json.loads(log.Lines().format(record))
    return line


def counted(line: dict[str, Any]) -> dict[str, int]:
    """Return the metrics of a line that are not 0, but for the time."""
    [directive] = line["_aws"]["CloudWatchMetrics"]
    values = {definition["Name"]: line[definition["Name"]] for definition in directive["Metrics"]}
    return {name: value for name, value in values.items() if value and name != "ms"}


def test_the_canary_sends_one_message_that_is_marked(world: World) -> None:
    """However many are in a batch: it is denied, and its attribute keeps it from the subscribers of alerts."""
    assert world.invoke(sqs(CANARY, CANARY)) == {"batchItemFailures": []}
    [message] = world.alerts()
    assert message["MessageAttributes"]["canary"] == {"Type": "String", "Value": "true"}
    assert json.loads(message["Message"])["server"] == "i-canary"


def test_a_report_beside_the_canary_is_alerted_without_its_mark(world: World) -> None:
    """The canary is in no digest and no report's message."""
    world.invoke(sqs(bundled("05-bastion-ssh"), CANARY, HEARTBEAT))
    marked, alert = world.alerts()
    assert "canary" in marked["MessageAttributes"]
    assert "canary" not in alert["MessageAttributes"]
    assert json.loads(alert["Message"])["server"] == "i-0aaaaaaaaaaaaaaa5"


def test_a_canary_that_sns_refuses_comes_again(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Its record is given back and the log says why; that of the report beside it, which is allowed, is not."""
    world.sns.delete_topic(TopicArn=world.subscribe())
    answer = world.invoke(sqs(bundled("01-web-443"), CANARY))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-1"}]}
    [record] = [record for record in caplog.records if record.message == "failed"]
    assert record.__dict__["fields"]["problem"].startswith("SNS did not take the canary: ")


def test_a_heartbeat_is_only_counted(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """It makes no message, and the metric that the alarm of silence looks at."""
    caplog.set_level(logging.INFO)
    assert world.invoke(sqs(HEARTBEAT)) == {"batchItemFailures": []}
    assert world.alerts() == []
    assert counted(done(caplog)) == {"heartbeats": 1}


def test_policies_that_allow_everything_send_no_canary(
    opa_path: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says which allowance did it; the record is not given back, since that would change nothing."""
    policies = undying_policies(tmp_path)
    shutil.rmtree(policies / "forbid")
    (policies / "allow" / "everything.rego").write_text(EVERYTHING)
    settings = Settings(alert_topic_arn="arn:aws:sns:eu-west-1:111122223333:alerts")
    publisher: Any = None  # would fail if it were asked
    with Opa(Process(str(policies), opa_path)) as gate:
        engine = gate.ready()
        records = [Record(id="message-0", event=CANARY)]
        deadline = time.monotonic() + 10
        options = {"settings": settings, "engine": engine, "publisher": publisher, "deadline": deadline}
        assert canary.send(records, NOW, gate, **options) == {}
    [record] = [record for record in caplog.records if record.message == "canary"]
    assert record.__dict__["fields"]["allowed_by"] == ["everything"]


def test_metrics_are_what_became_of_the_reports(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They carry the name of the function, and the canary is not among them."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "portcullis")
    caplog.set_level(logging.INFO)
    names = ("01-web-443", "05-bastion-ssh", "09-closed", "10-package-vulnerability")
    world.invoke(sqs(*map(bundled, names), {"source": "aws.inspector2", "detail-type": "New"}, CANARY))
    line = done(caplog)
    assert counted(line) == {
        "received": 5,
        "decided": 2,
        "denied": 1,
        "closed": 1,
        "ignored": 1,
        "undecidable": 1,
        "alerts": 2,
    }
    assert line["function"] == "portcullis"
    [directive] = line["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("Portcullis", [["function"]])
    assert {definition["Name"]: definition["Unit"] for definition in directive["Metrics"]} == metrics.UNITS


def test_restarts_of_opa_are_counted_once(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """A restart is in the metrics of its own invocation and not in those of the next."""
    caplog.set_level(logging.INFO)
    os.kill(world.app.GATE.pid, signal.SIGKILL)
    world.invoke(sqs(bundled("01-web-443")))
    assert done(caplog)["opa_restarts"] == 1
    caplog.clear()
    world.invoke(sqs(bundled("01-web-443")))
    assert done(caplog)["opa_restarts"] == 0
