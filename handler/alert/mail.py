"""The mail about one server: what decides whether to get up, why it is denied, how to close it, how to allow it."""

from collections.abc import Callable, Iterable, Sequence

from msgspec.structs import replace

from handler.alert import policies
from handler.alert.allow import allowances
from handler.alert.attributes import team
from handler.alert.case import Case, Denial, Judged, denials, heading, load_balancers, only_behind, title, unreadable
from handler.alert.close import commands
from handler.alert.text import (
    Room,
    blocks,
    count,
    first,
    footer,
    ports,
    quoted,
    row,
    rows,
    short,
    sources,
    time,
    wrapped,
)
from handler.decision import Allowance, Problem, Prohibition
from handler.finding import UNKNOWN, Reporter
from handler.outcome import Engine
from handler.settings import Settings

WAYS = {"internet": "from the internet", "peered_vpc": "from a peered VPC", "vpn": "through a VPN"}

LINES = 45
"""Of a mail about one denial: what is listed in it is cut for that, and counted. The JSON has all of it."""

_FEWER = (5, 3, 2, 1)
"""How many entries of a list are said where all are too many lines; of what is denied at least three."""

_WHEN_READ = " read at "
"""In a note that says when something was read from AWS, which nobody needs at night: the JSON has it."""


def writer(case: Case, judged: Sequence[Judged], settings: Settings, engine: Engine) -> Callable[[Room], str]:
    """Return what writes the mail for a room, given everything that was judged in this invocation."""
    denied, steps, offers = denials(case), commands(case, judged), allowances(case, settings)

    def body(room: Room) -> str:
        verified = "".join(block.code for block in offers if len(block.code) <= room.verbatim)
        remedies = [["CLOSE IT", *blocks(steps, room)], ["OR ALLOW IT", *blocks(offers, room)]]
        last = [*reports(case, room, verified), *footer(engine, [entry.finding.now for entry in case.denied])]
        texts: list[str] = []
        for most in (room.entries, *_FEWER):
            sections = [*_verdict(case, denied, settings, room, most), *remedies, last]
            texts.append("\n\n".join("\n".join(section) for section in sections if section) + "\n")
            if len(denied) != 1 or texts[-1].count("\n") <= LINES:
                return texts[-1]
        return min(texts, key=lambda text: text.count("\n"))

    return body


def _verdict(case: Case, denied: Sequence[Denial], settings: Settings, room: Room, most: int) -> list[list[str]]:
    """Say what decides whether to get up, in ten lines where that can be; then why, and what else is known."""
    way = "" if reached(case) == WAYS["internet"] else f" {reached(case)}"
    verdict = f"is open{way} where it is not allowed" if denied else "could not be judged: treat it as open"
    return [
        wrapped(f"{title(case.server, room.characters)} {verdict}.", hanging="    "),
        facts(case, settings, room),
        _denied(case, denied, replace(room, entries=min(room.entries, max(most, 3)))),
        wrapped(" ".join(case.story.prose)) if case.story else [],
        details(case, denied, settings, room, most),
    ]


def reached(case: Case) -> str:
    """Say by which ways a server is reached."""
    findings = [entry.finding for entry in case.shown]
    assumed = {True: "", False: " (assumed)"}
    return " and ".join(dict.fromkeys(WAYS[finding.reach] + assumed[finding.reach_known] for finding in findings))


def facts(case: Case, settings: Settings, room: Room) -> list[str]:
    """Say where a server stands, whose it is, since when it is open, and who reported it when."""
    account = short(policies.account(settings.policies_path, case.server.account), room.characters)
    since = [reporter.first_seen_at for reporter in _reporters(case) if reporter.first_seen_at]
    newest: dict[str, str] = {}
    for reporter in _reporters(case):
        newest[reporter.name] = max(newest.get(reporter.name, ""), reporter.updated_at or "")
    reported = ", ".join(f"{time(date)} by {name}" if date else f"by {name}" for name, date in newest.items())
    return [
        *row("Account", f"{account}, {short(case.server.region, room.characters)}"),
        *row("Team", short(team(case.server, settings), room.characters)),
        *row("Since", time(min(since)) if since and time(min(since)) not in reported else ""),
        *row("Reported", short(reported, 2 * room.characters)),
    ]


