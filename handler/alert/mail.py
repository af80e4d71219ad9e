"""The mail about one server: what is open, why it is denied, how to close it, how to allow it."""

from collections.abc import Iterable, Sequence

from handler.alert.allow import allowances
from handler.alert.attributes import team
from handler.alert.case import Case, Denial, Judged, denials, heading, load_balancers, only_behind, title, unreadable
from handler.alert.close import commands
from handler.alert.text import Room, blocks, first, footer, ports, quoted, short, sources, time, wrapped
from handler.decision import Allowance, Allowed, Problem, Prohibition
from handler.finding import UNKNOWN, Reporter
from handler.outcome import Engine
from handler.settings import Settings

WAYS = {"internet": "from the internet", "peered_vpc": "from a peered VPC", "vpn": "through a VPN"}


def body(case: Case, judged: Sequence[Judged], settings: Settings, engine: Engine, room: Room) -> str:
    """Write the mail, given everything that was judged in this invocation."""
    denied = denials(case)
    said = "is open where it is not allowed" if denied else "could not be judged: treat it as open"
    sections = [
        wrapped(f"{title(case.server, room.characters)} {said}.", hanging="    "),
        _denied(case, denied, room),
        allowed(case, room),
        facts(case, settings, room),
        ["CLOSE IT", "", *blocks(commands(case, judged), room)],
        ["OR ALLOW IT", "", *blocks(allowances(case), room)],
        _problems(case, room),
        [*reporters(case, room), *footer(engine, [judged.finding.now for judged in case.denied])],
    ]
    return "\n\n".join("\n".join(section) for section in sections if section) + "\n"


def _denied(case: Case, denied: Sequence[Denial], room: Room) -> list[str]:
    whose, forbidding = _whose(case.denied), _forbidding(case.denied)
    entries = first(
        denied,
        room.entries,
        lambda denial: "\n".join(_denial(denial, whose, forbidding, load_balancers(case, denial), room)),
    )
    entries += first(unreadable(case), room.entries, lambda problem: "\n".join(_unreadable(problem, room)))
    if any(UNKNOWN in denial.sources for denial in denied):
        said = wrapped("The report does not say from which addresses: treat it as open to anyone.")
        entries.append("\n".join(said))
    return "\n\n".join(entries).split("\n")


def _denial(
    denial: Denial,
    whose: dict[str, Allowance],
    forbidding: dict[str, Prohibition],
    balancers: Sequence[str],
    room: Room,
) -> list[str]:
    entry = denial.entry
    lines = [
        *wrapped(heading(denial, room), hanging="    "),
        *wrapped(short(entry.reason, 2 * room.characters), "  "),
    ]
    if entry.nearest in whose and entry.cause not in {"expired", "prohibited"}:
        lines += wrapped(f"nearest allowance: {_allowance(entry.nearest, whose, room)}", "  ")
    if entry.prohibition in forbidding:
        lines += _labels(entry.prohibition, forbidding[entry.prohibition].labels, room, "  ")
    elif entry.nearest in whose and entry.cause != "prohibited":
        lines += _labels(entry.nearest, whose[entry.nearest].labels, room, "  ")
    if entry.security_group:
        group = short(entry.security_group, room.characters)
        through = f"through security group {group}"
        if entry.rules:
            rules = ", ".join(first(entry.rules, max(room.entries, 1), lambda rule: short(rule, room.characters)))
            through = f"opened by {'rule' if len(entry.rules) == 1 else 'rules'} {rules} of {group}"
        lines += wrapped(through, "  ")
    if balancers:
        lines += wrapped(f"behind load balancer {_balancers(balancers, room)}", "  ")
    return lines


def _balancers(names: Sequence[str], room: Room) -> str:
    return ", ".join(first(names, max(room.entries, 1), lambda name: short(name, room.characters)))


def _unreadable(problem: Problem, room: Room) -> list[str]:
    return ["could not be judged: treat it as open", *wrapped(_problem(problem, room), "  ")]


def allowed(case: Case, room: Room) -> list[str]:
    """Say what is allowed on a server, and by whom."""
    entries = openings(case, room)
    return ["Allowed on this server:", *entries] if entries else []


