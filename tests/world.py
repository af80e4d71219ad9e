"""The function itself, with real OPA and real boto3 against moto's SNS and SQS, for the tests that invoke it."""

import importlib
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from handler import aws
from handler.settings import ROOT
from tests.builders import team_folder

EVENTS = ROOT / "handler" / "cli" / "demo_events"


class World:
    """The function, started on a copy of the policies, with a topic and a queue that is subscribed to it."""

    def __init__(self, policies: Path, endpoint: str) -> None:
        self.policies = policies
        self.endpoint = endpoint
        self.sns: Any = boto3.client("sns", region_name="eu-west-1", endpoint_url=endpoint)
        self.sqs: Any = boto3.client("sqs", region_name="eu-west-1", endpoint_url=endpoint)
        self.queue = self.sqs.create_queue(QueueName="alerts")["QueueUrl"]
        self.alerts()  # moto keeps them from one start in this process to the next
        self.app: ModuleType
        self.subscribe()

    def subscribe(self) -> str:
        """Make the topic (again) and subscribe the queue; give the topic's ARN."""
        topic: str = self.sns.create_topic(Name="alerts")["TopicArn"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        return topic

    def invoke(self, event: Any, seconds: int = 30) -> Any:
        """Invoke the function as Lambda does, with so much time."""
        context = SimpleNamespace(aws_request_id="request-1", get_remaining_time_in_millis=lambda: 1000 * seconds)
        return self.app.lambda_handler(event, context)

    def alerts(self) -> list[dict[str, Any]]:
        """Take what has arrived in the queue: notifications as SNS writes them."""
        arrived = []
        while found := self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            arrived += [json.loads(message["Body"]) for message in found]
            handles = [{"Id": message["MessageId"], "ReceiptHandle": message["ReceiptHandle"]} for message in found]
            self.sqs.delete_message_batch(QueueUrl=self.queue, Entries=handles)
        return arrived


@contextmanager
def start(opa_path: str, folder: Path, **allowances: str) -> Iterator[World]:
    """Start the function, as a cold start does, with files of allowances more than the shipped ones.

    The function has the real clock, so no allowance may expire.
    """
    policies = undying_policies(folder)
    for name, text in allowances.items():
        (policies / "allow" / f"{name}.rego").write_text(text)
    server = ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", "test")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
        environment.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        world = World(policies, f"http://{host}:{port}")
        environment.setenv("ALERT_TOPIC_ARN", world.subscribe())
        environment.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1024")
        environment.setenv("POLICIES_PATH", str(policies))
        policies.with_name("opa").symlink_to(opa_path)
        environment.setenv("OPA_PATH", str(policies.with_name("opa")))
        aws.client.cache_clear()  # another start in this process had another endpoint, and other keys
        boto3.setup_default_session()
        world.app = importlib.import_module("handler.app")
        yield world
        world.app.GATE.close()
    server.stop()
    del sys.modules["handler.app"]


def undying_policies(folder: Path) -> Path:
    """Copy the policies, with dates that the real clock does not reach."""
    policies = team_folder(folder)
    for path in (path for path in policies.rglob("*") if path.is_file()):
        path.write_text(re.sub(r"\b20\d\d-\d\d-\d\d\b", "2999-12-31", path.read_text()))
    return policies


def bundled(name: str) -> Any:
    """Give a bundled event."""
    return json.loads(_text(name))


@cache
def _text(name: str) -> str:
    return (EVENTS / f"{name}.json").read_text()


def sqs(*bodies: Any) -> dict[str, Any]:
    """Give the event of an SQS batch; the messages are called message-0, message-1 and so on."""
    texts = (body if isinstance(body, str) else json.dumps(body) for body in bodies)
    return {
        "Records": [
            {"messageId": f"message-{number}", "eventSource": "aws:sqs", "body": text}
            for number, text in enumerate(texts)
        ]
    }


def renamed(event: dict[str, Any], name: str, number: int) -> Any:
    """Give the event with another server."""
    copy = json.loads(json.dumps(event).replace(event["detail"]["resources"][0]["id"], f"i-{number:017x}"))
    copy["detail"]["resources"][0]["tags"]["Name"] = name
    return copy
