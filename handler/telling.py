"""What of an invocation's outcomes is told, and then remembered as told: the alert and the memory together."""

import logging
import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from handler import alert
from handler.errors import MemoryUnavailableError
from handler.finding import Finding
from handler.invocation import Judged
from handler.lookup import LookUp
from handler.memory.comparison import Compared, Entry, uncompared, unmarked
from handler.memory.daily import Daily
from handler.memory.flapping import Rules
from handler.memory.inventory import Inventory
from handler.memory.quiet import Quiet
from handler.memory.servers import Terms
from handler.memory.state import spelled
from handler.memory.store import Key, Table
from handler.memory.tags import with_remembered_tags
from handler.outcome import Outcome
from handler.settings import Settings

_MARGIN = timedelta(seconds=5)
"""After an invocation's end, until which nobody else tells what it was about to tell."""

_LOGGER = logging.getLogger(__name__)


class Remembering:
    """The memory of the function, for as long as the process lives."""

    def __init__(self, settings: Settings, client: Any, policy: str) -> None:
        self._table = Table(client, settings.memory_table)
        self._table.check(writes=True)
        self._table.check_expiry()
        self._policy = policy
        self._day = ""
        self._terms = Terms(
            retention=timedelta(days=settings.memory_retention_days),
            patience=timedelta(hours=settings.memory_unread_hours),
            remind=timedelta(days=settings.memory_reminder_days) if settings.memory_reminder_days else None,
            team_tag=settings.alert_team_tag,
            rules=Rules(
                changes=settings.memory_flapping_changes, window=timedelta(hours=settings.memory_flapping_hours)
            ),
            observe=settings.mode == "observe",
        )

    @property
    def table(self) -> Table:
        """The table itself."""
        return self._table

    def with_tags(self, look_up: LookUp | None, *, required: bool = False) -> LookUp | None:
        """Return the look-up with what is remembered in the place of tags that it fails to read."""
        if look_up is None:
            return None
        return with_remembered_tags(look_up, self._table, self._terms.patience, required=required)

    def inventory(self, token: str, at: datetime, seconds: float) -> Inventory:
        """Return the memory of an invocation that has so many seconds left."""
        deadline = spelled(at + timedelta(seconds=seconds) + _MARGIN)
        self._table.begin(time.monotonic() + seconds)
        return Inventory(self._table, self._terms, token=token, at=spelled(at), deadline=deadline, policy=self._policy)

    def tell_day(self, inventory: Inventory, alerts: alert.Alerts, at: datetime, until: float) -> None:
        """Tell once a day what is still open; what goes wrong is logged, and the next invocation tries again.

        `until` is a time of `time.monotonic()` after which nothing more is read.
        """
        if self._day == at.date().isoformat():
            return
        try:
            digest = inventory.quiet_day(until) if inventory.observes else inventory.day(until)
            if digest is None:
                return
            if isinstance(digest, Quiet):
                problem = _tell_quiet_day(digest, inventory, alerts, at)
            else:
                problem = _tell_day(digest, inventory, alerts, at, until)
        except Exception as error:  # noqa: BLE001  whatever it is, what was judged has been told
            problem = str(error) if isinstance(error, MemoryUnavailableError) else repr(error)
        if problem:
            _LOGGER.error("the digest of the day failed", extra={"fields": {"problem": problem}})
        else:
            self._day = at.date().isoformat()


def _tell_day(daily: Daily, inventory: Inventory, alerts: alert.Alerts, at: datetime, until: float) -> str:
    """Tell what has come to rest, and then the digest; return what went wrong."""
    settled = inventory.settle(daily.settled)
    told, failures = alerts.send_news([], settled)
    failures |= inventory.remember((entry, told[entry.key]) for entry in settled.entries if entry.key in told)
    untold = [entry.server.id for entry in settled.entries if entry.tells and entry.key not in told]
    problem = settled.problem or next(iter(failures.values()), "")
    problem = problem or (f"how {', '.join(untold)} came to rest could not be told" if untold else "")
    if daily and not problem:
        daily, problem = alerts.send_daily(daily, spelled(at))
    if not problem:
        inventory.mark_day(daily, until)
    return problem