def _reporters(case: Case) -> list[Reporter]:
    return list(dict.fromkeys(reporter for entry in case.shown for reporter in entry.finding.reporters))


def _denied(case: Case, denied: Sequence[Denial], room: Room) -> list[str]:
    """Say what is denied and why, the worst first, then what could not be judged; a way in that all share once."""
    ways = {_way(case, denial, room) for denial in denied} if 1 < len(denied) <= room.entries else set()
    shared = ways.pop() if len(ways) == 1 else ()
    entries = first(denied, room.entries, lambda denial: "\n".join(_denial(case, denial, room, shared)))
    entries += ["\n".join(["all of it", *shared])] if shared else []
    entries += first(unreadable(case), room.entries, lambda problem: "\n".join(_unreadable(problem, room)))
    return "\n\n".join(entries).split("\n")


def _denial(case: Case, denial: Denial, room: Room, shared: tuple[str, ...]) -> list[str]:
    return [
        *wrapped(f"{denial.severity.upper()}  {heading(denial, room)}", hanging="    "),
        *wrapped(short(denial.entry.reason, 2 * room.characters), "  "),
        *(wrapped("treat it as open to anyone", "  ") if UNKNOWN in denial.sources else ()),
        *(() if shared else _way(case, denial, room)),
    ]


def _way(case: Case, denial: Denial, room: Room) -> tuple[str, ...]:
    """Say by which rules, or through which group, and behind which load balancers a port is reached."""
    rules_by_group: dict[str, dict[str, None]] = {}
    for entry in denial.entries:
        if entry.security_group:
            rules_by_group.setdefault(entry.security_group, {}).update(dict.fromkeys(entry.rules))
    ways = first(list(rules_by_group.items()), max(room.entries, 1), lambda way: _opened(*way, room))
    balancers = load_balancers(case, denial)
    ways += [f"behind load balancer {_listed(balancers, room)}"] if balancers else []
    return tuple(line for way in ways for line in wrapped(way, "  "))


def _opened(group: str, rules: Iterable[str], room: Room) -> str:
    names, spelled = list(rules), short(group, room.characters)
    opened = f"opened by {'rule' if len(names) == 1 else 'rules'} {_listed(names, room)} of {spelled}"
    return opened if names else f"through security group {spelled}"


def _unreadable(problem: Problem, room: Room) -> list[str]:
    return ["could not be judged: treat it as open", *wrapped(_problem(problem, room), "  ")]


def _listed(names: Sequence[str], room: Room) -> str:
    return ", ".join(first(names, max(room.entries, 1), lambda name: short(name, room.characters)))


def details(case: Case, denied: Sequence[Denial], settings: Settings, room: Room, most: int | None = None) -> list[str]:
    """Say what is allowed on a server, by whose allowances, what was noted about it, and what is to be mended.

    `most` is how many of each, where they are fewer than there is room for.
    """
    entries = room.entries if most is None else min(room.entries, most)
    notes = dict.fromkeys(note for entry in case.shown for note in entry.finding.notes if _WHEN_READ not in note)
    problems = dict.fromkeys(
        problem for entry in case.denied for problem in entry.decision.problems if problem.kind != "finding"
    )
    few = min(entries, 10)
    return [
        *rows("Allowed", _allowed(case, denied, room, entries)),
        *rows("Policies", first(_statements(case, denied, room), entries)),
        *row("Tags", _tags(case, settings, room, min(entries, 20))),
        *rows("Note", first(_denied_first(notes, denied), few, lambda note: short(note, 2 * room.characters))),
        *rows("To mend", first(list(problems), few, lambda problem: _problem(problem, room))),
    ]


def _denied_first(texts: Iterable[str], denied: Sequence[Denial]) -> list[str]:
    """Order texts: those that name a denied port come first."""
    return sorted(texts, key=lambda text: not _names(text, denied))


def _names(text: str, denied: Sequence[Denial]) -> bool:
    return any(denial.ports in text for denial in denied)


