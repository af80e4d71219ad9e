"""SNS fails: whatever it did not take is given back, and comes again."""

from collections.abc import Iterator

import pytest

from tests.faults.ledger import ALLOWED, DENIED, Ledger, fault
from tests.faults.topic import Topic


@pytest.fixture
def topic(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Iterator[Topic]:
    """Put a topic that may fail in front of the function's."""
    with Topic(ledger.world.endpoint) as topic:
        monkeypatch.setattr(ledger.world.app, "_SNS", topic.client())
        yield topic


@fault("SNS throttles")
def test_throttled_once(ledger: Ledger, topic: Topic) -> None:
    """A message that is throttled is tried again."""
    topic.faults = ["throttle", None]
    ledger.deliver()
    assert (ledger.silent, ledger.alerted, ledger.given_back) == ({*ALLOWED}, {*DENIED}, set())


@fault("SNS refuses")
@pytest.mark.parametrize("fault_", ["refuse", "throttle"])
def test_refused(ledger: Ledger, topic: Topic, fault_: str) -> None:
    """The records of what SNS refuses, or throttles again and again, are given back, and alerted in the end."""
    topic.faults = [fault_]  # type: ignore[list-item]
    ledger.deliver()
    assert (ledger.silent, ledger.alerted, ledger.given_back) == ({*ALLOWED}, set(), {*DENIED})
    topic.faults = [None]
    ledger.deliver()
    assert (ledger.silent, ledger.alerted, ledger.given_back) == ({*ALLOWED}, {*DENIED}, set())


@fault("SNS does not answer")
def test_hanging(ledger: Ledger, topic: Topic) -> None:
    """One message is tried, twice; the records of all are given back."""
    topic.faults = ["hang"]
    ledger.deliver()
    assert (ledger.silent, ledger.alerted, ledger.given_back) == ({*ALLOWED}, set(), {*DENIED})
    assert topic.requests == 2


@fault("SNS takes a message and its answer is lost")
def test_taken_twice(ledger: Ledger, topic: Topic) -> None:
    """The message is sent again: told twice rather than not at all."""
    topic.faults = ["lose the answer", None]
    ledger.deliver()
    assert (ledger.silent, ledger.alerted, ledger.given_back) == ({*ALLOWED}, {*DENIED}, set())
    assert topic.requests == len(DENIED) + 1
