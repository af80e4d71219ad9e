"""The subject of a mail: printable ASCII, under 100 characters, so that SNS takes it and a phone shows it."""

import re
from collections.abc import Iterable, Sequence

from handler.alert.attributes import UNDECIDABLE_SEVERITY
from handler.alert.case import SEVERITIES, Case, Denial, denials, name
from handler.alert.text import count, ports, quoted
from handler.finding import UNKNOWN, Closed, Ignored, Undecidable
from handler.outcome import Outcome

CHARACTERS = 99
"""SNS: "less than 100 characters"; a tag may make a server's name longer than that, so it is the name that is cut."""

_ACCOUNT = 20
_NAME = 12


def server(case: Case, denied: Sequence[Denial]) -> str:
    """Name the severity, the server, its worst port, from where if there is room, and the account."""
    more = f" and {len(denied) - 1} more" if denied[1:] else ""
    account = f", {name_accounts([case.server.account])}"
    said = [f"{opened}{account}" for opened in _opened(denied, more)]
    return fitted(_word(case.severity, [case]), _who(case), said, _NAME)


def digest(cases: Sequence[Case], reports: Sequence[Undecidable]) -> str:
    """Name the worst severity, server and port, and how many servers and unreadable reports there are beside it.

    The other servers stand beside the first one where what is said of it is true of them all, and so does what the
    memory says of them beside the severity.
    """
    worst, *milder = [denials(case) for case in cases]
    others, alike = len(cases) - 1, all(_share(worst, denied) for denied in milder)
    beside = f" and {count(others, 'other', 'others')}" if others and alike else ""
    rest = [] if alike else [f" and {count(others, 'other server', 'other servers')}"]
    rest += [f" and {len(reports)} not judged"] if reports else []
    tail = f",{''.join(rest)}" if rest else ""
    accounts = [*(case.server.account for case in cases), *(report.account for report in reports if report.account)]
    said = [f"{beside}{opened}{tail}" for opened in _opened(worst)]
    severities = [cases[0].severity, *([UNDECIDABLE_SEVERITY] if reports else [])]
    return fitted(
        _word(min(severities, key=SEVERITIES.index), cases),
        _who(cases[0]),
        [*(f"{text}, {name_accounts(accounts)}" for text in said), said[-1]],
        _NAME,
    )


def _word(severity: str, cases: Sequence[Case]) -> str:
    """Add to the severity what the memory says, where that is the same of all servers."""
    words = {case.story.word if case.story else "" for case in cases}
    word = words.pop() if len(words) == 1 else ""
    return f"{severity}, {word}" if word else severity


def _opened(denied: Sequence[Denial], more: str = "") -> list[str]:
    """Say what is open, from where too and without that."""
    if not denied:
        return [": could not be judged"]
    opened = f": {denied[0].ports}{more} open"
    return [f"{opened}{_to(denied[0])}", opened]


def _share(worst: Sequence[Denial], denied: Sequence[Denial]) -> bool:
    """Say whether the worst that is open on one server is open on another too; nothing is on two that were not read."""
    if not worst:
        return not denied
    return any((denial.ports, denial.sources) == (worst[0].ports, worst[0].sources) for denial in denied)


def fitted(word: str, who: str, said: Sequence[str], least: int) -> str:
    """Return the first of what can be said that leaves room for so much of a name, which is cut to what there is."""
    for text in said:
        left = CHARACTERS - len(f"[{word}] {text}")
        if left >= min(len(who), least):
            break
    return f"[{word}] {_cut(who, left)}{text}"


def sendable(subject: str) -> str:
    """Return a subject as SNS takes it, whatever is in it."""
    return _cut(_ascii(subject), CHARACTERS)


def undecidable(reports: Sequence[Undecidable]) -> str:
    """Say how many reports could not be judged, and of which server if it is one."""
    told = count(len(reports), "report", "reports")
    servers = {report.server for report in reports}
    where = name_accounts(report.account or UNKNOWN for report in reports)
    rest = f"{told} could not be judged, {where}"
    who = _ascii(servers.pop() or "") if len(servers) == 1 else ""
    return f"[undecidable] {_cut(who, CHARACTERS - len(rest) - 16)}: {rest}" if who else f"[undecidable] {rest}"


def answer(allowed: Sequence[Case], asides: Sequence[Outcome]) -> str:
    """Name the server that was asked about and what is allowed on it, else how much there was nothing to judge of."""
    where = name_accounts(
        [*(case.server.account for case in allowed), *(_account(aside) or UNKNOWN for aside in asides)]
    )
    if not allowed:
        return f"[nothing to judge] {count(len(asides), 'report', 'reports')}, {where}"
    entries = (entry for judged in allowed[0].shown for entry in judged.decision.allowed)
    opened = list(dict.fromkeys(ports(entry.protocol, entry.from_port, entry.to_port) for entry in entries))
    others = len(allowed) - 1
    more = f" and {count(others, 'other', 'others')}" if others else ""
    what = f"{opened[0]}{f' and {len(opened) - 1} more' if opened[1:] and not others else ''}"
    left = CHARACTERS - len(f"[allowed] {more}: {what}, {where}")
    return f"[allowed] {_cut(_who(allowed[0]), left)}{more}: {what}, {where}"


def with_account_name(subject: str, account: str, name: str) -> str:
    """Call the one account that a subject ends in by its name too, if there is room."""
    plain = f"account {account}"
    named = f"{subject.removesuffix(plain)}account {_ascii(name)}"
    return named if subject.endswith(plain) and len(named) <= CHARACTERS else subject


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


def _to(denial: Denial) -> str:
    return "" if UNKNOWN in denial.sources else f" to {_ascii(' and '.join(denial.sources))}"


def name_accounts(accounts: Iterable[str]) -> str:
    """Name the account, or say how many they are."""
    named = sorted({account if account.strip() else UNKNOWN for account in accounts})
    known = [account for account in named if account != UNKNOWN] or named
    if len(known) > 1:
        return f"{len(known)} accounts"
    return f"account {_cut(_ascii(known[0]), _ACCOUNT)}{' and unknown' if known != named else ''}"


def _ascii(text: str) -> str:
    return "".join(mark if " " <= mark <= "~" else "?" for mark in text).strip()


def _cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else f"{text[: max(characters - 3, 0)]}..."