def _tell_quiet_day(quiet: Quiet, inventory: Inventory, alerts: alert.Alerts, at: datetime) -> str:
    """Tell what was only observed; return what went wrong."""
    if not quiet:
        inventory.mark_quiet_day(quiet.entries, "")
        return ""
    entries, sent, problem = alerts.send_quiet(quiet, spelled(at), inventory.announce)
    if not problem:
        inventory.mark_quiet_day(entries, sent)
    return problem


def tell(judged: Judged, alerts: alert.Alerts, inventory: Inventory) -> tuple[dict[str, str], set[int]]:
    """Tell what is news of what was judged, and what has closed.

    Returns by record id why a record is to be given back, and the `id()` of each outcome of which nothing was told.
    What SNS did not take, and what a message had to leave out, stays news.
    """
    try:
        return _tell(judged, inventory.compare(judged.outcomes, judged.elsewhere), alerts, inventory)
    except Exception as error:
        _LOGGER.exception("the memory has an error")
        return _tell(judged, uncompared(judged.outcomes, repr(error)), alerts, inventory)


def _tell(
    judged: Judged, compared: Compared, alerts: alert.Alerts, inventory: Inventory
) -> tuple[dict[str, str], set[int]]:
    compared = _untold(compared) if inventory.observes else compared
    _, failures = send(judged.outcomes, compared, alerts, inventory, last=judged.last)
    return {**compared.given_back, **failures}, _quiet(judged.outcomes, compared)


def send(
    outcomes: Sequence[Outcome], compared: Compared, alerts: alert.Alerts, inventory: Inventory, *, last: bool = True
) -> tuple[dict[Key, tuple[str, ...]], dict[str, str]]:
    """Send what is news, and remember what of it was told.

    Returns by server the ids of the messages that have told it, and by record id what went wrong.
    """
    messages, failures = alerts.send_news(outcomes, compared, last=last)
    untold = [entry for entry in compared.entries if entry.tells and entry.key not in messages]
    told = [
        (entry, messages.get(entry.key, ())) for entry in compared.entries if entry.key in messages or not entry.tells
    ]
    undecidable = [pair for pair in compared.undecidable if failures.keys().isdisjoint(pair[1].records)]
    try:
        failures |= inventory.remember(told, undecidable)
    except Exception as error:
        _LOGGER.exception("the memory has an error")
        failures |= {record: unmarked(repr(error)) for entry, _ in told for record in entry.records}
    return messages, {**_left_out(untold), **failures}


def _untold(compared: Compared) -> Compared:
    """Give back what could not be compared, where it would be told otherwise: who only observes has to remember it."""
    problem = f"what is observed could not be remembered: {compared.problem}"
    given_back = {record: problem for outcome in compared.uncompared for record in outcome.records}
    return replace(compared, uncompared=(), given_back={**compared.given_back, **given_back})


def _quiet(outcomes: Iterable[Outcome], compared: Compared) -> set[int]:
    """Return the outcomes that are no news."""
    told = [outcome for entry in compared.entries for outcome in entry.outcomes]
    findings = {outcome.report.id for outcome in (*told, *compared.uncompared) if isinstance(outcome.report, Finding)}
    others = {id(outcome) for outcome in (*(pair[1] for pair in compared.undecidable), *compared.uncompared)}
    return {
        id(outcome)
        for outcome in outcomes
        if not outcome.asked
        and id(outcome) not in others
        and not (isinstance(outcome.report, Finding) and outcome.report.id in findings)
    }


def _left_out(entries: Iterable[Entry]) -> dict[str, str]:
    """Say of what no message named that it comes again."""
    problem = "the message had no room for it: it is told when the record comes again"
    return {record: problem for entry in entries for record in entry.records}
