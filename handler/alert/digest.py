"""The mail when there are too many for one each: worst first, what is the same on many servers said once."""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from handler.alert import policies, undecidable
from handler.alert.case import SEVERITIES, Case, denials, heading, title, unreadable
from handler.alert.content import Carried
from handler.alert.message import Earlier
from handler.alert.text import SUMMARY, Room, count, first, footer, quoted, short, wrapped
from handler.alert.undecidable import Shape
from handler.outcome import Engine
from handler.settings import Settings


class _Line(Struct, frozen=True):
    """What is denied alike on one or more servers."""

    severity: str
    heading: str
    reason: str


def body(  # noqa: PLR0913, PLR0917  what a digest is made of
    cases: Sequence[Case],
    shapes: Sequence[Shape],
    settings: Settings,
    engine: Engine,
    room: Room,
    why: str,
) -> str:
    """Write the digest; `why` says why it is one message."""
    sections = [
        *first(_alike(cases, room), room.entries, lambda alike: "\n".join(_section(*alike, settings, room))),
        *first(shapes, room.entries, lambda shape: "\n".join(_unread(shape, settings, room))),
        "\n".join(undecidable.samples(shapes, room)),
        "\n".join(footer(engine, (judged.finding.now for case in cases for judged in case.denied))),
    ]
    opening = "\n".join(wrapped(_opening(cases, shapes, why)))
    return "\n\n".join(section for section in (opening, *sections) if section) + "\n"


def closing(carried: Carried, left_out: dict[str, int]) -> str:
    """Say what the JSON has of what a digest carries; where less is left out it is never longer."""
    numbers = {"findings": len(carried.judged), "reports": len(carried.reports)}
    names = {"findings": "findings with their decisions", "reports": "reports"}
    what = " and the ".join(names[kind] for kind, number in numbers.items() if number)
    left = " and ".join(f"{left_out[kind]} of {number} {kind}" for kind, number in numbers.items() if left_out[kind])
    but = f", but for {left} that did not fit. The function's log has a line for each." if left else "."
    return "\n" + "\n".join(wrapped(f"The {what} are in the JSON of this message{but}")) + "\n"


def summary(cases: Iterable[Case]) -> list[str]:
    """Say in a line each what is denied, and where."""
    return [
        f"{line.severity}: {title(case.server, SUMMARY.characters)}: {line.heading}: {line.reason}"
        for case in cases
        for line in dict.fromkeys(line for line, _ in _lines(case, SUMMARY))
    ]


def too_many(number: int, settings: Settings) -> str:
    """Say why there is a digest where there would be more messages than the limit."""
    return (
        f"because {number} alerts at once are more than the limit of {settings.alert_max_messages} (ALERT_MAX_MESSAGES)"
    )


def _opening(cases: Sequence[Case], shapes: Sequence[Shape], why: str) -> str:
    opened = sum(any(judged.decision.denied for judged in case.denied) for case in cases)
    reports = sum(len(shape.reports) for shape in shapes)
    said = [f"{count(opened, 'server is', 'servers are')} open where it is not allowed"] if opened else []
    unjudged = [count(len(cases) - opened, "server", "servers")] if opened < len(cases) else []
    unjudged += [count(reports, "report", "reports")] if reports else []
    if unjudged:
        said.append(f"{' and '.join(unjudged)} could not be judged")
    return f"{', and '.join(said)}. This is a digest, {why}."


def part(earlier: Earlier) -> str:
    """Say which part of an invocation a digest is about, and how much went before."""
    why = f"number {earlier.messages + 1} of an invocation that has too many findings to be judged at once"
    if not earlier.messages:
        return f"{why}: others may follow"
    before = [(earlier.findings, "finding", "findings"), (earlier.reports, "report", "reports")]
    carried = " and ".join(count(*kind) for kind in before if kind[0])
    return f"{why}: {carried} went before in {count(earlier.messages, 'digest', 'digests')}"


def _alike(cases: Sequence[Case], room: Room) -> list[tuple[_Line, list[Case], list[str]]]:
    """Give each line with its servers and the security groups on the way, the worst and most frequent first."""
    servers: dict[_Line, list[Case]] = {}
    groups: dict[_Line, set[str]] = {}
    for case in cases:
        for line, group in _lines(case, room):
            same = servers.setdefault(line, [])
            if not same or same[-1] is not case:
                same.append(case)
            groups.setdefault(line, set()).update({group} if group else ())
    alike = [(line, same, sorted(groups[line])) for line, same in servers.items()]
    return sorted(alike, key=lambda item: (SEVERITIES.index(item[0].severity), -len(item[1])))


def _lines(case: Case, room: Room) -> Iterator[tuple[_Line, str | None]]:
    for denial in denials(case):
        reason = short(denial.entry.reason, 2 * room.characters)
        line = _Line(denial.severity, heading(denial, room), reason)
        yield from ((line, entry.security_group) for entry in denial.entries)
    for problem in unreadable(case):
        reason = short(f"{problem.field}: {problem.problem}", 2 * room.characters)
        yield _Line(case.severity, "could not be judged: treat it as open", reason), None


def _section(line: _Line, cases: Sequence[Case], groups: Sequence[str], settings: Settings, room: Room) -> list[str]:
    by_place: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        by_place.setdefault((case.server.account, case.server.region), []).append(case)
    passed = ", ".join(first(groups, min(room.entries // 10, 10), lambda group: short(group, room.characters)))
    return [
        *wrapped(f"{line.severity.upper()}  {line.heading}", hanging="    "),
        *wrapped(line.reason, "  "),
        *(wrapped(f"through {passed}", "  ", "    ") if groups else ()),
        *first(list(by_place.values()), room.entries, lambda same: "\n".join(_place(same, settings, room))),
    ]


def _place(cases: Sequence[Case], settings: Settings, room: Room) -> list[str]:
    server = cases[0].server
    account = policies.account(settings.policies_path, quoted(server.account, room.characters))
    place = f"{account}, {quoted(server.region, room.characters)}"
    servers = first(cases, room.entries, lambda case: f"    {title(case.server, room.characters)}{_word(case)}")
    return [f"  {count(len(cases), 'server', 'servers')} in {place}:", *servers]


def _unread(shape: Shape, settings: Settings, room: Room) -> list[str]:
    return [
        "COULD NOT BE JUDGED",
        *undecidable.problems(shape, room),
        *undecidable.where(shape.reports, settings, room),
    ]


def _word(case: Case) -> str:
    """Say what the memory knows of a server."""
    return f": {case.story.word}" if case.story and case.story.word else ""
