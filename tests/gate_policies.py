"""Allowances and prohibitions, read without cleverness, for `gate_reading`."""

from collections.abc import Iterator
from typing import NamedTuple

from tests.gate_words import (
    EVERY_PORT,
    EVERYTHING,
    NOTHING,
    PROTOCOLS,
    Address,
    Json,
    Networks,
    filled,
    is_date,
    list_bits,
    members,
    tag_bits,
    unite,
)

BOUND = "behind a load balancer"
"""The one value of `bound`."""

Problem = tuple[str, str | None, str]
"""Kind, id and field of a problem."""


class World(NamedTuple):
    """The data of a policy: named networks, and the administrative ports by protocol."""

    networks: Json
    administrative: dict[str, list[int]]


class Term(NamedTuple):
    """A well-formed allowance, with the ports that a tag declares where it is a ceiling.

    Where it is `bound`, its ports are a ceiling for those that are bound behind an exposure's load balancer.
    """

    id: str
    owner: str
    expires: str
    ports: dict[str, int]
    networks: Networks
    bound: bool
    labels: dict[str, str]


class Stop(NamedTuple):
    """A prohibition; a malformed one stops every port from everywhere."""

    id: str
    ports: dict[str, int]
    networks: Networks
    excepted: Networks
    named: Json
    """Reason and labels; null where it is malformed."""

    def stops(self, address: Address, prefix_list: str | None) -> bool:
        """Say whether an address, which may be one of a prefix list's, is prohibited."""
        return self.networks.hold(address, prefix_list) and not self.excepted.hold(address, prefix_list)


def read_allowance(value: Json, tags: Json, world: World, problems: set[Problem]) -> Term | None:
    """Read an allowance; None when it is malformed."""
    faults = set(faults_of(value, world, ("id", "owner", "reason"), ("expires", "declared_in", "bound", "everywhere")))
    if isinstance(value, dict):
        faults |= {"expires"} if not is_date(value.get("expires")) else set()
        faults |= {"bound"} if value.get("bound", BOUND) != BOUND else set()
        faults |= {"everywhere"} if value.get("everywhere", True) is not True else set()
        faults |= {"declared_in"} if "declared_in" in value and not filled(value["declared_in"]) else set()
    problems |= {("allowance", identifier(value), field) for field in faults}
    if faults:
        return None
    ports = {protocol: list_bits(value[protocol]) or 0 for protocol in PROTOCOLS if protocol in value}
    if "declared_in" in value:
        declared, unreadable = tag_bits(tags, value["declared_in"])
        ports = {protocol: ceiling & declared[protocol] for protocol, ceiling in ports.items()}
        problems |= {("tag", value["declared_in"], word) for word in unreadable}
    networks = unite(value["sources"], world.networks)
    return Term(
        value["id"], value["owner"], value["expires"], ports, networks, "bound" in value, value.get("labels", {})
    )


def read_prohibition(value: Json, world: World, problems: set[Problem]) -> Stop:
    """Read a prohibition; a malformed one stops everything."""
    faults = set(faults_of(value, world, ("id", "reason"), ("except", "where_unknown")))
    if isinstance(value, dict) and value.get("where_unknown", "allowed") != "allowed":
        faults.add("where_unknown")
    excepted = value.get("except", []) if isinstance(value, dict) else []
    words = excepted if isinstance(excepted, list) else [None]
    unreadable = {"except"} if any(members(word, world.networks) is None for word in words) else set()
    problems |= {("prohibition", identifier(value), field) for field in faults | unreadable}
    if faults:
        return Stop(identifier(value), dict.fromkeys(PROTOCOLS, EVERY_PORT), EVERYTHING, NOTHING, None)
    ports = {protocol: list_bits(value.get(protocol)) or 0 for protocol in PROTOCOLS}
    named = {"reason": value["reason"], "labels": value.get("labels", {})}
    return Stop(value["id"], ports, unite(value["sources"], world.networks), unite(words, world.networks), named)


def identifier(value: Json) -> str:
    """Give the id of an allowance or a prohibition."""
    return value["id"] if isinstance(value, dict) and filled(value.get("id")) else "unnamed"


def faults_of(value: Json, world: World, texts: tuple[str, ...], others: tuple[str, ...]) -> Iterator[str]:
    """Give the malformed fields that allowances and prohibitions have in common."""
    if not isinstance(value, dict):
        yield ""
        return
    yield from (field for field in texts if not filled(value.get(field)))
    yield from value.keys() - {*texts, *others, *PROTOCOLS, "sources", "labels"}
    yield from (field for field in PROTOCOLS if field in value and list_bits(value[field]) is None)
    if not value.keys() & set(PROTOCOLS):
        yield "tcp"
    labels = value.get("labels", {})
    if not isinstance(labels, dict) or not all(filled(name) and filled(text) for name, text in labels.items()):
        yield "labels"
    sources = value.get("sources")
    if not isinstance(sources, list) or not sources or any(members(word, world.networks) is None for word in sources):
        yield "sources"
