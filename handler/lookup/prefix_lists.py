"""Managed prefix lists: a customer's is its CIDRs, one of AWS's own stays one source.

Shapes: EC2 API reference, `ManagedPrefixList` (OwnerId is an account, or `AWS`) and `PrefixListEntry`.
"""

from collections.abc import Iterable
from typing import Any

from handler.finding import UNKNOWN
from handler.lookup.inquiry import Inquiry, Read
from handler.lookup.networks import network, united


def read(inquiry: Inquiry, lists: Iterable[str]) -> Read[tuple[str, ...]]:
    """Read the sources that prefix lists stand for. What cannot be read of one adds `unknown` to them.

    Whoever comes through VPC Lattice is not looked up: its list stands for `unknown`, too.
    """
    wanted = sorted(set(lists))
    described, unread = inquiry.ask_filtered("describe_managed_prefix_lists", "PrefixLists", "prefix-list-id", wanted)
    by_id = {item.get("PrefixListId"): item for item in described}
    sources = {name: _sources(inquiry, name, by_id[name]) for name in wanted if name in by_id}
    for name in set(wanted) - sources.keys():
        sources[name] = (), unread.get(name) or f"{name} is no prefix list of {' '.join(inquiry.place)}"
    problems = {name: problem for name, (_, problem) in sources.items() if problem}
    return Read({name: cidrs + (UNKNOWN,) * (name in problems) for name, (cidrs, _) in sources.items()}, problems)


def _sources(inquiry: Inquiry, name: str, item: dict[str, Any]) -> tuple[tuple[str, ...], str | None]:
    """Return the sources of a list, its CIDRs united, and why these are not all."""
    if item.get("OwnerId") == "AWS":
        is_lattice = "vpc-lattice" in item.get("PrefixListName", "")
        problem = f"{name} is VPC Lattice's, of which services and clients are not looked up" if is_lattice else None
        return (name,), problem
    entries = inquiry.ask("ec2", "get_managed_prefix_list_entries", "Entries", PrefixListId=name)
    cidrs = [network(entry.get("Cidr", "")) for entry in entries.items]
    sources = map(str, united(cidr for cidr in cidrs if cidr is not None))
    return (*sources, *((UNKNOWN,) if None in cidrs and not entries.problem else ())), entries.problem
