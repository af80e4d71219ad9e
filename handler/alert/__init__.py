"""The alert: what was denied or could not be judged, as messages for SNS.

`messages` says what is to be sent; it is pure but for the policies' data files that it reads on the first alert.
`Alerts` sends it, one slice of an invocation after the other.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, ReadTimeoutError

from handler.alert.compose import messages
from handler.alert.message import Earlier, Message
from handler.outcome import Engine, Outcome
from handler.settings import Settings

if TYPE_CHECKING:
    from handler.memory.comparison import Compared, Entry
    from handler.memory.daily import Daily
    from handler.memory.quiet import Quiet
    from handler.memory.store import Key

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
        return self.publish(messages(outcomes, self._settings, self._engine, self._earlier, last=last))

    def publish(self, composed: Sequence[Message]) -> dict[str, str]:
        """Send messages; return by record id what went wrong for the records of each message that was not taken."""
        return _failures(self._published(composed))

    def send_news(
        self, outcomes: Sequence[Outcome], compared: "Compared", *, last: bool = True
    ) -> "tuple[dict[Key, tuple[str, ...]], dict[str, str]]":
        """Send what is news of a slice; return by server the ids of the messages that have told it, as SNS gave them.

        A server is told where every message about it was taken, and had room for it. Beside them what went wrong, as
        `send` returns it.
        """
        news = messages(outcomes, self._settings, self._engine, self._earlier, last=last, compared=compared)
        told: dict[str, tuple[str, ...]] = {}
        untold: set[str] = set()
        published = self._published(news)
        for message, sent, problem in published:
            named = set() if problem else {entry["episode"] for entry in message.data.get("news", ())}
            untold |= message.episodes - named
            for episode in named:
                told[episode] = (*told.get(episode, ()), sent)
        keys = {entry.episode: entry.key for entry in compared.entries}
        return {keys[name]: sent for name, sent in told.items() if name not in untold}, _failures(published)

    def send_daily(self, daily: "Daily", at: str) -> "tuple[Daily, str]":
        """Send the message of the day; return what its JSON had room for, and what went wrong."""
        from handler.alert.daily import named  # noqa: PLC0415  without a memory it is not imported
        from handler.alert.remembered import of_the_day  # noqa: PLC0415

        message = of_the_day(daily, at, self._settings, self._engine)
        [(_, _, problem)] = self._published([message])
        return named(daily, at, message.data.get("news", ())), problem

    def send_quiet(
        self, quiet: "Quiet", at: str, announce: "Callable[[list[Entry]], None]"
    ) -> "tuple[list[Entry], str, str]":
        """Send the digest of what was only observed.

        Returns what its JSON has room for, with which `announce` is called before, the id that SNS gave it, and what
        went wrong.
        """
        from handler.alert.observed import message, named  # noqa: PLC0415  without a memory it is not imported

        digest = message(quiet, at, self._settings, self._engine)
        entries = named(quiet, digest)
        announce(entries)
        [(_, sent, problem)] = self._published([digest])
        return entries, sent, problem

    def _published(self, composed: Sequence[Message]) -> list[tuple[Message, str, str]]:
        """Send messages; return each with the id that SNS gave it, and with what went wrong.

        A message that fails does not keep the others from being sent, but when SNS does not answer to one, or it is
        too late, no other is tried in this invocation.
        """
        published = []
        for message in composed:
            if not self._silent and time.monotonic() >= self._deadline:
                self._silent = "no time was left to send the alert"
            sent, problem = ("", self._silent) if self._silent else self._publish(message)
            published.append((message, sent, problem))
            if not problem:
                self._earlier = self._earlier.after(message.data)
        self.count += len(composed)
        return published

    def _publish(self, message: Message) -> tuple[str, str]:
        """Send one message; return its id, or what went wrong."""
        try:
            answer: Any = self._publisher.publish(
                TopicArn=self._settings.alert_topic_arn, **message.publish_arguments()
            )
        except (BotoCoreError, ClientError) as error:
            problem = f"SNS did not take the alert: {error}"
            if isinstance(error, ConnectTimeoutError | ReadTimeoutError):
                self._silent = problem
            return "", problem
        except Exception as error:  # noqa: BLE001  whatever it is, the other alerts go out, and these records fail
            return "", f"the alert could not be sent: {error!r}"
        return str((answer or {}).get("MessageId", "")), ""


def _failures(published: Iterable[tuple[Message, str, str]]) -> dict[str, str]:
    return {record: problem for message, _, problem in published if problem for record in message.records}
