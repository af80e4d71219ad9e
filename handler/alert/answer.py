"""The mail to a person who asked, where nothing is denied: what allows it, or why there is nothing to judge."""

from collections.abc import Sequence

from handler.alert import mail
from handler.alert.case import Case, denies, title
from handler.alert.text import SUMMARY, Room, count, first, footer, quoted, row, short, wrapped
from handler.finding import Closed, Ignored
from handler.outcome import Engine, Outcome
from handler.settings import Settings

ALSO_DENIED = "Something else on this server is denied: the digest that was sent with this answer has it."


def asides(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Give what a person asked about and there is nothing to judge of: it is gone, or is not about an open port."""
    return [outcome for outcome in outcomes if outcome.asked and isinstance(outcome.report, Closed | Ignored)]


def body(allowed: Sequence[Case], asides: Sequence[Outcome], settings: Settings, engine: Engine, room: Room) -> str:
    """Write the mail: a section for each server, and one for the reports without anything to judge."""
    sections = [
        "\n".join(wrapped(_opening(allowed, asides))),
        *first(allowed, room.entries, lambda case: "\n".join(_server(case, settings, room))),
        "\n".join(_nothing(asides, room)),
        "\n".join(footer(engine, [judged.finding.now for case in allowed for judged in case.shown])),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def summary(allowed: Sequence[Case], asides: Sequence[Outcome]) -> list[str]:
    """Say the answers in a line each."""
    lines = [
        f"allowed: {title(case.server, SUMMARY.characters)}: {opening}"
        for case in allowed
        for opening in first(mail.allowed(case, SUMMARY), SUMMARY.entries)
    ]
    return lines + [f"nothing to judge: {line}" for line in _reasons(asides, SUMMARY)]


def _opening(allowed: Sequence[Case], asides: Sequence[Outcome]) -> str:
    reports = count(len(asides), "report", "reports")
    if not allowed:
        return f"A person asked for a verdict: there is nothing to judge in {reports}."
    more = f" In {reports} there is nothing to judge." if asides else ""
    return f"A person asked for this verdict: it is allowed by the policies.{more}"


def _server(case: Case, settings: Settings, room: Room) -> list[str]:
    return [
        *wrapped(title(case.server, room.characters), hanging="    "),
        *(wrapped(ALSO_DENIED) if any(map(denies, case.judged)) else ()),
        *mail.facts(case, settings, room),
        *row("Reached", mail.reached(case)),
        *mail.details(case, [], settings, room),
        *mail.reports(case, room),
    ]


def _nothing(asides: Sequence[Outcome], room: Room) -> list[str]:
    listed = first(_reasons(asides, room), room.entries, lambda line: "\n".join(wrapped(line, "  ", "    ")))
    return ["Nothing to judge:", *listed] if asides else []


def _reasons(asides: Sequence[Outcome], room: Room) -> list[str]:
    return [f"{_name(aside, room)}: {short(aside.reason or '', 2 * room.characters)}" for aside in asides]


def _name(aside: Outcome, room: Room) -> str:
    report = aside.report
    name = report.reporter.id if isinstance(report, Closed) else report.id if isinstance(report, Ignored) else None
    return quoted(name or "a report", 2 * room.characters)
