"""Warns of what is well-formed and allowed, and yet deserves a second look: expiries, wide openings, unused lists."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from yaml.nodes import SequenceNode

from handler.check.data_files import Data
from handler.check.data_shapes import is_row
from handler.check.fault import Fault
from handler.check.names import Reference
from handler.check.register import Way
from handler.check.statements import Statements

LIMITS = {"expires_within_days": 30, "longest_days": 400}
"""How many days before its expiry a statement is named, and how many it may run; `check/data.yaml` changes them."""


def limits(data: Data) -> tuple[dict[str, int], list[Fault]]:
    """Return the limits of the folder, and what is wrong with them."""
    limits, faults = dict(LIMITS), []
    for place, value in data.values.items():
        if place[0] == "check" and len(place) > 1:
            text = str(value.node.value)
            if place[1] in LIMITS and len(place) == 2 and text.isdigit():  # noqa: PLR2004
                limits[str(place[1])] = int(text)
            else:
                problem = f"check holds {' and '.join(LIMITS)}, each a whole number of days; {place[1]} is not that"
                faults.append(Fault(rule="data", file=value.file, line=value.line, problem=problem))
    return limits, faults


def expiries(statements: Statements, today: date, limits: dict[str, int]) -> Iterator[Fault]:
    """Warn of statements that have expired, expire soon, or run for long."""
    for way in statements.values("allowance"):
        try:
            expires = date.fromisoformat(way.value["expires"])
        except (KeyError, TypeError, ValueError):
            continue
        days = (expires - today).days
        if days < 0:
            problem = f"expired on {expires} and allows nothing since; renew or remove it"
            yield statements.written.fault("expired", way, problem, "expires", "warning")
        elif days < limits["expires_within_days"]:
            when = f"in {days} day{'s' * (days != 1)}" if days else "today"
            problem = f"expires on {expires}, {when}; renew it, or let it go"
            yield statements.written.fault("expires-soon", way, problem, "expires", "warning")
        elif days > limits["longest_days"]:
            problem = f"runs for {days} days, more than {limits['longest_days']}; let it expire earlier"
            yield statements.written.fault("long-lived", way, problem, "expires", "warning")


def wide(statements: Statements) -> Iterator[Fault]:
    """Warn of allowances that open administrative or all ports to anywhere, or to one address family only."""
    for way in statements.values("allowance"):
        families = statements.open.get(way.id, set())
        if not families:
            continue
        if len(families) == 1:
            family, network = ("IPv4", "::/0") if families == {"v4"} else ("IPv6", "0.0.0.0/0")
            problem = (
                f"is open to all of {family} and not to {network}; say `anywhere`, or name the networks that are meant"
            )
            yield statements.written.fault("one-family", way, problem, "sources", "warning")
        for protocol in sorted({"tcp", "udp"} & set(way.value)):
            yield from _wide_ports(statements, way, protocol)


def without_account(statements: Statements) -> Iterator[Fault]:
    """Warn of ways of an allowance that ask for tags or a name, which many can write, and for no account and no id."""
    conditions = statements.conditions
    for way in conditions.ways:
        if way.kind == "allowance" and way.id not in statements.written.rows:
            paths = {conditions.asked(node)[:2] for node in conditions.nodes(way.expressions)}
            if paths & {("server", "tags"), ("server", "name")} and not paths & {
                ("server", "account"),
                ("server", "id"),
            }:
                problem = (
                    "asks for tags or the name, which many can write, in any account; ask for the account too, as in "
                )
                example = "`input.server.account in data.accounts.production`"
                yield statements.written.fault("no-account", way, problem + example, level="warning")


def rows_of_any_account(data: Data) -> Iterator[Fault]:
    """Warn of rows by tag or name that hold in any account."""
    for place, value in data.values.items():
        row, lists = place[:-1], value.node.value if isinstance(value.node, SequenceNode) else []
        if place[-1] != "accounts" or not is_row(row) or row[1] == "by_id":
            continue
        if any(item.value == "any" for item in lists):
            name = str(data.values[(*row, "id")].node.value) if (*row, "id") in data.values else "unnamed"
            problem = f"allowance {name} asks for a tag or the name, which many can write, in any account; "
            problem += "name lists of accounts, as in `accounts: [production]`"
            yield Fault(rule="no-account", file=value.file, line=value.line, id=name, problem=problem, level="warning")


def unused_accounts(data: Data, references: Iterable[Reference]) -> Iterator[Fault]:
    """Warn of lists of accounts that no statement names, unless a team or a name tells of their accounts."""
    places = [place for _, named in references for place in named]
    used = {place[1] for place in places if place[0] == "accounts" and len(place) > 1}
    if any(place == ("accounts",) for place in places):
        return  # a statement chooses the list by what the finding says
    used |= {
        str(value.node.value) for place, value in data.values.items() if place[0] == "servers" and "accounts" in place
    }
    named = {account for accounts in data.lists("accounts", "teams").values() for account in accounts}
    named |= {str(place[2]) for place in data.values if place[:2] == ("accounts", "names") and len(place) > 2}  # noqa: PLR2004
    for name, accounts in data.lists("accounts").items():
        if name not in used and not named & set(accounts):
            value = data.values["accounts", name]
            if isinstance(value.node, SequenceNode):
                problem = f"no statement, team or name uses the list {name} of accounts; use or remove it"
                yield Fault(rule="unused-accounts", file=value.file, line=value.line, problem=problem, level="warning")


def _wide_ports(statements: Statements, way: Way, protocol: str) -> Iterator[Fault]:
    ranges = [_range(port) for port in way.value[protocol]] if isinstance(way.value[protocol], list) else []
    open_to = 1
    for first, last in sorted(ranges):
        open_to = max(open_to, last + 1) if first <= open_to else open_to
    if open_to > 65535:  # noqa: PLR2004
        problem = f"opens every {protocol} port to anywhere; name the ports that are meant"
        yield statements.written.fault("every-port", way, problem, protocol, "warning")
        return
    ports = [
        port
        for port in sorted(statements.administrative.get(protocol, []))
        if any(first <= port <= last for first, last in ranges)
    ]
    if ports:
        problem = f"opens administrative ports to anywhere ({protocol} {', '.join(map(str, ports))}); name networks"
        yield statements.written.fault("administrative", way, problem, protocol, "warning")


def _range(port: Any) -> tuple[int, int]:
    try:
        first, _, last = str(port).partition("-")
        return int(first), int(last or first)
    except ValueError:
        return (-1, -1)
