"""Messages of SNS and S3 about themselves, which reach a queue or a topic beside the reports.

Shapes: SNS developer guide, "HTTP/HTTPS subscription confirmation JSON format" (a queue gets the same); S3 user guide,
"Event message structure" (the test message that S3 sends when notifications are set up).
"""

from typing import Any

from handler.finding import Ignored

_OF_SNS = {
    "SubscriptionConfirmation": "SNS asks to confirm a subscription: until that is done, its topic delivers nothing",
    "UnsubscribeConfirmation": "SNS tells that a subscription has ended: its topic delivers nothing any more",
}
_TEST_OF_S3 = "A test message of S3, sent when notifications of a bucket are set up"


def ignored(event: Any) -> Ignored | None:
    """Give the reason why a message is about the way of the reports, and no report itself; null if it is not."""
    if not isinstance(event, dict):
        return None
    kind = event.get("Type")
    if isinstance(kind, str) and kind in _OF_SNS and "TopicArn" in event and "Token" in event:
        return Ignored(reporter="sns", reason=_OF_SNS[kind])
    if event.get("Service") == "Amazon S3" and event.get("Event") == "s3:TestEvent":
        return Ignored(reporter="s3", reason=_TEST_OF_S3)
    return None
