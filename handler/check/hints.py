"""Says of a field that the gate refuses what is wrong in it, and what may have been meant."""

import json
import re
from collections.abc import Callable
from datetime import date
from difflib import get_close_matches
from typing import Any

from handler.check.data_shapes import address_hint
from handler.check.register import Way

KEYS = {
    "allowance": {
        *("id", "tcp", "udp", "sources", "owner", "reason", "expires"),
        *("declared_in", "bound", "everywhere", "labels"),
    },
    "prohibition": {"id", "tcp", "udp", "sources", "except", "reason", "where_unknown", "labels"},
}


def in_detail(way: Way, field: str, problem: str, networks: list[str]) -> str:
    """Return what the gate says of a field, narrowed to the item that is wrong and with what it may have meant."""
    value = way.value if isinstance(way.value, dict) else {}
    if field == "accounts":
        return "accounts is for rows of the table; ask for input.server.account after `if`"
    if field and field not in KEYS[way.kind]:
        hint = nearest(field, sorted(KEYS[way.kind])) or "what is only for people belongs into labels"
        return f"{field} is not a key that is known here; {hint}"
    if field not in value:
        return f"{field} {_MISSING.get(field, problem)}".strip()
    return _HINTS.get(field, _as_said)(field, value[field], problem, networks)


def port_fault(port: Any) -> str | None:
    """Return what is wrong with a port or a range, as policies write them; null if nothing is."""
    match port:
        case bool() | None:
            return f"{json.dumps(port)} is no port"
        case int() if 0 <= port <= 65535:  # noqa: PLR2004
            return None
        case int() | float():
            return f"{port} is no port: write a whole number of 0-65535"
        case str() if re.fullmatch(r"\s*[0-9]+\s*", port):
            return f'"{port}" is text: write {int(port)} without quotes'
        case str() if re.fullmatch(r"(0|[1-9][0-9]{0,4})-(0|[1-9][0-9]{0,4})", port):
            return _range_fault(port)
    return f'{json.dumps(port)} is no port and no range: write them like 443 and "8000-8100"'


def _range_fault(port: str) -> str | None:
    first, last = map(int, port.split("-"))
    if first > last:
        return f'"{port}" is reversed: write "{last}-{first}"'
    return f'"{port}" ends above 65535' if last > 65535 else None  # noqa: PLR2004


def _date_hint(text: str) -> str:
    parts = re.fullmatch(r"([0-9]{4})[-./]([0-9]{1,2})[-./]([0-9]{1,2})", text)
    try:
        return f"; write {date(*map(int, parts.groups()))}" if parts else ""
    except ValueError:
        return "; there is no such day"


def nearest(word: str, words: list[str]) -> str | None:
    """Return the one of these words that may have been meant, in words; null if none is near."""
    near = get_close_matches(word, words, 1)
    return f"perhaps {near[0]}" if near else None


def _text(field: str, value: Any, problem: str, _networks: list[str]) -> str:
    if not isinstance(value, str):
        return f"{field} is no text; {_MEANING[field]}"
    return f"{field} {problem if value.strip() else f'is blank; {_MEANING[field]}'}"


def _as_said(field: str, _value: Any, problem: str, _networks: list[str]) -> str:
    return f"{field} {problem}"


def _ports(field: str, value: Any, problem: str, _networks: list[str]) -> str:
    if not isinstance(value, list):
        return f"{field} is no list: write [{json.dumps(value)}]"
    if not value:
        return f"{field} is empty: name ports, or leave {field} out"
    faults = [fault for fault in map(port_fault, value) if fault]
    return f"{field}: {'; '.join(faults) or problem}"


def _words(field: str, value: Any, problem: str, networks: list[str]) -> str:
    problem = problem.removesuffix(", so it excepts nothing")
    if not isinstance(value, list):
        return f"{field} is no list: write [{json.dumps(value)}]" if isinstance(value, str) else f"{field} is no list"
    if not value:
        return f"{field} is empty: name networks"
    word = next((word for word in value if isinstance(word, str) and problem.startswith(f"{word} ")), None)
    if word in networks:
        return f"{field}: not every member of the network {word} can be read"
    hint = word and (address_hint(word) or nearest(word, networks))
    return f"{field}: {problem}{f'; {hint}' if hint else ''}"


def _expiry(field: str, value: Any, problem: str, _networks: list[str]) -> str:
    if value == "":
        return f"{field} is blank; {_LAST_DAY}"
    if not isinstance(value, str):
        return f"{field} is no text; {_LAST_DAY}"
    return f"{field} {problem}{_date_hint(value)}"


_LAST_DAY = 'write the last day on which it holds, like "2027-06-30"'
_MEANING = {
    "id": "give it a name of its own",
    "owner": "write who answers for it",
    "reason": "write why it is there, as a sentence",
}
_MISSING = {
    "expires": f"is missing; {_LAST_DAY}",
    "sources": "is missing; name networks",
    **{field: f"is missing; {meaning}" for field, meaning in _MEANING.items()},
}
_HINTS: dict[str, Callable[[str, Any, str, list[str]], str]] = {
    "tcp": _ports,
    "udp": _ports,
    "sources": _words,
    "except": _words,
    "expires": _expiry,
    **dict.fromkeys(_MEANING, _text),
}
