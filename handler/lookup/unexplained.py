"""What the scanner reached from the internet, and no rule lets the internet in to.

The rules let in private networks and groups alone, so something inside passes the internet on: a load balancer that
hides its clients, or one that has no group. Or else the rules have been narrowed since the scanner looked. The first
leaves unknown who gets in. The second is for the policy, which judges the private networks and groups as they are.
"""

from collections.abc import Iterator, Sequence

from msgspec import UNSET
from msgspec.structs import replace

from handler.finding import UNKNOWN, Exposure
from handler.lookup import load_balancers, targets
from handler.lookup.ground import Scene
from handler.lookup.load_balancers import Balancer
from handler.lookup.notes import last_look, ports, some
from handler.lookup.security_groups import is_cidr, is_private, unopened

_TARGET_GROUPS = 50
"""The most target groups that are searched for a server; AWS tells the targets of one at a time."""


def parts(scene: Scene, exposure: Exposure, let_in: Sequence[Exposure]) -> Iterator[Exposure]:
    """Give what stays unknown of an exposure of unknown sources, of which `let_in` says whom the rules let in."""
    spans = [(one.from_port, one.to_port) for one in let_in]
    explained = [(one.from_port, one.to_port) for one in let_in if any(map(_is_outside, one.sources))]
    for low, high in unopened(exposure, [*explained, *unopened(exposure, spans)]):
        part = replace(exposure, from_port=low, to_port=high, rules=(), load_balancer=UNSET)
        reason = _in_front(scene, part)
        inside = f"the rules let only private addresses and groups in to {ports(part)}"
        reached = f"the scanner reached it from the internet, when it last looked {last_look(scene.finding)}"
        if reason is None:
            scene.notes.append(f"{inside}, and no load balancer sends to it; {reached}")
            continue
        scene.notes.append(f"{inside}; {reached}; {reason}, so who does is unknown")
        yield replace(part, sources=(UNKNOWN,))


def _is_outside(source: str) -> bool:
    """Say whether a source has addresses of the internet: public ones, AWS's own lists, unknown ones."""
    if is_cidr(source):
        return not is_private(source)
    return source == UNKNOWN or source.startswith("pl-")


def _in_front(scene: Scene, part: Exposure) -> str | None:
    """Say what may pass the internet on to a part of an exposure; null where it is known that nothing does."""
    inquiry, place, server = scene.ground.inquiry, scene.ground.place, scene.finding.server
    if server.kind != "instance":
        return f"what passes it on to the servers of {server.id} is not known"
    own = scene.target
    balancers = load_balancers.read(inquiry, place)
    groups = targets.read(inquiry, place)
    problem = own.problem or balancers.problem or groups.problem
    sending = [group for group in groups.all if group.balancers and group.kind in {"instance", "ip"}]
    if problem is None and len(sending) > _TARGET_GROUPS:
        problem = f"{place.account} {place.region} has more than {_TARGET_GROUPS} target groups"
    if problem is not None:
        return f"{problem}: whether a load balancer sends to it is unknown"
    names = [one.name for one in balancers.all if server.id in one.servers and _has_port(part, one)]
    for group in sending:
        registered, unread = groups.ports(group, own)
        if unread:
            return f"{unread[0]}: whether a load balancer sends to it is unknown"
        if any(part.from_port <= port <= part.to_port for port in registered):
            names += map(load_balancers.name_in, group.balancers)
    return f"load balancer {some(names)} sends to it" if names else None


def _has_port(part: Exposure, classic: Balancer) -> bool:
    ports_of_servers = [one.server_port for one in classic.listeners if one.server_port is not None]
    return any(part.from_port <= port <= part.to_port for port in ports_of_servers)
