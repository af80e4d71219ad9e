"""The subject of a mail: printable ASCII, under 100 characters, so that SNS takes it and a phone shows it."""

import re
from collections.abc import Iterable, Sequence

from handler.alert.case import Case, Denial, name
from handler.alert.text import count, ports, quoted
from handler.finding import UNKNOWN, Closed, Ignored, Undecidable
from handler.outcome import Outcome

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
    opened = (
        f"{denied[0].ports}{f' and {len(denied) - 1} more' if denied[1:] and not others else ''} open" if denied else ""
    )
    what = opened or "could not be judged"
    who = _who(case)
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


def answer(allowed: Sequence[Case], asides: Sequence[Outcome]) -> str:
    """Name the server that was asked about and what is allowed on it, else how much there was nothing to judge of."""
    where = _where([*(case.server.account for case in allowed), *(_account(aside) or UNKNOWN for aside in asides)])
    if not allowed:
        return f"[nothing to judge] {count(len(asides), 'report', 'reports')}, {where}"
    entries = (entry for judged in allowed[0].told for entry in judged.decision.allowed)
    opened = list(dict.fromkeys(ports(entry.protocol, entry.from_port, entry.to_port) for entry in entries))
    others = len(allowed) - 1
    more = f" and {count(others, 'other', 'others')}" if others else ""
    what = f"{opened[0]}{f' and {len(opened) - 1} more' if opened[1:] and not others else ''}"
    left = CHARACTERS - len(f"[allowed] {more}: {what}, {where}")
    return f"[allowed] {_cut(_who(allowed[0]), left)}{more}: {what}, {where}"


def _who(case: Case) -> str:
    shown = _ascii(name(case.server))
    return quoted(shown if re.search("[0-9A-Za-z]", shown) else _ascii(case.server.id), CHARACTERS)


def _account(aside: Outcome) -> str | None:
    match aside.report:
        case Closed(server=server):
            return server.account
        case Ignored(account=account):
            return account
    return None


def _to(denied: Sequence[Denial]) -> str:
    if not denied or UNKNOWN in denied[0].sources:
        return ""
    return f" to {_ascii(' and '.join(denied[0].sources))}"


def _where(accounts: Iterable[str]) -> str:
    named = sorted({account if account.strip() else UNKNOWN for account in accounts})
    known = [account for account in named if account != UNKNOWN] or named
    if len(known) > 1:
        return f"{len(known)} accounts"
    return f"account {_cut(_ascii(known[0]), _ACCOUNT)}{' and unknown' if known != named else ''}"


def _ascii(text: str) -> str:
    return "".join(mark if " " <= mark <= "~" else "?" for mark in text).strip()


def _cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else f"{text[: max(characters - 3, 0)]}..."
