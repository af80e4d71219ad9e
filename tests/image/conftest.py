"""The image, built once from the unchanged Dockerfile, and a topic on loopback that its alerts go to."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from handler.settings import ROOT
from tests.image.function import Image
from tests.image.layers import Layer, layers

NAME = "localhost/portcullis:test"
LAYERS = pytest.StashKey[list[Layer]]()
EVENTS = ROOT / "handler" / "cli" / "demo_events"


def build(*flags: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Build the image as `make image` does with buildah; `environment` is what its user sets."""
    given = {**os.environ, "ENGINE": "buildah", "TAG": NAME, **(environment or {})}
    command = [str(ROOT / "tools" / "image"), "--pull-never", "--layers", *flags]
    return subprocess.run(command, env=given, capture_output=True, text=True, check=False, timeout=900)


def event(name: str) -> Any:
    """Give a bundled event."""
    return json.loads((EVENTS / f"{name}.json").read_text())


class Topic:
    """An SNS topic, with a queue that is subscribed to it; `environment` leads a function to it."""

    def __init__(self, endpoint: str) -> None:
        session = boto3.Session(region_name="eu-west-1", aws_access_key_id="test", aws_secret_access_key="test")  # noqa: S106  moto takes any
        self._sqs: Any = session.client("sqs", endpoint_url=endpoint)
        self._sns: Any = session.client("sns", endpoint_url=endpoint)
        self._queue = self._sqs.create_queue(QueueName="alerts")["QueueUrl"]
        self.arn: str = self._sns.create_topic(Name="alerts")["TopicArn"]
        queue = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        self._sns.subscribe(TopicArn=self.arn, Protocol="sqs", Endpoint=queue["Attributes"]["QueueArn"])
        self.environment = {"ALERT_TOPIC_ARN": self.arn, "AWS_ENDPOINT_URL_SNS": endpoint}

    def alerts(self) -> list[dict[str, Any]]:
        """Take the notifications that have arrived."""
        arrived = []
        while found := self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                arrived.append(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return arrived


@pytest.fixture(scope="session")
def image(request: pytest.FixtureRequest) -> Iterator[Image]:
    """Build the image and mount it."""
    built = build()
    assert built.returncode == 0, (built.stdout + built.stderr)[-5000:]
    request.config.stash[LAYERS] = layers(NAME)
    with Image(NAME) as mounted:
        yield mounted


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    """Give the URL of SNS and SQS on loopback."""
    server = ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def topic(endpoint: str) -> Topic:
    """Give a topic to which nothing has been sent."""
    made = Topic(endpoint)
    made.alerts()
    return made


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    """Give a copy of the policies that a test may damage."""
    return Path(shutil.copytree(ROOT / "policies", tmp_path / "policies"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Report the size of the image by layer."""
    terminalreporter.section("the image by layer, MB as it is and compressed")
    for layer in terminalreporter.config.stash.get(LAYERS, []):
        terminalreporter.write_line(str(layer))
