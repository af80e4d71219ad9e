"""The time of a sweep."""

import time
from datetime import datetime, timedelta

from msgspec import Struct

from handler.memory.state import spelled

_LEAST_SECONDS = 10.0
"""What a batch needs in any case: look-ups, the decision, and their news."""


class Clock(Struct, frozen=True, kw_only=True):
    """When a sweep has begun, by the calendar and by `time.monotonic()`, and until when it judges and sends."""

    begun: datetime
    start: float
    judge_until: float
    send_until: float

    @property
    def now(self) -> datetime:
        """The time."""
        return self.begun + timedelta(seconds=time.monotonic() - self.start)

    @property
    def at(self) -> str:
        """The time as findings and the memory have it."""
        return spelled(self.now)

    @property
    def is_over(self) -> bool:
        """Whether no time is left for a further batch."""
        return self.seconds < _LEAST_SECONDS

    @property
    def seconds(self) -> float:
        """For how long it may still judge."""
        return self.judge_until - time.monotonic()