def openings(case: Case, room: Room) -> list[str]:
    """Spell each port range that is allowed on a server, from where, and by which allowances."""
    whose = _whose(case.judged)
    entries = list(
        dict.fromkeys(
            (entry, only_behind(judged, entry)) for judged in case.judged for entry in judged.decision.allowed
        )
    )

    def spell(told: tuple[Allowed, tuple[str, ...]]) -> str:
        entry, balancers = told
        opening = f"{ports(entry.protocol, entry.from_port, entry.to_port)} from {sources([entry.source], room)}"
        if balancers:
            opening += f" behind load balancer {_balancers(balancers, room)}"
        most = max(room.entries, 1)
        by = ", ".join(first(entry.by, most, lambda name: _allowance(name, whose, room)))
        lines = wrapped(f"{opening}: {by}", "  ", "    ")
        for name in entry.by[:most]:
            lines += _labels(name, whose[name].labels, room, "    ") if name in whose else []
        return "\n".join(lines)

    return first(entries, room.entries, spell)


def _whose(judged: Iterable[Judged]) -> dict[str, Allowance]:
    """Give whose the allowances are that apply; of two with one id the one that lasts longer, as the gate does."""
    told = (pair for one in judged for pair in one.decision.allowances.items())
    return dict(sorted(told, key=lambda pair: pair[1].expires))


def _forbidding(judged: Iterable[Judged]) -> dict[str, Prohibition]:
    """Give the prohibitions that apply."""
    return {name: entry for one in judged for name, entry in one.decision.prohibitions.items()}


def _labels(name: str, labels: dict[str, str], room: Room, indent: str) -> list[str]:
    """Spell the labels of a statement, where it has some."""
    spelled = ", ".join(f"{label} {text}" for label, text in sorted(labels.items()))
    return wrapped(short(f"labels of {name}: {spelled}", room.characters), indent, f"{indent}  ") if labels else []


def _allowance(name: str, whose: dict[str, Allowance], room: Room) -> str:
    """Name an allowance, its owner and its end; the gate gives both for every allowance that applies."""
    if name not in whose:
        return short(name, room.characters)
    return short(f"{name} ({whose[name].owner}, until {whose[name].expires})", room.characters)


def _problems(case: Case, room: Room) -> list[str]:
    problems = [problem for judged in case.denied for problem in judged.decision.problems if problem.kind != "finding"]

    def spell(problem: Problem) -> str:
        return "\n".join(wrapped(_problem(problem, room), "  ", "    "))

    found = list(dict.fromkeys(problems))
    return ["To be mended:", *first(found, min(room.entries, 10), spell)] if found else []


def _problem(problem: Problem, room: Room) -> str:
    subject = "" if problem.kind == "finding" else f"{problem.kind} {problem.id or ''}, "
    return short(f"{subject}{problem.field}: {problem.problem}", 2 * room.characters)


def facts(case: Case, settings: Settings, room: Room) -> list[str]:
    """Say whose a server is, where it stands, and what was looked up of it."""
    server = case.server
    way = "; ".join(
        dict.fromkeys(
            WAYS[judged.finding.reach] + ("" if judged.finding.reach_known else " (assumed: the report does not say)")
            for judged in case.told
        )
    )
    known = [
        *([("Severity", case.severity)] if case.denied else []),
        ("Account", server.account),
        ("Region", server.region),
        ("VPC", server.vpc if isinstance(server.vpc, str) else "unknown"),
        ("Team", team(server, settings)),
        ("Reached", way),
    ]
    lines = [
        line for name, value in known for line in wrapped(f"{name:<9}{short(value, room.characters)}", "", " " * 9)
    ]
    tags = first(
        _tags(case, settings),
        min(room.entries, 20),
        lambda tag: f"{quoted(tag[0], room.characters)}={quoted(tag[1], room.characters)}",
    )
    spelled = (tags or ["none"]) if case.server.tags_known else ["unknown"]
    lines += [f"{'' if index else 'Tags':<9}{tag}" for index, tag in enumerate(spelled)]
    notes = list(dict.fromkeys(note for judged in case.told for note in judged.finding.notes))
    for note in first(notes, room.entries, lambda note: short(note, 2 * room.characters)):
        lines += wrapped(f"{'Note':<9}{note}", "", " " * 9)
    return lines


def _tags(case: Case, settings: Settings) -> list[tuple[str, str]]:
    leading = ("Name", settings.alert_team_tag)
    return sorted(case.server.tags.items(), key=lambda tag: (tag[0] not in leading, tag))


def reporters(case: Case, room: Room) -> list[str]:
    """Name who told what a message is about."""
    told = list(dict.fromkeys(reporter for judged in case.told for reporter in judged.finding.reporters))
    return first(told, room.entries, lambda reporter: "\n".join(_reporter(reporter, room)))


def _reporter(reporter: Reporter, room: Room) -> list[str]:
    when = f", {time(reporter.updated_at)}" if reporter.updated_at else ""
    return [
        *wrapped(short(f"Reported by {reporter.name}{when}", room.characters)),
        *wrapped(short(reporter.id, 2 * room.characters), "  "),
    ]
