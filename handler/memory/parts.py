"""Sets of points, a point being a protocol, a port and an address: what is open, told, wider, or closed.

A set is a list of parts, each a port range and one source; parts may overlap. Sources are compared as the gate does:
networks are united before a CIDR is looked for in them, a group and a prefix list are one address each, and what holds
all of IPv4 and IPv6 holds everything. `unknown` may be any address: it holds every source, and only everything holds
it.
"""

from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from handler.finding import UNKNOWN

_FAMILIES = 2


class Part(Struct, frozen=True, order=True, array_like=True):
    """A port range (both ends included) that a source can reach, and what the gate said of it.

    `severity` is that of what is denied, empty where it is allowed. `by` names what allows it, or what is nearest to
    it, or prohibits it. `verdict` is `allowed` or the cause of the denial. `cause` is the key of the `Cause` that opens
    it, empty where no rule was read.
    """

    protocol: str
    from_port: int
    to_port: int
    source: str
    verdict: str = ""
    severity: str = ""
    by: tuple[str, ...] = ()
    cause: str = ""

    @property
    def denied(self) -> bool:
        """Whether the gate denied it."""
        return bool(self.severity)


def outside(parts: Iterable[Part], cover: Iterable[Part]) -> tuple[Part, ...]:
    """Return the ports of each part at which its source does not lie wholly in the cover."""
    return _cut(parts, cover, inside=False)


def inside(parts: Iterable[Part], cover: Iterable[Part]) -> tuple[Part, ...]:
    """Return the ports of each part at which its source lies wholly in the cover."""
    return _cut(parts, cover, inside=True)


def ended(told: Iterable[Part], still: Iterable[Part]) -> tuple[Part, ...]:
    """Return what was told and is open no longer.

    That the sources of a port which was told as `unknown` have been read ends nothing.
    """
    told, still = tuple(told), tuple(still)
    unread = [part for part in told if part.source == UNKNOWN]
    if not unread:
        return outside(told, still)
    everywhere = tuple(replace(part, source=UNKNOWN) for part in still)
    known = [part for part in told if part.source != UNKNOWN]
    return (*outside(known, still), *outside(unread, everywhere))


def read_since(told: Iterable[Part], still: Iterable[Part]) -> tuple[Part, ...]:
    """Return what was told, with the sources of `unknown` where they have been read since."""
    told, still = tuple(told), tuple(still)
    unread = [part for part in told if part.source == UNKNOWN]
    if not unread:
        return told
    known = [part for part in told if part.source != UNKNOWN]
    unknown = inside(unread, still)
    read = outside(inside(still, unread), (*known, *unknown))
    return united((*known, *unknown, *read, *ended(unread, still)))


def common(told: Iterable[Part], still: Iterable[Part]) -> tuple[Part, ...]:
    """Return what two sets have in common: as it was told, where that is still open as a whole."""
    told, still = tuple(told), tuple(still)
    whole = inside(told, still)
    if whole == told:
        return whole
    return united((*whole, *outside(inside(still, told), whole)))


def united(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Return the parts in their order, equal ones once, ranges that adjoin as one."""
    parts = tuple(parts)
    if len(parts) < 2:  # noqa: PLR2004  as most sets are
        return parts
    by_rest: dict[tuple[str | tuple[str, ...], ...], list[Part]] = {}
    for part in parts:
        rest = (part.protocol, part.source, part.verdict, part.severity, part.by, part.cause)
        by_rest.setdefault(rest, []).append(part)
    return tuple(sorted(part for alike in by_rest.values() for part in _joined(alike)))


def bare(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Return parts without what the gate said of them."""
    return united(Part(part.protocol, part.from_port, part.to_port, part.source) for part in parts)


def _joined(alike: list[Part]) -> list[Part]:
    """Join the ranges that adjoin, of parts that differ in their ports alone."""
    if len(alike) == 1:
        return alike
    joined: list[Part] = []
    for part in sorted(alike):
        if joined and part.from_port <= joined[-1].to_port + 1:
            joined[-1] = replace(joined[-1], to_port=max(joined[-1].to_port, part.to_port))
        else:
            joined.append(part)
    return joined


def _cut(parts: Iterable[Part], cover: Iterable[Part], *, inside: bool) -> tuple[Part, ...]:
    parts, cover = tuple(parts), tuple(cover)
    if not (parts and cover):
        return () if inside else united(parts)
    return united(piece for piece, sources in pieces(parts, cover) if holds(sources, piece.source) == inside)


def pieces(parts: Iterable[Part], cover: Iterable[Part]) -> Iterator[tuple[Part, frozenset[str]]]:
    """Cut each part's ports where the cover changes: each piece with the sources that cover it.

    Many parts have the same ports, a source each: where those are cut is looked for once.
    """
    by_protocol: dict[str, list[Part]] = {}
    for covering in cover:
        by_protocol.setdefault(covering.protocol, []).append(covering)
    by_ports: dict[tuple[str, int, int], list[tuple[int, int, frozenset[str]]]] = {}
    for part in parts:
        ports = (part.protocol, part.from_port, part.to_port)
        if ports not in by_ports:
            by_ports[ports] = [*segments(part, by_protocol.get(part.protocol, ()))]
        for low, high, sources in by_ports[ports]:
            whole = (low, high) == ports[1:]
            yield part if whole else replace(part, from_port=low, to_port=high), sources


def segments(part: Part, cover: Collection[Part]) -> Iterator[tuple[int, int, frozenset[str]]]:
    """Cut a part's ports where the cover changes: the first and last port of each piece, and the sources there."""
    near = [over for over in cover if over.from_port <= part.to_port and over.to_port >= part.from_port]
    if all(over.from_port <= part.from_port and over.to_port >= part.to_port for over in near):
        yield part.from_port, part.to_port, frozenset(over.source for over in near)
        return
    ends = {max(over.from_port, part.from_port) for over in near} | {
        min(over.to_port, part.to_port) + 1 for over in near
    }
    for low, after in pairwise(sorted({part.from_port, part.to_port + 1, *ends})):
        yield low, after - 1, frozenset(over.source for over in near if over.from_port <= low <= over.to_port)


@lru_cache(maxsize=16384)
def holds(sources: frozenset[str], source: str) -> bool:
    """Return whether a source lies wholly in others."""
    if source in sources or UNKNOWN in sources:
        return True
    networks = _networks(sources)
    if sum(network.prefixlen == 0 for network in networks) == _FAMILIES:
        return True
    sought = _network(source)
    return sought is not None and any(
        sought.subnet_of(network)  # type: ignore[arg-type]  # of one family
        for network in networks
        if network.version == sought.version
    )


@lru_cache(maxsize=4096)
def _networks(sources: frozenset[str]) -> tuple[IPv4Network | IPv6Network, ...]:
    read = [network for source in sources if (network := _network(source)) is not None]
    families = ([network for network in read if network.version == version] for version in (4, 6))
    return tuple(network for family in families for network in collapse_addresses(family))  # type: ignore[type-var]


@lru_cache(maxsize=16384)
def _network(source: str) -> IPv4Network | IPv6Network | None:
    """Read a CIDR; a group, a prefix list and `unknown` are none."""
    try:
        return ip_network(source)
    except ValueError:
        return None
