"""What the data files of the policies have to hold: accounts, networks, ports, and the table of allowances."""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from ipaddress import IPv6Network, ip_interface, ip_network

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from handler.check.data_files import Data, Place, is_misread, is_number, is_text, spelled
from handler.check.fault import Fault

_ACCOUNT = re.compile(r"[0-9]{12}")
_GROUP_OR_PREFIX_LIST = re.compile(r"([0-9]{12}/)?sg-[0-9A-Za-z]+|pl-[0-9A-Za-z]+|sg-\*")
_PORT = re.compile(r"0|[1-9][0-9]{0,4}")
_CIDR = re.compile(r"[0-9A-Fa-f:.]+/(0|[1-9][0-9]{0,2})")
_ACCOUNT_KEYS = ("names", "teams")
"""Keys of `accounts` that are no list of accounts."""

_KEYED = ("by_name", "by_id", "by_tag")

_NO_ACCOUNT = " is no account id; write twelve digits in quotes"
_LITERALS = "write a CIDR without host bits, sg-..., pl-... or sg-*"

INVISIBLE = "the id holds a character that does not show; write it without, since decisions and alerts name it"


def misshapen(data: Data) -> Iterator[Fault]:
    """Find what the engine cannot use at its place: accounts, networks, ports, rows of the table."""
    listed = (place for place, value in data.values.items() if isinstance(value.node, SequenceNode))
    lists = {"any"} | {str(place[1]) for place in listed if place[:-1] == ("accounts",)}
    for place, value in data.values.items():
        problem = _problem(place, value.node, lists)
        if problem:
            yield Fault(rule="data", file=value.file, line=value.line, problem=problem)


def invisible_ids(data: Data) -> Iterator[Fault]:
    """Find rows of the table with an id that cannot be read."""
    for place, value in data.values.items():
        if place[-1] == "id" and is_row(place[:-1]) and isinstance(value.node, ScalarNode):
            name = value.node.value
            if not name.isprintable():
                yield Fault(rule="invisible", file=value.file, line=value.line, problem=f"{name!a}: {INVISIBLE}")


def unkeyed(data: Data) -> Iterator[Fault]:
    """Find what stands in `servers/` under no key of the table, in a file of that name or in a folder."""
    for place, value in data.values.items():
        match place:
            case ("servers", key) | ("servers", key, _) if key not in _KEYED:
                if data.values.get(place[:2], value) is value:
                    near = "".join(f", perhaps {name}" for name in get_close_matches(str(key), _KEYED, 1))
                    unread = f"{key} is none of them, so its rows are never read{near}"
                    problem = f"the table is keyed by_name, by_id or by_tag; {unread}"
                    yield Fault(rule="data", file=value.file, line=value.line, problem=problem)


def address_hint(text: str) -> str | None:
    """Return how an address or a network with host bits is to be written; null for anything else."""
    try:
        network = ip_interface(text).network
    except ValueError:
        return None
    if network.network_address.is_unspecified:
        return f"every address is {network.network_address}/0"
    if "/" not in text:
        return f"a single address is {network}"
    return f"it has host bits: write {network}" if str(network) != text else None


def is_row(place: Place) -> bool:
    """Tell whether a row of the table in `servers/` belongs at this place."""
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
        case ("accounts", name):
            return _list_of_accounts(name, node)
        case ("accounts", "names", account):
            return _named_account(account, node)
        case ("accounts", "teams", name) if not isinstance(node, SequenceNode):
            return f"{name} is not a list; write `- ` before each account"
        case ("accounts", _, int()) | ("accounts", "teams", _, int()):
            return _in_list_of_accounts(node)
    return None


def _list_of_accounts(name: str | int, node: Node) -> str | None:
    if name == "any":
        return "`any` stands for all accounts; give the list another name"
    if name in _ACCOUNT_KEYS:
        holds = "name for each account id" if name == "names" else "list of accounts for each team"
        return None if isinstance(node, MappingNode) else f"{name} needs a {holds}"
    if isinstance(name, int):
        return "the account stands on no list; name one above it, such as `production:`"
    near = get_close_matches(name, _ACCOUNT_KEYS, 1) if isinstance(node, MappingNode) else []
    if near:
        return (
            f"{name} is not a list of accounts, perhaps {near[0]}; give it that name, or write `- ` before each account"
        )
    return None if isinstance(node, SequenceNode) else f"{name} is not a list; write `- ` before each account"


def _named_account(account: str | int, node: Node) -> str | None:
    """Say what is wrong with an entry of `names`: an account is named whether or not it stands on a list."""
    if isinstance(account, int):
        return None
    if not is_text(node) or not node.value.strip():
        return f"the name of {account} is no text; write one in quotes"
    if not node.value.isprintable():
        return f"the name of {account} holds a character that does not show; write it without, since alerts show it"
    return _account_id(account)


def _in_list_of_accounts(node: Node) -> str | None:
    return _account_id(node.value) if is_text(node) else f"{spelled(node)}{_NO_ACCOUNT}"


def _account_id(account: str) -> str | None:
    if not _ACCOUNT.fullmatch(account):
        return f"{account}{_NO_ACCOUNT}"
    if account == "0" * 12:
        return "000000000000 stands for an account of yours; write its id"
    return None


def _in_networks(place: Place, node: Node) -> str | None:
    match place:
        case ("networks", str(name)) if _reads_as_an_address(name):
            return f"the network {name} is named like an address, so a reader takes it for one; give it another name"
        case ("networks", name) if not (isinstance(node, SequenceNode) and node.value):
            return f"{name} is not a list of addresses; write `- ` and a CIDR, or remove it"
        case ("networks", "anywhere") if {"0.0.0.0/0", "::/0"} - {spelled(item) for item in node.value}:
            return "anywhere stands for every address; list 0.0.0.0/0 and ::/0 there, or give the network another name"
        case ("networks", _, int()) if not _is_literal(node):
            return f"{spelled(node)} cannot be read; {address_hint(spelled(node)) or _LITERALS}"
    return None


def _in_ports(place: Place, node: Node) -> str | None:
    match place:
        case ("ports", str(name)) if name != "administrative" and get_close_matches(name, ["administrative"]):
            return (
                f"{name} is not what the engine asks for, perhaps administrative; give it that name, or quite another"
            )
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
    if not unknown:
        return None
    near = "".join(f"perhaps {name}; " for name in get_close_matches(unknown[0], sorted(lists), 1))
    lacks = "is no list" if len(unknown) == 1 else "are no lists"
    return f"{', '.join(unknown)} {lacks} of accounts/data.yaml; {near}there are {', '.join(sorted(lists))}"


def _has_key(node: Node, key: str) -> bool:
    return isinstance(node, MappingNode) and any(name.value == key for name, _ in node.value)


def _is_port(node: Node) -> bool:
    return is_number(node) and bool(_PORT.fullmatch(node.value)) and int(node.value) <= 65535  # noqa: PLR2004


def _reads_as_an_address(name: str) -> bool:
    return name == "unknown" or name.startswith(("sg-", "pl-")) or "/" in name or address_hint(name) is not None


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
