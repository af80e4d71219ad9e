"""Messages about the way of the reports are ignored with a reason; what only looks like one alerts."""

import json
from typing import Any

import pytest

from handler import events, reporters
from handler.finding import Ignored, Undecidable

NOW = "2026-11-24T06:12:00Z"
CONFIRMATION = {
    "Type": "SubscriptionConfirmation",
    "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
    "Token": "2336412f37f",
    "TopicArn": "arn:aws:sns:eu-west-1:111122223333:findings",
    "Message": "You have chosen to subscribe to the topic arn:aws:sns:eu-west-1:111122223333:findings.",
    "SubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription",
    "Timestamp": "2026-11-20T09:15:31.000Z",
}
TEST_OF_S3 = {
    "Service": "Amazon S3",
    "Event": "s3:TestEvent",
    "Time": "2026-11-20T09:15:31.000Z",
    "Bucket": "example-bucket",
    "RequestId": "5582815E1AEA5ADF",
    "HostId": "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR+YstdA6Knx4Ip8EXAMPLE",
}


def queued(body: Any) -> Any:
    """Give what a record of SQS with this body has inside."""
    record = {"messageId": "059f36b4", "body": json.dumps(body), "eventSource": "aws:sqs"}
    (read,) = events.unwrap({"Records": [record]}, "request").records
    return read.event


@pytest.mark.parametrize(
    ("told", "reporter", "reason"),
    [
        pytest.param(
            CONFIRMATION,
            "sns",
            "SNS asks to confirm a subscription: until that is done, its topic delivers nothing",
            id="confirm-a-subscription",
        ),
        pytest.param(
            CONFIRMATION | {"Type": "UnsubscribeConfirmation"},
            "sns",
            "SNS tells that a subscription has ended: its topic delivers nothing any more",
            id="subscription-ended",
        ),
        pytest.param(
            TEST_OF_S3, "s3", "A test message of S3, sent when notifications of a bucket are set up", id="test-of-s3"
        ),
    ],
)
def test_message_about_the_way_is_ignored(told: Any, reporter: str, reason: str) -> None:
    """The reason says what follows from the message."""
    assert reporters.normalize(queued(told), NOW) == [Ignored(reporter=reporter, reason=reason)]


@pytest.mark.parametrize(
    ("told", "shape"),
    [
        pytest.param(
            {"source": "aws.events", "detail-type": "Scheduled Event"}, "aws.events Scheduled Event", id="schedule"
        ),
        pytest.param(
            {key: value for key, value in CONFIRMATION.items() if key != "Token"}, None, id="confirmation-without-token"
        ),
        pytest.param(CONFIRMATION | {"Type": ["SubscriptionConfirmation"]}, None, id="type-as-list"),
        pytest.param(TEST_OF_S3 | {"Event": "s3:ObjectCreated:Put"}, None, id="event-of-s3"),
        pytest.param(
            {"key1": "value1", "key2": "value2", "key3": "value3"}, "an object of key1, key2, key3", id="console"
        ),
    ],
)
def test_what_is_on_no_list_alerts(told: Any, shape: str | None) -> None:
    """A schedule that does nothing yet, a test from the console, an event of S3: nobody would miss them otherwise."""
    (report,) = reporters.normalize(queued(told), NOW)
    assert isinstance(report, Undecidable)
    assert shape in {None, report.shape}
