"""What an allowance would have to open so that something denied is allowed, and that allowance as Rego."""

import json
import re
from collections.abc import Collection, Iterable, Sequence
from itertools import chain, count

from msgspec import Struct

from handler.alert.ports import Range, merged
from handler.decision import Denied

Ports = tuple[tuple[str, tuple[Range, ...]], ...]
"""Ranges by protocol."""

_COLUMNS = 110
"""Of a list that stands on one line; a longer one has a line for each of its members."""


class Opening(Struct, frozen=True):
    """Ports that some sources are to reach on a server in one way (`input.reach`)."""

    reach: str
    ports: Ports
    sources: tuple[str, ...]


def wanted(denied: Iterable[tuple[str, Denied]]) -> list[Opening]:
    """Return the openings that together are exactly what is denied, each entry of it with the finding's `reach`.

    Sources that are to reach the same ports share one.
    """
    by_source: dict[tuple[str, str], dict[str, list[Range]]] = {}
    for reach, entry in denied:
        protocols = by_source.setdefault((reach, entry.source), {})
        protocols.setdefault(entry.protocol, []).append((entry.from_port, entry.to_port))
    alike: dict[tuple[str, Ports], list[str]] = {}
    for (reach, source), protocols in by_source.items():
        ports = tuple((protocol, tuple(merged(ranges))) for protocol, ranges in sorted(protocols.items()))
        alike.setdefault((reach, ports), []).append(source)
    return [Opening(reach, ports, tuple(sorted(sources))) for (reach, ports), sources in alike.items()]


def rego(  # noqa: PLR0913, PLR0917  what an allowance says
    identifier: str, opening: Opening, words: Sequence[str], servers: Sequence[str], account: str, rest: Iterable[str]
) -> str:
    """Write an allowance as `opa fmt` does.

    `words` are the networks that hold the sources, `servers` ids of one account, `rest` lines with the other fields.
    """
    ports = {protocol: [_port(low, high) for low, high in ranges] for protocol, ranges in opening.ports}
    fields = {"id": identifier, **ports, "sources": list(words)}
    whose = f"== {json.dumps(servers[0])}" if len(servers) == 1 else f"in {listed(servers, '{}')}"
    conditions = [f"input.server.id {whose}", f"input.server.account == {json.dumps(account)}"]
    if opening.reach != "internet":
        conditions.append(f"input.reach == {json.dumps(opening.reach)}")
    values = [
        f"{json.dumps(field)}: {listed(value) if isinstance(value, list) else json.dumps(value)},"
        for field, value in fields.items()
    ]
    head = ["allowance contains {", *(f"\t{line}" for line in (*values, *rest))]
    return "\n".join([*head, "} if {", *(f"\t{condition}" for condition in conditions), "}"])


def identifier(words: Sequence[str], opening: Opening, taken: Collection[str]) -> str:
    """Name an allowance by these words and its first ports, and by a number where that id is taken."""
    named = [*words, *(f"{protocol}-{_port(*ranges[0])}" for protocol, ranges in opening.ports)]
    spelled = re.sub(r"[^0-9A-Za-z]+", "-", " ".join(named)).strip("-").lower()
    numbered = chain([spelled], (f"{spelled}-{number}" for number in count(2)))
    return next(name for name in numbered if name not in taken)


def listed(values: Sequence[int | str], braces: str = "[]") -> str:
    """Write a list or a set within a statement, as `opa fmt` does."""
    spelled = [json.dumps(value) for value in values]
    line = f"{braces[0]}{', '.join(spelled)}{braces[1]}"
    if len(line) <= _COLUMNS:
        return line
    return "\n".join([braces[0], *(f"\t\t{value}," for value in spelled), f"\t{braces[1]}"])


def _port(low: int, high: int) -> int | str:
    return low if low == high else f"{low}-{high}"
