"""What the scanner reached from the internet, and the rules may not tell by whom.

Something inside may pass the internet on: a load balancer that hides its clients behind an address inside that the
rules let in, be it the rules of the server or those of a load balancer in front of it; one that has no group; or one of
another account, of which a rule names the group. That leaves unknown who gets in, unless everybody does anyway. Where
nothing passes it on, and the rules let in private networks and groups alone, they have been narrowed since the scanner
looked: that is for the policy, which judges the private networks and groups as they are.
"""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import UNSET
from msgspec.structs import replace

from handler.finding import UNKNOWN, Exposure
from handler.lookup import load_balancers, targets
from handler.lookup.ground import Scene
from handler.lookup.inside import EVERYBODY, lies_inside, may_hide
from handler.lookup.load_balancers import Balancer, Target
from handler.lookup.notes import last_look, ports, some
from handler.lookup.security_groups import is_cidr, is_private, unopened


def of_other_accounts(scene: Scene, exposure: Exposure, let_in: Sequence[Exposure]) -> Iterator[Exposure]:
    """Give what stays unknown of an exposure since another account's group is let in: it may be a load balancer's."""
    theirs = [(source, one) for one in let_in for source in one.sources if "/sg-" in source]
    for low, high in unopened(exposure, [*_everybody(let_in), *_gaps(exposure, (one for _, one in theirs))]):
        part = replace(exposure, from_port=low, to_port=high)
        for source in (source for source, one in theirs if _overlap(one, part)):
            account = source.partition("/")[0]
            whose = f"whether {source} is a load balancer's is not looked up in {account}"
            scene.notes.append(f"{whose}: who reaches {ports(part)} is unknown")
        yield part


def parts(scene: Scene, exposure: Exposure, let_in: Sequence[Exposure]) -> Iterator[Exposure]:
    """Give what stays unknown of an exposure of unknown sources, of which `let_in` says whom the rules let in."""
    outside = [one for one in let_in if any(map(_is_outside, one.sources))]
    hiding = list(_hiding(scene, let_in))
    alone = unopened(exposure, [*_spans(outside), *_gaps(exposure, let_in)])
    beside = unopened(
        exposure,
        [*_everybody(let_in), *_gaps(exposure, outside), *_gaps(exposure, (one for one, _ in hiding))],
    )
    reached = f"the scanner reached it from the internet, when it last looked {last_look(scene.finding)}"
    for low, high in (*alone, *beside):
        part = replace(exposure, from_port=low, to_port=high)
        whom = "only private addresses and groups" if (low, high) in alone else "private addresses and others"
        known = outside if (low, high) in alone else let_in
        inside = f"the rules and network ACLs let {whom} in to {ports(part)}"
        near = [(one, balancer) for one, balancer in hiding if _overlap(one, part)]
        direct = (low, high) in alone or any(balancer is None for _, balancer in near)
        reason = (_in_front(scene, part, known) if direct else None) or _in_front_of_balancers(scene, near)
        if reason is not None:
            unread = scene.ground.balancing.problem
            whose = f"{unread}: which networks have addresses of load balancers is unknown"
            scene.notes.extend([whose] if unread else [])
            scene.notes.append(f"{inside}; {reached}; {reason}, so who does is unknown")
            yield part
        elif (low, high) in alone:
            where = " ".join(scene.ground.place)
            scene.notes.append(f"{inside}, and no load balancer of {where} sends to it; {reached}")


def _spans(let_in: Iterable[Exposure]) -> list[tuple[int, int]]:
    return [(one.from_port, one.to_port) for one in let_in]


def _everybody(let_in: Iterable[Exposure]) -> list[tuple[int, int]]:
    """Give the port ranges to which everybody is let in anyway."""
    return _spans(one for one in let_in if EVERYBODY & set(one.sources))


def _gaps(exposure: Exposure, let_in: Iterable[Exposure]) -> list[tuple[int, int]]:
    """Give the parts of an exposure's port range that none of the others has."""
    return unopened(exposure, _spans(let_in))


def _overlap(one: Exposure, other: Exposure) -> bool:
    return one.from_port <= other.to_port and other.from_port <= one.to_port


def _is_outside(source: str) -> bool:
    """Say whether a source has addresses of the internet: public ones, AWS's own lists, unknown ones."""
    if is_cidr(source):
        return not is_private(source)
    return source == UNKNOWN or source.startswith("pl-")


