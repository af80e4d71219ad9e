"""The messages that only a function with a memory sends: news of servers, closings, and the digest of the day."""

from collections.abc import Sequence

from msgspec.structs import replace

from handler.alert import closings as closing
from handler.alert import daily as day
from handler.alert.attributes import Row, of_rows
from handler.alert.case import Case, cases, identity, judgements
from handler.alert.content import Carried
from handler.alert.draft import Draft, fitted
from handler.alert.message import Message
from handler.alert.story import data, story
from handler.alert.text import DIGEST_ROOMS
from handler.finding import Finding
from handler.memory.comparison import Compared, Entry
from handler.memory.daily import Daily
from handler.outcome import Engine, Outcome
from handler.settings import Settings


def news(outcomes: Sequence[Outcome], compared: Compared, engine: Engine) -> list[Case]:
    """Return the servers of which something is news, could not be compared, or was asked about, each with its story."""
    entries = {entry.identity: entry for entry in compared.entries}
    told = [outcome for entry in compared.entries for outcome in entry.outcomes]
    told += compared.uncompared
    named = {outcome.report.id for outcome in told if isinstance(outcome.report, Finding)}
    told += [
        outcome
        for outcome in outcomes
        if outcome.asked and isinstance(outcome.report, Finding) and outcome.report.id not in named
    ]
    return [
        replace(case, story=story(entries[identity(case.server)], engine.policy))
        if identity(case.server) in entries
        else case
        for case in cases(judgements(told))
    ]


def undecided(compared: Compared) -> list[Outcome]:
    """Return what could not be judged and was not told today, or could not be compared."""
    return [*(outcome for _, outcome in compared.undecidable), *compared.uncompared]


def uncompared(compared: Compared) -> str:
    """Say why there is a digest where something could not be compared."""
    if not compared.uncompared:
        return ""
    return f"because what was told before could not be read, so that it may be told again: {compared.problem}"


def closings(entries: Sequence[Entry], settings: Settings, engine: Engine) -> list[Draft]:
    """Draft one message for each team about what has closed."""
    by_team: dict[str, list[Entry]] = {}
    for entry in closing.told(entries):
        by_team.setdefault(closing.team(entry, settings), []).append(entry)
    return [_closing(team, gathered, settings, engine) for team, gathered in by_team.items()]


def _closing(team: str, entries: Sequence[Entry], settings: Settings, engine: Engine) -> Draft:
    worst = closing.severity(entries)
    rows: list[Row] = [
        (entry.server.account, entry.server.region, worst, entry.server.id, "closed", team) for entry in entries
    ]
    return Draft(
        records=frozenset().union(*(entry.records for entry in entries)),
        subject=closing.subject(entries),
        attributes=of_rows(rows, settings),
        text=lambda room: closing.body(entries, settings, engine, room),
        carried=Carried(kind="closed", summary=closing.summary(entries), news=[data(entry) for entry in entries]),
    )


def of_the_day(daily: Daily, at: str, settings: Settings, engine: Engine) -> Message:
    """Return the message of the day."""
    draft = Draft(
        records=frozenset(),
        subject=day.subject(daily),
        attributes=of_rows(day.rows(daily, settings), settings),
        text=lambda room: day.body(daily, at, settings, engine, room),
        rooms=DIGEST_ROOMS,
        closing=day.closing,
        carried=Carried(kind="day", summary=day.summary(daily), news=day.news(daily, at)),
    )
    return fitted(draft, settings, engine)
