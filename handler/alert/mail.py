"""The mail about one server: what is open, why it is denied, how to close it, how to allow it."""

from collections.abc import Sequence

from handler.alert.allow import allowances
from handler.alert.attributes import team
from handler.alert.case import Case, Denial, Judged, denials, heading, title, unreadable
from handler.alert.close import commands
from handler.alert.text import Room, blocks, first, footer, ports, quoted, short, sources, time, wrapped
from handler.decision import Problem
from handler.finding import UNKNOWN, Reporter
from handler.outcome import Engine
from handler.settings import Settings

WAYS = {"internet": "from the internet", "peered_vpc": "from a peered VPC", "vpn": "through a VPN"}


def body(case: Case, judged: Sequence[Judged], settings: Settings, engine: Engine, room: Room) -> str:
    """Write the mail, given everything that was judged in this invocation."""
    denied = denials(case, settings.policies_path)
    sections = [
        wrapped(f"{title(case.server, room.characters)} is open where the policies do not allow it."),
        _denied(case, denied, room),
        _allowed(case, room),
        ["CLOSE IT", "", *blocks(commands(case, judged), room)],
        ["OR ALLOW IT", "", *blocks(allowances(case), room)],
        _problems(case, room),
        _facts(case, settings, room),
        _reported(case, engine, room),
    ]
    return "\n\n".join("\n".join(section) for section in sections if section) + "\n"


def _denied(case: Case, denied: Sequence[Denial], room: Room) -> list[str]:
    entries = ["\n".join(_denial(case, denial, room)) for denial in denied]
    entries += [
        "\n".join(["could not be judged: treat it as open", *wrapped(_problem(problem, room), "  ")])
        for problem in unreadable(case)
    ]
    lines = "\n\n".join(first(entries, room.entries)).split("\n")
    if any(UNKNOWN in denial.sources for denial in denied):
        lines.append("")
        lines += wrapped("The report does not say from which addresses: treat it as open to anyone.")
    return lines


def _denial(case: Case, denial: Denial, room: Room) -> list[str]:
    entry = denial.entry
    lines = [*wrapped(heading(denial, room), hanging="    "), *wrapped(short(entry.reason, 2 * room.characters), "  ")]
    whose = {name: whose for judged in case.denied for name, whose in judged.decision.allowances.items()}
    if entry.nearest in whose and entry.cause != "expired":
        nearest = whose[entry.nearest]
        lines += wrapped(f"nearest allowance: {_by(entry.nearest, nearest.owner, nearest.expires, room)}", "  ")
    if entry.security_group:
        through = f"through security group {entry.security_group}"
        if entry.rules:
            rules = ", ".join(first(entry.rules, max(room.entries, 1)))
            through = f"opened by {'rule' if len(entry.rules) == 1 else 'rules'} {rules} of {entry.security_group}"
        lines += wrapped(short(through, room.characters), "  ")
    return lines


def _allowed(case: Case, room: Room) -> list[str]:
    lines: list[str] = []
    for judged in case.judged:
        for entry in judged.decision.allowed:
            whose = judged.decision.allowances
            by = ", ".join(
                _by(name, whose[name].owner, whose[name].expires, room)
                if name in whose
                else short(name, room.characters)
                for name in entry.by
            )
            opening = f"{ports(entry.protocol, entry.from_port, entry.to_port)} from {sources([entry.source], room)}"
            lines.append("\n".join(wrapped(f"{opening}: {by}", "  ", "    ")))
    return ["Allowed on this server:", *first(list(dict.fromkeys(lines)), room.entries)] if lines else []


def _by(name: str, owner: str, expires: str, room: Room) -> str:
    return short(f"{name} ({owner}, until {expires})", room.characters)


def _problems(case: Case, room: Room) -> list[str]:
    found = [problem for judged in case.denied for problem in judged.decision.problems if problem.kind != "finding"]
    lines = ["\n".join(wrapped(_problem(problem, room), "  ", "    ")) for problem in dict.fromkeys(found)]
    return ["To be mended in the policies:", *first(lines, min(room.entries, 10))] if lines else []


def _problem(problem: Problem, room: Room) -> str:
    subject = "" if problem.kind == "finding" else f"{problem.kind} {problem.id or ''}, "
    return short(f"{subject}{problem.field}: {problem.problem}", 2 * room.characters)


def _facts(case: Case, settings: Settings, room: Room) -> list[str]:
    server = case.server
    way = "; ".join(
        dict.fromkeys(
            WAYS[judged.finding.reach] + ("" if judged.finding.reach_known else " (assumed: the report does not say)")
            for judged in case.denied
        )
    )
    facts = [
        ("Severity", case.severity),
        ("Account", server.account),
        ("Region", server.region),
        ("VPC", server.vpc if isinstance(server.vpc, str) else "unknown"),
        ("Team", team(server, settings)),
        ("Reached", way),
    ]
    lines = [
        line for name, value in facts for line in wrapped(f"{name:<9}{short(value, room.characters)}", "", " " * 9)
    ]
    tags = [f"{quoted(key, room.characters)}={quoted(value, room.characters)}" for key, value in _tags(case, settings)]
    spelled = first(tags, min(room.entries, 20)) if server.tags_known else ["unknown"]
    lines += [f"{'' if index else 'Tags':<9}{tag}" for index, tag in enumerate(spelled or ["none"])]
    notes = list(dict.fromkeys(note for judged in case.denied for note in judged.finding.notes))
    for note in first(notes, room.entries):
        lines += wrapped(f"{'Note':<9}{short(note, 2 * room.characters)}", "", " " * 9)
    return lines


def _tags(case: Case, settings: Settings) -> list[tuple[str, str]]:
    leading = ("Name", settings.alert_team_tag)
    return sorted(case.server.tags.items(), key=lambda tag: (tag[0] not in leading, tag))


def _reported(case: Case, engine: Engine, room: Room) -> list[str]:
    told = dict.fromkeys(reporter for judged in case.denied for reporter in judged.finding.reporters)
    lines = first(["\n".join(_reporter(reporter, room)) for reporter in told], room.entries)
    return [*lines, *footer(engine, [judged.finding.now for judged in case.denied])]


def _reporter(reporter: Reporter, room: Room) -> list[str]:
    when = f", {time(reporter.updated_at)}" if reporter.updated_at else ""
    return [
        *wrapped(short(f"Reported by {reporter.name}{when}", room.characters)),
        *wrapped(short(reporter.id, 2 * room.characters), "  "),
    ]