def _hiding(scene: Scene, let_in: Iterable[Exposure]) -> Iterator[tuple[Exposure, Balancer | None]]:
    """Give what may let in a load balancer by its own address, and to which other one it does, null for the server."""
    own = scene.target
    for one in let_in:
        if one.load_balancer is UNSET:
            if _hides(one, own):
                yield one, None
            continue
        for balancer in scene.ground.balancers.in_group(one.security_group or ""):
            if _hides(one, scene.balancer(balancer)):
                yield one, balancer


def _hides(opened: Exposure, target: Target) -> bool:
    """Say whether a load balancer in front of a target may have one of the addresses that are let in.

    What a network ACL leaves of everybody is nearly everybody, but for what of it is inside alone.
    """
    left = opened.rule_opens and opened.rule_opens.source in EVERYBODY
    return any((lies_inside if left else may_hide)(source, target) for source in opened.sources)


def _in_front(scene: Scene, part: Exposure, known: Sequence[Exposure]) -> str | None:
    """Say what may pass the internet on to a part of an exposure; null where it is known that nothing does.

    `known` has whom the load balancers let in that the rules name: they are not what is looked for.
    """
    server, own = scene.finding.server, scene.target
    if server.kind != "instance":
        return f"what passes it on to the servers of {server.id} is not known"
    sent, problem = ([], own.problem) if own.problem else _sent(scene, own, "instance")
    if problem is not None:
        return f"{problem}: whether a load balancer sends to it is unknown"
    names = [
        name
        for name, _, port in sent
        if _has(part, port) and not any(one.load_balancer == name and _has(one, port) for one in known)
    ]
    return f"load balancer {some(names)} sends to it" if names else None


def _in_front_of_balancers(scene: Scene, hiding: Iterable[tuple[Exposure, Balancer | None]]) -> str | None:
    """Say what may pass the internet on to load balancers by an address that their rules let in; null if nothing does.

    One of which they let in the group, too, is none of them: who comes through it is known.
    """
    for balancer, opens in dict.fromkeys((balancer, one.rule_opens) for one, balancer in hiding):
        if balancer is None or not opens:
            continue
        sent, problem = _sent(scene, scene.balancer(balancer), "alb")
        if problem is not None:
            return f"{problem}: whether a load balancer sends to {balancer.name} is unknown"
        names = [
            name
            for name, protocol, port in sent
            if opens.protocol in {protocol, "all"}
            and opens.from_port <= port <= opens.to_port
            and not _lets_in(scene, balancer, name, protocol, port)
        ]
        if names:
            return f"load balancer {some(names)} sends to {balancer.name}"
    return None


def _lets_in(scene: Scene, balancer: Balancer, name: str, protocol: str, port: int) -> bool:
    """Say whether a load balancer lets in the group of another, by its name, to a port."""
    rules = (rule for group in balancer.groups for rule in scene.ground.rules.of.get(group, ()))
    sources = {rule.source for rule in rules if rule.within(protocol, port, port)}
    return any(name == one.name for source in sources for one in scene.fronts(source))


def _sent(scene: Scene, target: Target, kind: str) -> tuple[list[tuple[str, str, int]], str | None]:
    """Give the load balancers that send to a target, each with protocol and port, and why these may not be all.

    `kind` is that of the target groups in which it is by its id; it may be in others by an address.
    """
    inquiry, place = scene.ground.inquiry, scene.ground.place
    balancers = load_balancers.read(inquiry, place)
    groups = targets.read(inquiry, place)
    problem = balancers.problem or groups.problem
    sending = [group for group in groups.all if group.balancers and group.kind in {kind, "ip"}]
    sent = [
        (one.name, "tcp", listener.server_port)
        for one in balancers.all
        if target.id in one.servers
        for listener in one.listeners
        if listener.server_port is not None
    ]
    for group in sending if problem is None else ():
        registered, unread = groups.ports(group, target)
        problem = problem or next(iter(unread), None)
        names = map(load_balancers.name_in, group.balancers)
        sent += [(name, protocol, port) for name in names for protocol in group.protocols for port in registered]
    return sent, problem


def _has(exposure: Exposure, port: int) -> bool:
    return exposure.from_port <= port <= exposure.to_port
