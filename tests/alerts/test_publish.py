"""Sending: the real boto3 client against moto's SNS, with queues that are subscribed as people subscribe them."""

import json
import math
import time
from collections.abc import Iterator, Sequence
from typing import Any

import boto3
import msgspec
import pytest
from botocore.exceptions import BotoCoreError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from moto import mock_aws

from handler import alert
from handler.alert import Message, Publisher
from handler.finding import Undecidable
from handler.outcome import Outcome
from tests.alerts import ENGINE, REGION, SETTINGS, unreadable

FOREVER = math.inf


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give an AWS without a cloud."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        yield


class Topic:
    """A topic with queues."""

    def __init__(self) -> None:
        self.sns = boto3.client("sns", region_name=REGION)
        self.sqs: Any = boto3.client("sqs", region_name=REGION)
        self.arn = self.sns.create_topic(Name="alerts")["TopicArn"]

    def queue(self, name: str, **attributes: str) -> str:
        """Subscribe a queue, and give its URL."""
        url: str = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.sns.subscribe(TopicArn=self.arn, Protocol="sqs", Endpoint=arn, Attributes=attributes)
        return url

    def arrived(self, url: str) -> list[dict[str, Any]]:
        """Take what has arrived in a queue."""
        messages = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in messages]


@pytest.fixture
def topic(aws: None) -> Topic:  # noqa: ARG001  it needs the AWS
    """Give a topic."""
    return Topic()


def messages(*shapes: str) -> list[Message]:
    """Give a message for each shape, from the records `shape-1` and `shape-2`."""
    told = [
        Outcome(records=(f"{shape}-{number}",), report=report)
        for shape in shapes
        for number, report in enumerate(_reports(shape), 1)
    ]
    return alert.messages(told, SETTINGS, ENGINE)


def _reports(shape: str) -> list[Undecidable]:
    return [unreadable(shape, account="111122223333"), unreadable(shape, account="111122223333")]


def test_message_arrives(topic: Topic) -> None:
    """A queue gets subject, JSON and attributes; nothing failed."""
    queue = topic.queue("all")
    (message,) = messages("one")
    assert publish([message], topic.sns, topic.arn, FOREVER) == {}
    (arrived,) = topic.arrived(queue)
    assert arrived["Subject"] == message.subject
    assert json.loads(arrived["Message"]) == message.data
    assert arrived["MessageAttributes"]["action"] == {"Type": "String", "Value": "undecidable"}


def test_filter_policies_choose_by_attributes(topic: Topic) -> None:
    """Of a message that names several accounts, whoever asks for one of them gets it."""
    hit = topic.queue("hit", FilterPolicy='{"account": ["444455556666"], "severity": ["high"]}')
    miss = topic.queue("miss", FilterPolicy='{"account": ["777788889999"]}')
    told = [unreadable(account="111122223333"), unreadable(account="444455556666")]
    outcomes = [Outcome(records=("record",), report=report) for report in told]
    assert publish(alert.messages(outcomes, SETTINGS, ENGINE), topic.sns, topic.arn, FOREVER) == {}
    assert len(topic.arrived(hit)) == 1
    assert topic.arrived(miss) == []


def test_refused_message_fails_all_its_records(topic: Topic) -> None:
    """A topic that is gone fails every record, and says what SNS said."""
    topic.sns.delete_topic(TopicArn=topic.arn)
    failures = publish(messages("one", "two"), topic.sns, topic.arn, FOREVER)
    assert sorted(failures) == ["one-1", "one-2", "two-1", "two-2"]
    assert all("SNS did not take the alert" in problem and "NotFound" in problem for problem in failures.values())


def publish(messages: Sequence[Message], publisher: Publisher, topic_arn: str, deadline: float) -> dict[str, str]:
    """Send messages to a topic."""
    told = msgspec.structs.replace(SETTINGS, alert_topic_arn=topic_arn)
    return alert.Alerts(told, ENGINE, publisher, deadline).publish(messages)


class Broken:
    """Publishes all but the messages about one shape."""

    def __init__(self, publisher: Publisher, shape: str, error: Exception) -> None:
        self.publisher = publisher
        self.shape = shape
        self.error = error

    def publish(self, **arguments: Any) -> Any:
        """Publish, or fail."""
        if self.shape in json.loads(arguments["Message"])["email"]:
            raise self.error
        return self.publisher.publish(**arguments)


@pytest.mark.parametrize(
    "error", [EndpointConnectionError(endpoint_url="https://sns.example.com"), TypeError("unforeseen")], ids=repr
)
def test_one_failure_keeps_no_other_message_back(topic: Topic, error: Exception) -> None:
    """The messages before and after the one that fails arrive; only its records fail."""
    queue = topic.queue("all")
    failures = publish(messages("one", "two", "three"), Broken(topic.sns, "two", error), topic.arn, FOREVER)
    assert sorted(failures) == ["two-1", "two-2"]
    assert all(str(error) in problem for problem in failures.values())
    assert len(topic.arrived(queue)) == 2


@pytest.mark.parametrize("timeout", [ConnectTimeoutError, ReadTimeoutError])
def test_after_no_answer_no_other_message_is_tried(topic: Topic, timeout: type[BotoCoreError]) -> None:
    """An SNS that does not answer to one message takes no time for the others: their records fail with the reason."""
    queue = topic.queue("all")
    silent = timeout(endpoint_url="https://sns.example.com")
    told = messages("first", "second", "third")
    failures = publish(told, Broken(topic.sns, "second", silent), topic.arn, FOREVER)
    assert failures == dict.fromkeys(
        ["second-1", "second-2", "third-1", "third-2"], f"SNS did not take the alert: {silent}"
    )
    assert len(topic.arrived(queue)) == 1


def test_after_the_deadline_no_message_is_tried(topic: Topic) -> None:
    """What cannot be sent in time comes again."""
    queue = topic.queue("all")
    failures = publish(messages("one"), topic.sns, topic.arn, time.monotonic())
    assert failures == dict.fromkeys(["one-1", "one-2"], "no time was left to send the alert")
    assert topic.arrived(queue) == []


def test_record_of_two_messages_fails_with_either(topic: Topic) -> None:
    """A record that told two shapes is delivered again when one of its messages is refused."""
    outcomes = [Outcome(records=("record",), report=unreadable(shape)) for shape in ("one", "two")]
    sent = alert.messages(outcomes, SETTINGS, ENGINE)
    assert list(publish(sent, Broken(topic.sns, "two", ValueError("no")), topic.arn, FOREVER)) == ["record"]
