"""Shows on standard error how far long work is."""

import time
from collections.abc import Iterable, Iterator
from typing import Self, TypeVar

from rich import progress
from rich.console import Console

from handler.alert.text import printable

T = TypeVar("T")

_SECONDS = 1.0
"""What takes no longer is not worth a bar."""


class Progress:
    """A bar that appears after a second, if `shown` and in a terminal that can, and is gone at the end."""

    def __init__(self, *, shown: bool) -> None:
        self._start = time.monotonic()
        columns = (
            progress.TextColumn("{task.description}", markup=False),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
        )
        console = Console(stderr=True)
        shown = shown and console.is_terminal and not console.is_dumb_terminal
        self._bar = progress.Progress(
            *columns, progress.TimeElapsedColumn(), console=console, transient=True, disable=not shown
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def of(self, items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
        """Give the items and count them; `total` is how many come, where that is known."""
        task = self._bar.add_task(printable(description), total=total)
        for item in items:
            yield item
            self._bar.advance(task)
            if not self._bar.live.is_started and time.monotonic() - self._start > _SECONDS:
                self._bar.start()
        self._bar.remove_task(task)
