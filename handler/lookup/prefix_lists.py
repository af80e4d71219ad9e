"""Managed prefix lists: a customer's is its CIDRs, one of AWS's own stays one source.

Shapes: EC2 API reference, `ManagedPrefixList` (OwnerId is an account, or `AWS`) and `PrefixListEntry`.
"""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network

from handler.finding import UNKNOWN
from handler.lookup.inquiry import Inquiry, Place, Read


def read(inquiry: Inquiry, place: Place, lists: Iterable[str]) -> Read[tuple[str, ...]]:
    """Read the sources that prefix lists stand for. What cannot be read of one adds `unknown` to them.

    Whoever comes through VPC Lattice is not looked up: its list stands for `unknown`, too.
    """
    wanted = sorted(set(lists))
    answers = inquiry.ask_of_each(place, "describe_managed_prefix_lists", "PrefixLists", "prefix-list-id", wanted)
    owners = {told.get("PrefixListId"): told.get("OwnerId") for told in answers.items}
    names = {told.get("PrefixListId"): told.get("PrefixListName", "") for told in answers.items}
    of: dict[str, tuple[str, ...]] = {}
    unread: dict[str, str] = {}
    for name in wanted:
        if owners.get(name) == "AWS":
            of[name] = (name,)
            if "vpc-lattice" in names[name]:
                unread[name] = f"{name} is VPC Lattice's, of which services and clients are not looked up"
        elif owners.get(name):
            entries = inquiry.ask(place, "ec2", "get_managed_prefix_list_entries", "Entries", PrefixListId=name)
            of[name] = _sources(entry.get("Cidr", "") for entry in entries.items)
            unread |= {name: entries.problem} if entries.problem else {}
        else:
            unread[name] = answers.unread.get(name) or f"{name} is no prefix list of {place.account} {place.region}"
    return Read({name: of.get(name, ()) + (UNKNOWN,) * (name in unread) for name in wanted}, unread)


def _sources(cidrs: Iterable[str]) -> tuple[str, ...]:
    """Unite CIDRs, which changes no address; what cannot be read is unknown."""
    families: tuple[list[IPv4Network], list[IPv6Network]] = ([], [])
    sources: list[str] = []
    for cidr in cidrs:
        try:
            network = ip_network(cidr, strict=False)
        except ValueError:
            sources.append(UNKNOWN)
            continue
        if isinstance(network, IPv4Network):
            families[0].append(network)
        else:
            families[1].append(network)
    united = (*collapse_addresses(families[0]), *collapse_addresses(families[1]))
    return tuple(dict.fromkeys((*map(str, united), *sources)))
