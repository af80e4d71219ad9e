"""The mail of the day of a function that only observes: what is denied, and what of that has closed again."""

from collections.abc import Iterable, Sequence

from handler.alert import closings, unjudged
from handler.alert.attributes import Row, of_rows
from handler.alert.case import SEVERITIES
from handler.alert.content import Carried
from handler.alert.daily import closing, place, rank, who
from handler.alert.draft import Draft, fitted
from handler.alert.message import Message
from handler.alert.story import data, listed
from handler.alert.text import DIGEST_ROOMS, SUMMARY, Room, count, first, footer, wrapped
from handler.memory.comparison import Entry
from handler.memory.quiet import Quiet
from handler.outcome import Engine
from handler.settings import Settings

_OPENING = (
    "Portcullis only observes (MODE=observe): nothing of this was alerted. What is named here counts as told and will "
    "not alert. `portcullis baseline --open` proposes allowances for it."
)
_UNJUDGED = "The function's log has these reports (`undecidable`). What they are about may be open."


def message(quiet: Quiet, at: str, settings: Settings, engine: Engine) -> Message:
    """Return the message, the worst first."""
    entries = sorted(
        (entry for entry in quiet.entries if entry.tells),
        key=lambda entry: (not entry.news.opened, rank(entry.news.opened or entry.closed), entry.key),
    )
    opened, closed = [entry for entry in entries if entry.news.opened], [entry for entry in entries if entry.closed]
    draft = Draft(
        records=frozenset(),
        subject=_subject(opened, closed, quiet),
        attributes=of_rows([*_rows(entries, settings), *unjudged.rows(quiet.unjudged, settings)], settings),
        text=lambda room: _body(opened, closed, quiet, at, settings=settings, engine=engine, room=room),
        rooms=DIGEST_ROOMS,
        closing=closing,
        carried=Carried(
            kind="day",
            summary=[
                *(_line(entry) for entry in opened),
                *closings.summary(closed),
                *unjudged.summary(quiet.unjudged),
            ],
            news=[data(entry) for entry in entries],
        ),
    )
    return fitted(draft, settings, engine)


def named(quiet: Quiet, digest: Message) -> list[Entry]:
    """Return what the JSON of the message had room for, and what is to be remembered without a word."""
    episodes = {entry["episode"] for entry in digest.data.get("news", ())}
    return [entry for entry in quiet.entries if entry.episode in episodes or not entry.tells]


def _subject(opened: Sequence[Entry], closed: Sequence[Entry], quiet: Quiet) -> str:
    said = [f"{count(len(opened), 'server', 'servers')} denied"] if opened else []
    said += [f"{count(len(closed), 'server', 'servers')} closed"] if closed else []
    said += [f"{len(quiet.unjudged)} not judged"] if quiet.unjudged else []
    accounts = {
        key.split("#")[0]
        for key in (*(entry.key[0] for entry in (*opened, *closed)), *(name for name, _ in quiet.unjudged))
    }
    where = f"account {accounts.pop()}" if len(accounts) == 1 else f"{len(accounts)} accounts"
    return f"[observed] {', '.join(said)}, {where}"


def _rows(entries: Iterable[Entry], settings: Settings) -> list[Row]:
    return [
        (
            entry.server.account,
            entry.server.region,
            SEVERITIES[rank(entry.news.opened or entry.closed)],
            entry.server.id,
            "digest",
            closings.team(entry, settings),
        )
        for entry in entries
    ]


def _body(  # noqa: PLR0913  what a mail is made of
    opened: Sequence[Entry],
    closed: Sequence[Entry],
    quiet: Quiet,
    at: str,
    *,
    settings: Settings,
    engine: Engine,
    room: Room,
) -> str:
    alike: dict[tuple[int, str, str], list[Entry]] = {}
    for entry in opened:
        key = (rank(entry.news.opened), listed(entry.news.opened), place(entry.key, settings, room))
        alike.setdefault(key, []).append(entry)
    denied = first(list(alike.items()), room.entries, lambda same: "\n".join(_denied(*same, room)))
    ended = first(closings.summary(closed), room.entries, lambda line: "\n".join(wrapped(line, hanging="    ")))
    unread = unjudged.section(quiet.unjudged, settings, room)
    sections = [
        "\n".join(wrapped(_OPENING)),
        "\n".join(["DENIED", *denied]) if denied else "",
        "\n".join(["CLOSED", *ended]) if ended else "",
        "\n".join(["COULD NOT BE JUDGED", *wrapped(_UNJUDGED), *unread]) if unread else "",
        "\n".join(footer(engine, [at])),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _denied(key: tuple[int, str, str], entries: Sequence[Entry], room: Room) -> list[str]:
    severity, opened, where = key
    names = ", ".join(first([who(entry.server, room.characters) for entry in entries], room.entries))
    return [
        *wrapped(f"{SEVERITIES[severity].upper()}  {opened}", hanging="    "),
        *wrapped(f"{count(len(entries), 'server', 'servers')} in {where}: {names}", "    "),
    ]


def _line(entry: Entry) -> str:
    """Say in a line what is denied on a server."""
    severity = SEVERITIES[rank(entry.news.opened)]
    return f"{severity}: {who(entry.server, SUMMARY.characters)}: {listed(entry.news.opened)}"
