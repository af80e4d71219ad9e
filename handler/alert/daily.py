"""The mail of the day: what is still open, and which servers joined what was told before."""

from handler.alert import policies
from handler.alert.attributes import UNASSIGNED, Row
from handler.alert.case import SEVERITIES
from handler.alert.story import duration, listed
from handler.alert.text import Room, count, first, footer, quoted, short, wrapped
from handler.alert.text import time as spelled
from handler.memory.daily import Daily
from handler.memory.parts import Part, united
from handler.memory.state import Cause, Server
from handler.memory.store import Key
from handler.outcome import Engine
from handler.settings import Settings

_JOINED = "They have the tags of a server that was told, the same rule opens the same or less: no alert of their own."


def rows(daily: Daily, settings: Settings) -> list[Row]:
    """Return the attributes of what the digest is about."""
    still = [
        (server.account, server.region, severity(server), server.id, "digest", _team(server, settings))
        for server in _worst_first(daily)
    ]
    counted = [
        (
            account,
            region,
            _severity_of(cause),
            None,
            "digest",
            policies.team(settings.policies_path, account) or UNASSIGNED,
        )
        for (partition, _), cause in daily.causes.items()
        for account, region in [partition.split("#", 1)]
    ]
    return [*still, *counted]


def severity(server: Server) -> str:
    """Return the worst severity of what was told of a server and is open."""
    return min((part.severity for part in server.told), key=SEVERITIES.index, default=SEVERITIES[-1])


def subject(daily: Daily) -> str:
    """Say how much is open."""
    joined = sum(len(cause.counted) for cause in daily.causes.values())
    still = [f"{count(len(daily.reminders), 'server is', 'servers are')} still open"] if daily.reminders else []
    more = [f"{count(joined, 'more server', 'more servers')} behind rules told before"] if joined else []
    return f"[digest] {', '.join(still + more)}, {_where(daily)}"


def body(daily: Daily, at: str, settings: Settings, engine: Engine, room: Room) -> str:
    """Write the mail, the worst first."""
    still = first(_worst_first(daily), room.entries, lambda server: "\n".join(_still(server, at, settings, room)))
    joined = first(list(daily.causes.items()), room.entries, lambda pair: "\n".join(_joined(*pair, settings, room)))
    sections = [
        "\n".join(["STILL OPEN, AND TOLD BEFORE", *still]) if still else "",
        "\n".join(["MORE SERVERS BEHIND RULES THAT WERE TOLD BEFORE", *wrapped(_JOINED), *joined]) if joined else "",
        "\n".join(footer(engine, [at])),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _where(daily: Daily) -> str:
    accounts = {partition.split("#", 1)[0] for partition, _ in (*daily.reminders, *daily.causes)}
    return f"account {accounts.pop()}" if len(accounts) == 1 else f"{len(accounts)} accounts"


def summary(daily: Daily) -> list[str]:
    """Say each in a line."""
    still = [f"{severity(server)}: {_who(server, 100)}: {listed(server.told)}" for server in _worst_first(daily)]
    joined = [
        f"{_severity_of(cause)}: {', '.join(cause.counted.values())}: {listed(_parts(cause))}"
        for cause in daily.causes.values()
    ]
    return [*still, *joined]


def _worst_first(daily: Daily) -> list[Server]:
    return sorted(daily.reminders.values(), key=lambda server: (SEVERITIES.index(severity(server)), server.since or ""))


def _still(server: Server, at: str, settings: Settings, room: Room) -> list[str]:
    since = server.since or at
    account = short(policies.account(settings.policies_path, server.account), room.characters)
    return [
        *wrapped(f"{severity(server).upper()}  {_who(server, room.characters)}: {listed(server.told)}", hanging="    "),
        *wrapped(f"open for {duration(since, at)}, told {spelled(since)}; {account}, {server.region}", "    "),
    ]


def _joined(key: Key, cause: Cause, settings: Settings, room: Room) -> list[str]:
    account, region = key[0].split("#", 1)
    named = ", ".join(first([short(name, room.characters) for name in cause.counted.values()], room.entries))
    where = f"{short(policies.account(settings.policies_path, account), room.characters)}, {region}"
    return [
        *wrapped(f"{_severity_of(cause).upper()}  {listed(_parts(cause))}", hanging="    "),
        *wrapped(f"{count(len(cause.counted), 'server', 'servers')} in {where}: {named}", "    "),
    ]


def _parts(cause: Cause) -> tuple[Part, ...]:
    return united(part for name, parts in cause.members.items() if name in cause.counted for part in parts)


def _severity_of(cause: Cause) -> str:
    return min((part.severity for part in _parts(cause)), key=SEVERITIES.index, default=SEVERITIES[-1])


def _team(server: Server, settings: Settings) -> str:
    return server.team or policies.team(settings.policies_path, server.account) or UNASSIGNED


def _who(server: Server, characters: int) -> str:
    return f"{quoted(server.name, characters)} ({server.id})" if server.name else quoted(server.id, characters)
