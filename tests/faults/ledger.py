"""Keeps account of events: each that was delivered is alerted, is silent because it is allowed, or is given back."""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from tests.world import World, bundled, renamed, sqs

Test = TypeVar("Test", bound=Callable[..., None])

FAULTS: list[str] = []
"""The faults that are tested, as the table of `docs/failures.md` calls them."""

ALLOWED, DENIED = range(5), range(5, 10)
"""The numbers of the events that every batch has: five that the policies allow, and five that they deny."""

_NAMED = re.compile(r"\bi-([0-9a-f]{17})\b")


def fault(name: str) -> Callable[[Test], Test]:
    """Note that a test is about a fault of the table."""

    def note(test: Test) -> Test:
        FAULTS.append(name)
        return test

    return note


class Ledger:
    """Delivers batches to the function, and keeps what became of each event, by its number.

    `alerted` are those that the alerts in the queue name, `given_back` those that the last delivery failed, `silent`
    the others: it fails unless those are allowed, and unless everything that is alerted is not.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.alerted: set[int] = set()
        self.given_back: set[int] = set()
        self.silent: set[int] = set()

    def deliver(self, *more: Any, seconds: int = 30, allowed: Iterable[int] = ALLOWED) -> None:
        """Deliver five events that are allowed, five that are denied, and more, numbered from 10."""
        events = [renamed(bundled("01-web-443"), "web-prod-01", number) for number in ALLOWED]
        events += [renamed(bundled("07-telnet"), "web-prod-01", number) for number in DENIED]
        answer = self.world.invoke(sqs(*events, *more), seconds)
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        self.given_back = {int(name.removeprefix("message-")) for name in failed}
        self.alerted |= self.told()
        delivered = set(range(len(events) + len(more)))
        self.silent = delivered - self.alerted - self.given_back
        assert self.silent <= set(allowed), "a denied event ended in silence"
        assert self.alerted <= delivered - set(allowed), "an allowed event was alerted"
        assert len(delivered) == len(self.alerted - self.given_back) + len(self.silent) + len(self.given_back)

    def told(self) -> set[int]:
        """Take the alerts from the queue, and return the numbers of the events that they name."""
        messages = [json.loads(alert["Message"]) for alert in self.world.alerts()]
        assert all(message["left_out"] == {"findings": 0, "reports": 0} for message in messages)
        parts = [part for message in messages for part in (*message["findings"], *message["reports"])]
        return {int(number, 16) for part in parts for number in _NAMED.findall(json.dumps(part))}


def named(name: str, number: int) -> Any:
    """Give an event about a server of a name that a policy misbehaves for."""
    return renamed(bundled("01-web-443"), name, number)
