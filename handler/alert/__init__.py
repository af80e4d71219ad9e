"""The alert: what was denied or could not be judged, as messages for SNS.

`messages` says what is to be sent; it is pure but for the policies' data files that it reads on the first alert.
`Alerts` sends it, one slice of an invocation after the other.
"""

import time
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, ReadTimeoutError

from handler.alert.compose import messages
from handler.alert.message import Earlier, Message
from handler.outcome import Engine, Outcome
from handler.settings import Settings

__all__ = ["Alerts", "Earlier", "Message", "Publisher", "messages"]


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


class Alerts:
    """The alerts of one invocation: composed and sent slice by slice, and counted over all of them.

    `deadline` is a time of `time.monotonic()` after which none is sent.
    """

    def __init__(self, settings: Settings, engine: Engine, publisher: Publisher, deadline: float) -> None:
        self._settings = settings
        self._engine = engine
        self._publisher = publisher
        self._deadline = deadline
        self._silent = ""
        self._earlier = Earlier()
        self.count = 0
        """The messages so far, taken by SNS or not."""

    def send(self, outcomes: Sequence[Outcome], *, last: bool = True) -> dict[str, str]:
        """Send what a slice has to tell; return by record id what went wrong for the records of each failed message.

        `last` is false where other slices follow.
        """
        sent = messages(outcomes, self._settings, self._engine, self._earlier, last=last)
        failures = self.publish(sent)
        self.count += len(sent)
        for message in sent:
            if failures.keys().isdisjoint(message.records):
                self._earlier = self._earlier.after(message.data)
        return failures

    def publish(self, messages: Iterable[Message]) -> dict[str, str]:
        """Send messages; return by record id what went wrong for the records of each message that was not taken.

        A message that fails does not keep the others from being sent, but when SNS does not answer to one, or it is
        too late, no other is tried in this invocation.
        """
        failures: dict[str, str] = {}
        for message in messages:
            if not self._silent and time.monotonic() >= self._deadline:
                self._silent = "no time was left to send the alert"
            problem = self._silent or self._problem(message)
            failures |= dict.fromkeys(message.records, problem) if problem else {}
        return failures

    def _problem(self, message: Message) -> str | None:
        """Send one message; return what went wrong."""
        try:
            self._publisher.publish(TopicArn=self._settings.alert_topic_arn, **message.publish_arguments())
        except (BotoCoreError, ClientError) as error:
            problem = f"SNS did not take the alert: {error}"
            if isinstance(error, ConnectTimeoutError | ReadTimeoutError):
                self._silent = problem
            return problem
        except Exception as error:  # noqa: BLE001  whatever it is, the other alerts go out, and these records fail
            return f"the alert could not be sent: {error!r}"
        return None
