"""The mail about what a sweep has noticed beside what is open: one a team, and each thing once."""

from collections.abc import Sequence
from typing import Any, Literal

from msgspec import Struct

from handler.alert import policies
from handler.alert.attributes import UNASSIGNED, Row, of_rows
from handler.alert.case import SEVERITIES
from handler.alert.content import Carried
from handler.alert.draft import Draft, fitted
from handler.alert.message import Message
from handler.alert.text import DIGEST_ROOMS, Room, count, first, footer, quoted, wrapped
from handler.outcome import Engine
from handler.settings import Settings

Kind = Literal["suppressed", "malformed", "expiring", "off", "unscanned", "unused"]

_CALLED: dict[str, tuple[str, str]] = {
    "suppressed": ("denied report is suppressed", "denied reports are suppressed"),
    "malformed": ("statement is malformed", "statements are malformed"),
    "expiring": ("allowance expires soon", "allowances expire soon"),
    "off": ("account is not scanned", "accounts are not scanned"),
    "unscanned": ("server is not scanned", "servers are not scanned"),
    "unused": ("allowance is not used", "allowances are not used"),
}
"""What each kind is called in the subject and as a heading, the worst first."""


class Noticed(Struct, frozen=True, kw_only=True):
    """Something that is told once: a sentence, and where it is and whose, as far as that is known.

    `name` tells it apart from others of its kind; what has another name is told again.
    """

    kind: Kind
    name: str
    text: str
    account: str = ""
    region: str = ""
    server: str = ""
    team: str = ""


def team(noticed: Noticed, settings: Settings) -> str:
    """Return who is told: the owner of an allowance, the team of a server, else that of the account."""
    return noticed.team or policies.team(settings.policies_path, noticed.account) or UNASSIGNED


def message(told: Sequence[tuple[str, Noticed]], at: str, settings: Settings, engine: Engine) -> Message:
    """Return the message about what one team is told, each with a name that stands in the JSON as its `episode`."""
    told = sorted(told, key=lambda pair: ([*_CALLED].index(pair[1].kind), pair[1].text))
    rows: list[Row] = [
        (each.account, each.region, SEVERITIES[-1], each.server, "notice", team(each, settings)) for _, each in told
    ]
    draft = Draft(
        records=frozenset(name for name, _ in told),
        subject=f"[notice] {', '.join(_counted([each for _, each in told]))}",
        attributes=of_rows(rows, settings),
        text=lambda room: _body([each for _, each in told], at, engine, room),
        rooms=DIGEST_ROOMS,
        carried=Carried(kind="notice", summary=[each.text for _, each in told], news=[_data(*pair) for pair in told]),
    )
    return fitted(draft, settings, engine)


def _counted(told: Sequence[Noticed]) -> list[str]:
    numbers = {kind: sum(each.kind == kind for each in told) for kind in _CALLED}
    return [count(number, *_CALLED[kind]) for kind, number in numbers.items() if number]


def _body(told: Sequence[Noticed], at: str, engine: Engine, room: Room) -> str:
    sections = ["\n".join(wrapped("A sweep has noticed this. Each is told once."))]
    for kind, called in _CALLED.items():
        alike = [each for each in told if each.kind == kind]
        lines = first(alike, room.entries, lambda each: "\n".join(wrapped(quoted(each.text, 200), hanging="    ")))
        sections += ["\n".join([count(len(alike), *called).upper(), *lines])] if alike else []
    return "\n\n".join([*sections, "\n".join(footer(engine, [at]))]) + "\n"


def _data(name: str, each: Noticed) -> dict[str, Any]:
    """Return an entry of `news`, of the same keys as that of a server."""
    return {
        "server": each.server,
        "account": each.account,
        "region": each.region,
        "state": each.kind,
        "episode": name,
        "text": each.text,
        "opened": [],
        "closed": [],
        "before": [],
    }
