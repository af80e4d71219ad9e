"""The alert: what was denied or could not be judged, as messages for SNS.

`messages` says what is to be sent; it is pure but for the policies' data files that it reads on the first alert.
`publish` sends it.
"""

import time
from collections.abc import Iterable
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, ReadTimeoutError

from handler.alert.compose import messages
from handler.alert.message import Message

__all__ = ["Message", "Publisher", "messages", "publish"]


class Publisher(Protocol):
    """What sends a message: boto3's SNS client."""

    def publish(
        self,
        *,
        TopicArn: str,  # noqa: N803  the API's own names
        Subject: str,  # noqa: N803
        Message: str,  # noqa: N803
        MessageStructure: str,  # noqa: N803
        MessageAttributes: Any,  # noqa: N803
    ) -> object:
        """Publish one message; raises what boto3 raises."""


def publish(messages: Iterable[Message], publisher: Publisher, topic_arn: str, deadline: float) -> dict[str, str]:
    """Send the messages, and give by record id what went wrong for every record of a message that was not taken.

    A message that fails does not keep the others from being sent, but when SNS does not answer to one, or it is later
    than `deadline` (a time of `time.monotonic()`), no other is tried.
    """
    failures: dict[str, str] = {}
    silent = ""
    for message in messages:
        if not silent and time.monotonic() >= deadline:
            silent = "no time was left to send the alert"
        if silent:
            failures |= dict.fromkeys(message.records, silent)
            continue
        try:
            publisher.publish(TopicArn=topic_arn, **message.publish_arguments())
        except (BotoCoreError, ClientError) as error:
            problem = f"SNS did not take the alert: {error}"
            failures |= dict.fromkeys(message.records, problem)
            if isinstance(error, ConnectTimeoutError | ReadTimeoutError):
                silent = problem
        except Exception as error:  # noqa: BLE001  whatever it is, the other alerts go out, and these records fail
            failures |= dict.fromkeys(message.records, f"the alert could not be sent: {error!r}")
    return failures
