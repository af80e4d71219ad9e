"""Shows on standard error how far long work is."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Self, TypeVar

from handler.printable import printable

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

T = TypeVar("T")

_SECONDS = 1.0
"""What takes no longer is not worth a bar."""


class Progress:
    """A bar that appears after a second, if `shown` and in a terminal that can, and is gone at the end."""

    def __init__(self, *, shown: bool) -> None:
        self._start = time.monotonic()
        self._bar = _bar() if shown and sys.stderr.isatty() else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def of(self, items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
        """Give the items and count them; `total` is how many come, where that is known."""
        if self._bar is None:
            yield from items
            return
        task = self._bar.add_task(printable(description), total=total)
        for item in items:
            yield item
            self._bar.advance(task)
            if not self._bar.live.is_started and time.monotonic() - self._start > _SECONDS:
                self._bar.start()
        self._bar.remove_task(task)


def _bar() -> "Bar":
    from rich import progress  # noqa: PLC0415  who is shown no bar does not wait for it
    from rich.console import Console  # noqa: PLC0415

    console = Console(stderr=True)
    return progress.Progress(
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=console.is_dumb_terminal or not console.is_terminal,
    )
