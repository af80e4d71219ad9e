"""What AWS knows beyond the report. Every look-up that fails says so, and what it did not tell stays unknown."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime

from handler import aws
from handler.folding import Folded
from handler.settings import LookUps

LookUp = Callable[[Sequence[Folded], float | None], list[Folded]]
"""Looks up folded reports, given the time of `time.monotonic()` after which AWS is asked no more."""

_SHARE = 0.5
"""The part of the time until the decision in which AWS is asked, for reports and for what they do not carry."""

_SPARE_SECONDS = 8.0
"""What is left of that time in any case: for the last request (see `handler.aws`) and for the decision."""


def ask_until(deadline: float | None) -> float | None:
    """Return the time after which AWS is asked no more, from the one by which everything must be decided."""
    now = time.monotonic()
    return None if deadline is None else min(now + _SHARE * (deadline - now), deadline - _SPARE_SECONDS)


def prepare(settings: LookUps, clock: Callable[[], datetime] | None = None) -> LookUp | None:
    """Return what looks findings up as the settings say; null, and nothing is imported, when every look-up is off.

    `clock` says when AWS was read, where that is not now.
    """
    if not settings.looks_up:
        return None
    from handler.lookup import findings  # noqa: PLC0415  what is off costs nothing at the start

    accounts = aws.Accounts(settings.look_up_role_name, settings.look_up_external_id, clock)
    return lambda folded, until: findings.look_up(folded, settings, accounts, until)
