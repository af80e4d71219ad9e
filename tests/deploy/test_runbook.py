"""The runbook has what to do about each alarm, and the pages have each metric."""

import json
import re
import shutil
import subprocess

import boto3
import pytest
from moto.server import ThreadedMotoServer

from handler.metrics import UNITS
from handler.settings import ROOT
from tests.pages import DOCS, blocks, names, table

ALARMS = ROOT / "deploy" / "modules" / "portcullis" / "alarms.tf"
QUEUES = ("undelivered", "events")


def alarms() -> set[str]:
    """Return the names of the alarms, without that of the function."""
    return set(re.findall(r"^ {4,}([a-z-]+) += \{(?: metric = .*)?$", ALARMS.read_text(), re.MULTILINE))


def test_every_alarm_has_a_section() -> None:
    """Each says what it means, what to look at and what to do; there is none of an alarm that there is not."""
    sections = re.findall(r"^## (.*)\n\n((?:.+\n)+)", (DOCS / "runbook.md").read_text(), re.MULTILINE)
    assert {heading.lower().replace(" ", "-") for heading, _ in sections} == alarms()
    for heading, text in sections:
        assert re.findall(r"^- \*\*(.+?)\*\*: ", text, re.MULTILINE) == ["It means", "Look at", "Do"], heading


def test_every_metric_is_described() -> None:
    """The table has the metrics that the function writes, in their order."""
    assert names(table(DOCS / "deploy.md", "metric")) == list(UNITS)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("aws"), reason="PATH has no aws")
def test_undelivered_events_are_moved_into_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands of the section move every message as it is, and end where there is none."""
    [block] = blocks(DOCS / "runbook.md", "bash")
    events = [json.dumps({"detail": {"title": text}}) for text in ("a\\b\tc\n ", '"é" $(id) `id`')]
    for name, value in {"ACCESS_KEY_ID": "test", "SECRET_ACCESS_KEY": "test", "DEFAULT_REGION": "eu-west-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        sqs = boto3.client("sqs", "eu-west-1", endpoint_url=url)
        undelivered, queue = (sqs.create_queue(QueueName=f"portcullis-{name}")["QueueUrl"] for name in QUEUES)
        for event in events:
            sqs.send_message(QueueUrl=undelivered, MessageBody=event)
        run = subprocess.run(
            ["bash", "-euc", f'aws() {{ command aws --endpoint-url {url} "$@"; }}\n{block.text}'],  # noqa: S607  on PATH
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert run.returncode == 0, run.stderr
        moved = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
        assert sorted(message["Body"] for message in moved) == sorted(events)
        counts = sqs.get_queue_attributes(QueueUrl=undelivered, AttributeNames=["All"])["Attributes"]
        assert {counts["ApproximateNumberOfMessages"], counts["ApproximateNumberOfMessagesNotVisible"]} == {"0"}
    finally:
        server.stop()