def _allowed(case: Case, denied: Sequence[Denial], room: Room, entries: int) -> list[str]:
    """Say what is allowed; where there is hardly any room only how much, unless it is a denied port in another way."""
    openings = _denied_first(allowed(case, room), denied)
    if openings and entries <= _FEWER[-1] and not _names(openings[0], denied):
        return [f"{count(len(openings), 'opening', 'openings')}, in the JSON of this message"]
    return first(openings, entries)


def allowed(case: Case, room: Room) -> list[str]:
    """Say which ports are allowed on a server, from where, and by which allowances."""
    sources_by_opening: dict[tuple[str, tuple[str, ...], tuple[str, ...]], dict[str, None]] = {}
    for judged in case.judged:
        for entry in judged.decision.allowed:
            opening = (ports(entry.protocol, entry.from_port, entry.to_port), only_behind(judged, entry), entry.by)
            sources_by_opening.setdefault(opening, {})[entry.source] = None
    openings: list[str] = []
    for (port, balancers, names), addresses in sources_by_opening.items():
        behind = f" behind load balancer {_listed(balancers, room)}" if balancers else ""
        openings.append(f"{port} from {sources(list(addresses), room)}{behind} by {_listed(names, room)}")
    return openings


def _statements(case: Case, denied: Sequence[Denial], room: Room) -> list[str]:
    """Say of each allowance and prohibition that the mail names whose it is, until when, and its labels."""
    allowances: dict[str, Allowance] = {}
    prohibitions: dict[str, Prohibition] = {}
    for judged in case.judged:  # of two allowances with one id the gate takes the one that lasts longer
        for name, allowance in judged.decision.allowances.items():
            allowances[name] = max(allowance, allowances.get(name, allowance), key=lambda known: known.expires)
        prohibitions |= judged.decision.prohibitions
    about: dict[str, list[str]] = {}
    for denial in denied:
        entry = denial.entry
        if entry.prohibition in prohibitions:
            about[entry.prohibition] = _labels(prohibitions[entry.prohibition].labels)
        elif entry.nearest in allowances and entry.cause != "prohibited":
            owner = [] if entry.cause == "expired" else _owner(allowances[entry.nearest])  # the reason has it
            about[entry.nearest] = owner + _labels(allowances[entry.nearest].labels)
    for name in dict.fromkeys(name for judged in case.judged for entry in judged.decision.allowed for name in entry.by):
        if name in allowances:
            about[name] = _owner(allowances[name]) + _labels(allowances[name].labels)
    names_by_text: dict[str, list[str]] = {}
    for name, texts in about.items():
        if texts:
            names_by_text.setdefault(", ".join(texts), []).append(name)
    return [f"{_listed(names, room)}: {short(text, 2 * room.characters)}" for text, names in names_by_text.items()]


def _owner(allowance: Allowance) -> list[str]:
    return [allowance.owner, f"until {allowance.expires}"]


def _labels(labels: dict[str, str]) -> list[str]:
    return [f"{label} {text}" for label, text in sorted(labels.items())]


def _problem(problem: Problem, room: Room) -> str:
    subject = "" if problem.kind == "finding" else f"{problem.kind} {problem.id or ''}, "
    return short(f"{subject}{problem.field}: {problem.problem}", 2 * room.characters)


def _tags(case: Case, settings: Settings, room: Room, most: int) -> str:
    """Spell the tags, but for the name and the team, which stand above."""
    server = case.server
    if not server.tags_known:
        return "unknown"
    above = {("Name", server.name), (settings.alert_team_tag, team(server, settings))}
    tags = [tag for tag in sorted(server.tags.items()) if tag not in above]
    spelled = first(
        tags,
        most,
        lambda tag: f"{quoted(tag[0], room.characters)}={quoted(tag[1], room.characters)}",
    )
    return ", ".join(spelled) if spelled or server.tags else "none"


def reports(case: Case, room: Room, named: str = "") -> list[str]:
    """Name the reports that a message is about, but for those that it has named already."""
    ids = dict.fromkeys(reporter.id for reporter in _reporters(case) if reporter.id not in named)
    return rows("Report", first(list(ids), room.entries, lambda name: short(name, 2 * room.characters)))
