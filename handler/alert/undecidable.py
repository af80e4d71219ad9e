"""The mail about reports that could not be judged: one a shape, with the raw events attached."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import Struct

from handler.alert import policies
from handler.alert.close import rules_of
from handler.alert.content import plain
from handler.alert.text import ROOMS, SUMMARY, Block, Room, blocks, count, first, footer, rows, short, wrapped
from handler.finding import Undecidable
from handler.outcome import Engine, Outcome
from handler.settings import Settings

_GROUP = re.compile(r"sg-[0-9a-z]+", re.ASCII)


class Shape(Struct, frozen=True):
    """The unreadable reports of one shape, and the records that told them."""

    name: str
    reports: tuple[Undecidable, ...]
    records: frozenset[str]


def by_shape(outcomes: Iterable[Outcome]) -> list[Shape]:
    """Gather what could not be read by its shape, the most frequent shape first."""
    gathered: dict[str, list[tuple[Undecidable, tuple[str, ...]]]] = {}
    for outcome in outcomes:
        if isinstance(outcome.report, Undecidable):
            gathered.setdefault(outcome.report.shape, []).append((outcome.report, outcome.records))
    shapes = (
        Shape(
            name,
            tuple(report for report, _ in pairs),
            frozenset(record for _, records in pairs for record in records),
        )
        for name, pairs in gathered.items()
    )
    return sorted(shapes, key=lambda shape: (-len(shape.reports), shape.name))


def body(shape: Shape, settings: Settings, engine: Engine, room: Room) -> str:
    """Write the mail about the reports of one shape."""
    number = len(shape.reports)
    opening = (
        f"Portcullis could not judge {'this report' if number == 1 else f'these {number} reports'}, so nobody knows "
        "whether what is open is allowed. Treat it as open to anyone, and look at the server itself. "
        "`portcullis decide FILE` judges an event anew."
    )
    sections = [
        wrapped(opening),
        problems(shape, room),
        where(shape.reports, settings, room),
        _look(shape.reports, room),
        raw(shape.reports, room),
    ]
    return "\n\n".join("\n".join(section) for section in (*sections, footer(engine)) if section) + "\n"


def problems(shape: Shape, room: Room) -> list[str]:
    """Say what is wrong with the reports of a shape, equal problems once."""
    times = Counter((report.field, report.problem) for report in shape.reports)

    def spell(problem: tuple[str, str]) -> str:
        spelled = short(": ".join(filter(None, problem)), 2 * room.characters)
        often = f" ({times[problem]} reports)" if times[problem] > 1 else ""
        return "\n".join(wrapped(f"{spelled}{often}", "  ", "    "))

    return [*wrapped(short(shape.name, room.characters), hanging="    "), *first(list(times), room.entries, spell)]


def summary(shapes: Iterable[Shape]) -> list[str]:
    """Say in a line each what could not be read."""
    return [" ".join(line.split()) for shape in shapes for line in ["; ".join(problems(shape, SUMMARY))]]


def raw(reports: Sequence[Undecidable], room: Room) -> list[str]:
    """Attach the events as they came, as many and as much of them as there is room for."""
    number = len(reports)
    labels = [
        "The report as it came:" if number == 1 else f"Report {place} of {number}, {_about(report, room)}:"
        for place, report in enumerate(reports, start=1)
    ]
    return _attached(labels, reports, room)


def samples(shapes: Sequence[Shape], room: Room) -> list[str]:
    """Attach the first event of each shape as it came."""
    labels = []
    for shape in shapes:
        number = len(shape.reports)
        what = "The report as it came" if number == 1 else f"The first of {number} as it came"
        labels.append(f"{what}, {_about(shape.reports[0], room)}:" if len(shapes) > 1 else f"{what}:")
    return _attached(labels, [shape.reports[0] for shape in shapes], room)


def _about(report: Undecidable, room: Room) -> str:
    return short(report.field or report.server or report.problem, room.characters)


def _attached(labels: Sequence[str], reports: Sequence[Undecidable], room: Room) -> list[str]:
    left = room.verbatim
    lines: list[str] = []
    for number, (label, report) in enumerate(zip(labels, reports, strict=True)):
        if number:
            lines.append("")
        if left <= 0:
            return [*lines, f"... and {count(len(reports) - number, 'event', 'events')} more, of {len(reports)}"]
        spelled = _spelled(report.raw)
        missing = len(spelled) - left
        lines += [label, spelled if missing <= 0 else f"{spelled[:left]}\n... and {missing} more characters of it"]
        left -= len(spelled)
    return lines


def where(reports: Sequence[Undecidable], settings: Settings, room: Room) -> list[str]:
    """Name accounts, Regions, servers and reports, each once; unknown is what none of them says."""
    facts: dict[str, list[str | None]] = {
        "Account": [policies.account(settings.policies_path, report.account or "") for report in reports],
        "Region": [report.region for report in reports],
        "Server": [report.server for report in reports],
        "Report": [report.id for report in reports],
    }
    lines: list[str] = []
    for name, values in facts.items():
        known = [value for value in dict.fromkeys(values) if value] or ["unknown"]
        most = min(room.entries, ROOMS[0].entries) if name == "Report" else room.entries
        lines += rows(name, first(known, most, lambda value: short(value, room.characters)))
    return lines


def _look(reports: Sequence[Undecidable], room: Room) -> list[str]:
    """Give the commands that show what the security groups open that could be read."""
    groups: dict[str, dict[str, None]] = {}
    for report in reports:
        if report.region and report.server and _GROUP.fullmatch(report.server):
            groups.setdefault(report.region, {})[report.server] = None
    commands = [rules_of(region, ids) for region, ids in sorted(groups.items())]
    return blocks([Block("See what is open now:", "\n".join(commands))], room) if commands else []


def _spelled(event: object) -> str:
    """Spell an event as ASCII JSON, so that nothing in it can pass for a line of the mail."""
    return json.dumps(plain(event), indent=2).replace("\x7f", "\\u007f")
