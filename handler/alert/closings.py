"""The mail about what was told as open and has closed, or was flapping and has come to rest."""

from collections.abc import Iterable, Sequence

from handler.alert import policies, subjects
from handler.alert.attributes import UNASSIGNED
from handler.alert.case import SEVERITIES
from handler.alert.story import FLAPPING, SETTLED, duration, listed
from handler.alert.text import Room, count, first, footer, quoted, row, short, wrapped
from handler.alert.text import time as spelled
from handler.memory.comparison import Entry
from handler.memory.parts import Part, common
from handler.outcome import Engine
from handler.settings import Settings


def told(entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries of which something has closed or come to rest that no alert about the server says."""
    return [entry for entry in entries if entry.closed or (entry.news.flapped and not entry.outcomes)]


def team(entry: Entry, settings: Settings) -> str:
    """Return whose a server is, by its tag as it was remembered, else by its account."""
    return entry.server.team or policies.team(settings.policies_path, entry.server.account) or UNASSIGNED


def severity(entries: Iterable[Entry]) -> str:
    """Return the worst severity of what is told: who heard of the opening hears of the closing."""
    parts = [part for entry in entries for part in (*entry.closed, *entry.news.opened)]
    return min((part.severity for part in parts), key=SEVERITIES.index, default=SEVERITIES[-1])


def subject(entries: Sequence[Entry]) -> str:
    """Name the server, or say how many they are, and what has closed where that is the same on all."""
    words = {_word(entry) for entry in entries}
    word = words.pop() if len(words) == 1 else "closed"
    where = subjects.name_accounts(entry.server.account for entry in entries)
    openings = {listed(_changed(entry)) for entry in entries}
    what = openings.pop() if len(openings) == 1 else ""
    who = _who(entries[0], 40) if len(entries) == 1 else count(len(entries), "server", "servers")
    before = f" and {count(entries[0].gone, 'other', 'others')}" if len(entries) == 1 and entries[0].gone else ""
    said = [f"{before}: {what}, {where}"] if what else []
    return subjects.fitted(word, who, [*said, f"{before}, {where}"], len(who))


def body(entries: Sequence[Entry], settings: Settings, engine: Engine, room: Room) -> str:
    """Write the mail: a section for each server, or for those of which there is the same to say."""
    closed = count(len(entries), "server", "servers")
    alike: dict[tuple[str, ...], list[Entry]] = {}
    for entry in entries:
        alike.setdefault((_word(entry), *_section(entry, settings, room)), []).append(entry)
    sections = [
        "\n".join(wrapped(f"What was told as open on {closed} has changed:")) if len(entries) > 1 else "",
        *first(list(alike.items()), room.entries, lambda same: "\n".join([*_heading(same[1], room), *same[0][1:]])),
        "\n".join(footer(engine, [entries[0].at])),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def summary(entries: Iterable[Entry]) -> list[str]:
    """Say each in a line."""
    return [f"{_word(entry)}: {_who(entry, 100)}: {listed(_changed(entry))}" for entry in entries]


def _heading(entries: Sequence[Entry], room: Room) -> list[str]:
    names = first(entries, room.entries, lambda entry: _who(entry, room.characters))
    return wrapped(f"{_word(entries[0]).upper()}  {', '.join(names)}", hanging="    ")


def _section(entry: Entry, settings: Settings, room: Room) -> list[str]:
    server, news = entry.server, entry.news
    since = entry.told_since(entry.closed)
    account = short(policies.account(settings.policies_path, server.account), room.characters)
    settled = news.kind == "settled"
    sentence = SETTLED if settled else FLAPPING if news.flapped else ""
    closed = bool(entry.closed)
    others = f"the last of {entry.gone + 1} servers behind the same rule; the others have closed before"
    return [
        *(wrapped(sentence.format(flapped=listed(news.flapped))) if sentence else []),
        *row("Closed", listed(news.flapped if _word(entry) == "settled, closed" else entry.closed)),
        *row("Servers", others if entry.gone else ""),
        *row("Why", short(entry.why, 2 * room.characters) if closed else ""),
        *row("Open for", f"{duration(since, entry.at)}, told {spelled(since)}" if closed and not settled else ""),
        *row("Opened", listed(news.opened) if settled else ""),
        *row("Still", f"open: {listed(news.before)}" if news.before else ""),
        *row("Account", f"{account}, {short(server.region, room.characters)}"),
        *row("Team", short(team(entry, settings), room.characters)),
    ]


def _word(entry: Entry) -> str:
    if entry.news.kind == "settled":
        return "settled, still open" if common(entry.news.flapped, entry.server.denied) else "settled, closed"
    if entry.news.kind == "flapping":
        return "flapping"
    return "partly closed" if entry.news.before else "closed"


def _changed(entry: Entry) -> tuple[Part, ...]:
    """Return what a subject names."""
    return entry.closed or entry.news.opened or entry.news.flapped


def _who(entry: Entry, characters: int) -> str:
    server = entry.server
    named = f"{quoted(server.name, characters)} ({server.id})" if server.name else quoted(server.id, characters)
    return f"security group {named}" if server.kind == "security_group" else named
