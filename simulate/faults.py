"""What goes wrong: each with a rate, and from one seed, so that a run can be repeated."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from botocore.exceptions import ConnectTimeoutError
from msgspec import Struct

from simulate.world import DAY, HOUR, moment


class Death(BaseException):
    """The function dies: nothing in it may catch this."""


class Rates(Struct, frozen=True, kw_only=True):
    """How often what goes wrong: shares of the events, look-ups and invocations.

    `store_down` and `scanner_off` are whether the store is down for an hour a month, and the scanner of an account off
    for a day once.
    """

    lost: float = 0.01
    late: float = 0.02
    look_up_fails: float = 0.02
    dies: float = 0.01
    store_down: bool = True
    scanner_off: bool = True


NONE = Rates(lost=0, late=0, look_up_fails=0, dies=0, store_down=False, scanner_off=False)


class Faults:
    """What goes wrong in the course of time."""

    def __init__(self, rates: Rates, random: Random) -> None:
        self.rates = rates
        self._random = random
        self._calls_left: int | None = None
        self._is_down = self._suspended = False
        self.count = 0

    def happens(self, rate: float) -> bool:
        """Say whether a fault of this rate happens now."""
        struck = self._random.random() < rate
        self.count += struck
        return struck

    def delay(self) -> float:
        """Return how late an event comes, in seconds."""
        return self._random.uniform(60, DAY) if self.happens(self.rates.late) else self._random.uniform(1, 5)

    def fails_to_look_up(self) -> bool:
        """Say whether a look-up fails."""
        return self.happens(self.rates.look_up_fails)

    def begin(self, at: float) -> None:
        """Begin an invocation: choose the call at which the function dies, if it does."""
        self._is_down = self.rates.store_down and is_down(at)
        self._calls_left = self._random.randrange(10) if self.happens(self.rates.dies) else None

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """Let nothing go wrong meanwhile."""
        self._suspended = True
        yield
        self._suspended = False

    def striking(self, client: Any, *names: str) -> Any:
        """Return a client of which each call, or those that are named, may meet what goes wrong."""
        return _Struck(self, client, names)

    def call(self, make: Callable[..., Any], arguments: dict[str, Any], *, is_store: bool) -> Any:
        """Make a call, unless the function has died or the store is down."""
        if self._suspended:
            return make(**arguments)
        if self._calls_left is not None:
            if not self._calls_left:
                raise Death
            self._calls_left -= 1
        if is_store and self._is_down:
            raise ConnectTimeoutError(endpoint_url="https://dynamodb.example")
        return make(**arguments)


def is_down(at: float) -> bool:
    """Say whether the store is down: in the afternoon of each month's 20th day."""
    now = moment(at)
    return now.day == 20 and at % DAY // HOUR == 15


class _Struck:
    """A client whose calls meet what goes wrong."""

    def __init__(self, faults: Faults, client: Any, names: tuple[str, ...]) -> None:
        self._faults, self._client, self._names = faults, client, names

    def __getattr__(self, name: str) -> Any:
        make = getattr(self._client, name)
        if not callable(make):
            return make
        return lambda *positional, **arguments: self._faults.call(
            lambda **named: make(*positional, **named), arguments, is_store=not self._names
        )
