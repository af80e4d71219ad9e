"""The mail about what was told as open and has closed, or was flapping and has come to rest."""

from collections.abc import Iterable, Sequence

from handler.alert import policies
from handler.alert.attributes import UNASSIGNED
from handler.alert.case import SEVERITIES
from handler.alert.story import duration, listed
from handler.alert.text import Room, count, first, footer, quoted, row, short, wrapped
from handler.alert.text import time as spelled
from handler.memory.inventory import Entry
from handler.outcome import Engine
from handler.settings import Settings


def told(entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries of which something has closed or come to rest that no alert about the server says."""
    return [entry for entry in entries if entry.closed or (entry.tells and not entry.outcomes)]


def team(entry: Entry, settings: Settings) -> str:
    """Return whose a server is, by its tag as it was remembered, else by its account."""
    return entry.server.team or policies.team(settings.policies_path, entry.server.account) or UNASSIGNED


def severity(entries: Iterable[Entry]) -> str:
    """Return the worst severity of what is told: who heard of the opening hears of the closing."""
    parts = [part for entry in entries for part in (*entry.closed, *entry.news.opened)]
    return min((part.severity for part in parts), key=SEVERITIES.index, default=SEVERITIES[-1])


def subject(entries: Sequence[Entry]) -> str:
    """Name the server, or say how many they are."""
    word = _word(entries[0]) if len({_word(entry) for entry in entries}) == 1 else "closed"
    accounts = sorted({entry.server.account for entry in entries})
    where = f"account {accounts[0]}" if len(accounts) == 1 else f"{len(accounts)} accounts"
    if len(entries) > 1:
        return f"[{word}] {len(entries)} servers, {where}"
    what = listed(entries[0].closed or entries[0].news.opened)
    return f"[{word}] {_who(entries[0], 40)}{f': {what}' if what else ''}, {where}"


def body(entries: Sequence[Entry], settings: Settings, engine: Engine, room: Room) -> str:
    """Write the mail: a section for each server."""
    closed = count(len(entries), "server", "servers")
    sections = [
        "\n".join(wrapped(f"What was told as open on {closed} has changed:")) if len(entries) > 1 else "",
        *first(entries, room.entries, lambda entry: "\n".join(_section(entry, settings, room))),
        "\n".join(footer(engine, [entries[0].at])),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def summary(entries: Iterable[Entry]) -> list[str]:
    """Say each in a line."""
    return [f"{_word(entry)}: {_who(entry, 100)}: {listed(entry.closed or entry.news.opened)}" for entry in entries]


def _section(entry: Entry, settings: Settings, room: Room) -> list[str]:
    server, news = entry.server, entry.news
    since = server.since or entry.at
    account = short(policies.account(settings.policies_path, server.account), room.characters)
    return [
        *wrapped(f"{_word(entry).upper()}  {_who(entry, room.characters)}", hanging="    "),
        *row("Closed", listed(entry.closed)),
        *row("Why", short(entry.why, 2 * room.characters) if entry.closed else ""),
        *row("Open for", f"{duration(since, entry.at)}, told {spelled(since)}" if entry.closed else ""),
        *row("Opened", listed(news.opened) if news.kind == "settled" else ""),
        *row("Still", listed(news.before)),
        *row("Account", f"{account}, {short(server.region, room.characters)}"),
        *row("Team", short(team(entry, settings), room.characters)),
    ]


def _word(entry: Entry) -> str:
    return entry.news.kind if entry.news.kind in {"flapping", "settled"} else "closed"


def _who(entry: Entry, characters: int) -> str:
    server = entry.server
    named = f"{quoted(server.name, characters)} ({server.id})" if server.name else quoted(server.id, characters)
    return f"security group {named}" if server.kind == "security_group" else named
