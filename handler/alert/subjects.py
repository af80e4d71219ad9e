"""The subject of a mail: printable ASCII, under 100 characters, so that SNS takes it and a phone shows it."""

import re
from collections.abc import Iterable, Sequence

from handler.alert.case import Case, Denial, name
from handler.alert.text import count, quoted
from handler.finding import UNKNOWN, Undecidable

CHARACTERS = 99
"""SNS: "less than 100 characters"; a tag may make a server's name longer than that, so it is the name that is cut."""

_ACCOUNT = 20
_NAME = 12


def server(case: Case, denied: Sequence[Denial], accounts: Sequence[str] = ()) -> str:
    """Name the severity, the server, its worst port, from where if there is room, and the account.

    In a digest it is the worst server, and `accounts` are those of all its servers.
    """
    others = max(len(accounts) - 1, 0)
    more = f" and {count(others, 'other', 'others')}" if others else ""
    where = _where([case.server.account, *accounts])
    ports = (
        f"{denied[0].ports}{f' and {len(denied) - 1} more' if denied[1:] and not others else ''} open" if denied else ""
    )
    what = ports or "could not be judged"
    shown = _ascii(name(case.server))
    who = quoted(shown if re.search("[0-9A-Za-z]", shown) else _ascii(case.server.id), CHARACTERS)
    for to in (_to(denied), ""):
        left = CHARACTERS - len(f"[{case.severity}] {more}: {what}{to}, {where}")
        if left >= min(len(who), _NAME):
            break
    return f"[{case.severity}] {_cut(who, left)}{more}: {what}{to}, {where}"


def undecidable(reports: Sequence[Undecidable]) -> str:
    """Say how many reports could not be judged, and of which server if it is one."""
    told = count(len(reports), "report", "reports")
    servers = {report.server for report in reports}
    where = _where(report.account or UNKNOWN for report in reports)
    rest = f"{told} could not be judged, {where}"
    who = _ascii(servers.pop() or "") if len(servers) == 1 else ""
    return f"[undecidable] {_cut(who, CHARACTERS - len(rest) - 16)}: {rest}" if who else f"[undecidable] {rest}"


def _to(denied: Sequence[Denial]) -> str:
    if not denied or UNKNOWN in denied[0].sources:
        return ""
    return f" to {_ascii(' and '.join(denied[0].sources))}"


def _where(accounts: Iterable[str]) -> str:
    named = sorted(set(accounts))
    known = [account for account in named if account != UNKNOWN] or named
    if len(known) > 1:
        return f"{len(known)} accounts"
    return f"account {_cut(_ascii(known[0]), _ACCOUNT)}{' and unknown' if known != named else ''}"


def _ascii(text: str) -> str:
    return "".join(mark if " " <= mark <= "~" else "?" for mark in text).strip()


def _cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else f"{text[: max(characters - 3, 0)]}..."
