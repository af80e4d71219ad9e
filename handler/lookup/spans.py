"""Port ranges: which ports of one protocol others cover, and which they leave."""

from collections.abc import Iterable
from typing import NamedTuple

from handler.finding import Exposure, Protocol

EVERY_PORT = (0, 65535)


class Span(NamedTuple):
    """Ports of one protocol, both ends included."""

    protocol: Protocol
    low: int
    high: int

    def __str__(self) -> str:
        """Spell it as notes do: `tcp 22`, `udp 8000-8100`."""
        return f"{self.protocol} {self.low}" + (f"-{self.high}" if self.high != self.low else "")

    def shared(self, low: int, high: int) -> "Span | None":
        """Return what of it lies in a port range, null if nothing does."""
        low, high = max(low, self.low), min(high, self.high)
        return Span(self.protocol, low, high) if low <= high else None


def span_of(exposure: Exposure) -> Span:
    """Return the ports of an exposure."""
    return Span(exposure.protocol, exposure.from_port, exposure.to_port)


def gaps(whole: Span, covered: Iterable[Span]) -> list[Span]:
    """Return the parts of a port range that lie in none of the others, ascending."""
    parts, low = [], whole.low
    for span in sorted(covered):
        parts.append(whole.shared(low, span.low - 1))
        low = max(low, span.high + 1)
    return [part for part in (*parts, whole.shared(low, whole.high)) if part is not None]


def joined(spans: Iterable[Span]) -> list[Span]:
    """Return port ranges of one protocol with those that touch put together."""
    united: list[Span] = []
    for span in sorted(spans):
        if united and span.low <= united[-1].high + 1:
            united[-1] = united[-1]._replace(high=max(span.high, united[-1].high))
        else:
            united.append(span)
    return united
