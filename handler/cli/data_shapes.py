"""What the data files of the policies have to hold: accounts, networks, ports, and the table of allowances."""

import re
from collections.abc import Iterator
from ipaddress import IPv6Network, ip_network

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from handler.cli.data_files import Data, Fault, Place, Value, is_misread, is_number, is_text, spelled

_ACCOUNT = re.compile(r"[0-9]{12}")
_GROUP_OR_PREFIX_LIST = re.compile(r"([0-9]{12}/)?sg-[0-9A-Za-z]+|pl-[0-9A-Za-z]+|sg-\*")
_PORT = re.compile(r"0|[1-9][0-9]{0,4}")
_CIDR = re.compile(r"[0-9A-Fa-f:.]+/(0|[1-9][0-9]{0,2})")
_KEYED = ("by_name", "by_id", "by_tag")

INVISIBLE = "the id holds a character that does not show; write it without, since decisions and alerts name it"


def misshapen(data: Data) -> Iterator[Fault]:
    """Find what the engine cannot use at its place: accounts, networks, ports, rows of the table."""
    listed = (place for place, value in data.values.items() if isinstance(value.node, SequenceNode))
    lists = {"any"} | {str(place[1]) for place in listed if place[:-1] == ("accounts",)}
    for place, value in data.values.items():
        problem = _problem(place, value.node, lists)
        if problem:
            yield Fault(file=value.file, line=value.line, problem=problem)


def ids_of_rows(data: Data) -> Iterator[Fault]:
    """Find rows of the table that have the id of an earlier one, or one that cannot be read."""
    first: dict[str, Value] = {}
    for place, value in data.values.items():
        if place[-1] == "id" and is_row(place[:-1]) and isinstance(value.node, ScalarNode):
            if not value.node.value.isprintable():
                yield Fault(file=value.file, line=value.line, problem=f"{value.node.value!a}: {INVISIBLE}")
            earlier = first.setdefault(value.node.value, value)
            if earlier is not value:
                taken = f"the id {value.node.value} is taken by the row of {earlier.file}:{earlier.line}"
                problem = f"{taken}; a decision names it, so choose another"
                yield Fault(file=value.file, line=value.line, problem=problem)


def unkeyed(data: Data) -> Iterator[Fault]:
    """Find what stands in `servers/` under no key of the table, in a file of that name or in a folder."""
    for place, value in data.values.items():
        match place:
            case ("servers", key) | ("servers", key, _) if key not in _KEYED:
                if data.values.get(place[:2], value) is value:
                    unread = f"{key} is none of them, so its rows are never read"
                    problem = f"the table is keyed by_name, by_id or by_tag; {unread}"
                    yield Fault(file=value.file, line=value.line, problem=problem)


def is_row(place: Place) -> bool:
    """Say whether a row of the table in `servers/` belongs at this place."""
    match place:
        case ("servers", "by_name" | "by_id", _, int()) | ("servers", "by_tag", _, _, int()):
            return True
    return False


def _problem(place: Place, node: Node, lists: set[str]) -> str | None:
    match place[0]:
        case "accounts":
            problem = _in_accounts(place, node)
        case "networks":
            problem = _in_networks(place, node)
        case "ports":
            problem = _in_ports(place, node)
        case "servers":
            problem = _in_servers(place, node, lists)
        case _:
            problem = None
    if problem is None and is_number(node) and _ACCOUNT.fullmatch(node.value):
        problem = f"{node.value} looks like an account id; write it in quotes"
    if problem is None and is_misread(node):
        problem = f"OPA reads another number than {node.value}; write a plain one, or a text in quotes"
    return problem


def _in_accounts(place: Place, node: Node) -> str | None:
    match place:
        case ("accounts", "any"):
            return "`any` stands for all accounts; give the list another name"
        case ("accounts", "teams"):
            return None if isinstance(node, MappingNode) else "teams needs a list of accounts for each team"
        case ("accounts", name) | ("accounts", "teams", name):
            return None if isinstance(node, SequenceNode) else f"{name} is not a list; write `- ` before each account"
        case ("accounts", _, int()) | ("accounts", "teams", _, int()) if not _is_account(node):
            return f"{spelled(node)} is no account id; write twelve digits in quotes"
    return None


def _in_networks(place: Place, node: Node) -> str | None:
    match place:
        case ("networks", name) if not (isinstance(node, SequenceNode) and node.value):
            return f"{name} is not a list of addresses; write `- ` and a CIDR, or remove it"
        case ("networks", _, int()) if not _is_literal(node):
            return f"{spelled(node)} cannot be read; write a CIDR without host bits, sg-..., pl-... or sg-*"
    return None


def _in_ports(place: Place, node: Node) -> str | None:
    match place:
        case ("ports", "administrative"):
            return None if isinstance(node, MappingNode) else "administrative needs a list of ports for tcp and for udp"
        case ("ports", "administrative", "tcp" | "udp" as name):
            return None if isinstance(node, SequenceNode) else f"{name} is not a list; write it like [22, 3389]"
        case ("ports", "administrative", name):
            return f"nobody asks for {name}; ports are listed for tcp and for udp"
        case ("ports", "administrative", _, int()) if not _is_port(node):
            return f"{spelled(node)} is no port; write a whole number of 0-65535 without quotes, each port of a range"
    return None


def _in_servers(place: Place, node: Node, lists: set[str]) -> str | None:
    match place:
        case ("servers", key, *_) if key not in _KEYED:
            return None
        case ("servers", _) | ("servers", "by_tag", _):
            return None if isinstance(node, MappingNode) else f"{place[-1]} holds no keys with a list of rows each"
        case ("servers", _, key) | ("servers", "by_tag", _, key) if isinstance(key, str):
            return _key_of_rows(key, node)
        case _ if is_row(place) and not _has_key(node, "accounts"):
            return "the row names no accounts; add `accounts:` with lists of accounts/data.yaml, or [any]"
        case (*row, "accounts") if is_row(tuple(row)):
            return _accounts_of_row(node, lists)
    return None


def _key_of_rows(key: str, node: Node) -> str | None:
    if not key.strip():
        return "the key is blank; name a server or the value of a tag"
    return None if isinstance(node, SequenceNode) else f"{key} is not a list of rows; write `- ` before each row"


def _accounts_of_row(node: Node, lists: set[str]) -> str | None:
    if not isinstance(node, SequenceNode) or not node.value:
        return "accounts is not a list of names; write it like [production] or [any]"
    unknown = [spelled(item) for item in node.value if not (is_text(item) and item.value in lists)]
    known = ", ".join(sorted(lists))
    return f"{', '.join(unknown)} is no list of accounts/data.yaml; name one of {known}" if unknown else None


def _has_key(node: Node, key: str) -> bool:
    return isinstance(node, MappingNode) and any(found.value == key for found, _ in node.value)


def _is_account(node: Node) -> bool:
    return is_text(node) and bool(_ACCOUNT.fullmatch(node.value))


def _is_port(node: Node) -> bool:
    return is_number(node) and bool(_PORT.fullmatch(node.value)) and int(node.value) <= 65535  # noqa: PLR2004


def _is_literal(node: Node) -> bool:
    """Read an address as the gate does."""
    if not is_text(node):
        return False
    if _GROUP_OR_PREFIX_LIST.fullmatch(node.value):
        return True
    try:
        network = ip_network(node.value)
    except ValueError:
        return False
    mapped = isinstance(network, IPv6Network) and network.network_address.ipv4_mapped is not None
    return bool(_CIDR.fullmatch(node.value)) and not mapped
