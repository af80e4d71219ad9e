"""What the scanner reached from the internet, and the rules may not tell by whom.

Something inside may pass the internet on: a load balancer that hides its clients behind a private address that the
rules let in, or one that has no group. That leaves unknown who gets in, unless everybody does anyway. Where nothing
passes it on, and the rules let in private networks and groups alone, they have been narrowed since the scanner looked:
that is for the policy, which judges the private networks and groups as they are.
"""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import UNSET
from msgspec.structs import replace

from handler.finding import UNKNOWN, Exposure
from handler.lookup import load_balancers, targets
from handler.lookup.ground import Scene
from handler.lookup.load_balancers import MOST_TARGET_GROUPS
from handler.lookup.notes import last_look, ports, some
from handler.lookup.security_groups import is_cidr, is_private, unopened

_EVERYBODY = {"0.0.0.0/0", "::/0", UNKNOWN}
"""Whoever else came in beside them would make it no worse."""


def parts(scene: Scene, exposure: Exposure, let_in: Sequence[Exposure]) -> Iterator[Exposure]:
    """Give what stays unknown of an exposure of unknown sources, of which `let_in` says whom the rules let in."""
    outside = [one for one in let_in if any(map(_is_outside, one.sources))]
    private = [one for one in let_in if one.load_balancer is UNSET and any(map(is_private, one.sources))]
    everybody = [one for one in let_in if _EVERYBODY & set(one.sources)]
    alone = unopened(exposure, [*_spans(outside), *_gaps(exposure, let_in)])
    beside = unopened(exposure, [*_spans(everybody), *_gaps(exposure, outside), *_gaps(exposure, private)])
    reached = f"the scanner reached it from the internet, when it last looked {last_look(scene.finding)}"
    for low, high in (*alone, *beside):
        part = replace(exposure, from_port=low, to_port=high, rules=(), load_balancer=UNSET)
        whom = "only private addresses and groups" if (low, high) in alone else "private addresses and others"
        inside = f"the rules and network ACLs let {whom} in to {ports(part)}"
        reason = _in_front(scene, part, outside)
        if reason is not None:
            scene.notes.append(f"{inside}; {reached}; {reason}, so who does is unknown")
            yield replace(part, sources=(UNKNOWN,))
        elif (low, high) in alone:
            scene.notes.append(f"{inside}, and no load balancer sends to it; {reached}")


def _spans(let_in: Iterable[Exposure]) -> list[tuple[int, int]]:
    return [(one.from_port, one.to_port) for one in let_in]


def _gaps(exposure: Exposure, let_in: Iterable[Exposure]) -> list[tuple[int, int]]:
    """Give the parts of an exposure's port range that none of the others has."""
    return unopened(exposure, _spans(let_in))


def _is_outside(source: str) -> bool:
    """Say whether a source has addresses of the internet: public ones, AWS's own lists, unknown ones."""
    if is_cidr(source):
        return not is_private(source)
    return source == UNKNOWN or source.startswith("pl-")


def _in_front(scene: Scene, part: Exposure, known: Sequence[Exposure]) -> str | None:
    """Say what may pass the internet on to a part of an exposure; null where it is known that nothing does.

    `known` has whom the load balancers let in that the rules name: they are not what is looked for.
    """
    inquiry, place, server = scene.ground.inquiry, scene.ground.place, scene.finding.server
    if server.kind != "instance":
        return f"what passes it on to the servers of {server.id} is not known"
    own = scene.target
    balancers = load_balancers.read(inquiry, place)
    groups = targets.read(inquiry, place)
    problem = own.problem or balancers.problem or groups.problem
    sending = [group for group in groups.all if group.balancers and group.kind in {"instance", "ip"}]
    if problem is None and len(sending) > MOST_TARGET_GROUPS:
        problem = f"{place.account} {place.region} has more than {MOST_TARGET_GROUPS} target groups"
    if problem is not None:
        return f"{problem}: whether a load balancer sends to it is unknown"
    sent = [
        (one.name, listener.server_port)
        for one in balancers.all
        if server.id in one.servers
        for listener in one.listeners
    ]
    for group in sending:
        registered, unread = groups.ports(group, own)
        if unread:
            return f"{unread[0]}: whether a load balancer sends to it is unknown"
        sent += [(load_balancers.name_in(arn), port) for arn in group.balancers for port in registered]
    names = [
        name
        for name, port in sent
        if port is not None
        and _has(part, port)
        and not any(one.load_balancer == name and _has(one, port) for one in known)
    ]
    return f"load balancer {some(names)} sends to it" if names else None


def _has(exposure: Exposure, port: int) -> bool:
    return exposure.from_port <= port <= exposure.to_port
