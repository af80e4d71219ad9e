"""What AWS knows beyond the report. Every look-up that fails says so, and what it did not tell stays unknown."""

from collections.abc import Callable, Sequence

from handler import aws
from handler.folding import Folded
from handler.settings import LookUps

LookUp = Callable[[Sequence[Folded], float | None], list[Folded]]
"""Looks up folded reports, given the time of `time.monotonic()` by which they must be decided."""


def prepare(settings: LookUps) -> LookUp | None:
    """Give what looks findings up as the settings say; null, and nothing is imported, when every look-up is off."""
    if not settings.looks_up:
        return None
    from handler.lookup import findings  # noqa: PLC0415  what is off costs nothing at the start

    accounts = aws.Accounts(settings.look_up_role_name, settings.look_up_external_id)
    return lambda folded, deadline: findings.look_up(folded, settings, accounts, deadline)
