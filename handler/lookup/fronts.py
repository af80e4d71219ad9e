"""Who reaches a server through a load balancer: whom the balancer's own groups let in to the listener in front of it.

The exposures have the server's ports, since those are what is judged, and the group and rules of the balancer, since
those are what lets somebody in. Where one balancer stands in front of another, the group and rules are those of the
outermost, and the balancer that is named is the one next to the server, since it is the one that sends to its ports.
"""

from collections.abc import Iterable, Iterator

from msgspec import UNSET
from msgspec.structs import replace

from handler.finding import UNKNOWN, Exposure
from handler.lookup import load_balancers
from handler.lookup.ground import Scene, openings
from handler.lookup.inside import may_hide
from handler.lookup.load_balancers import Balancer, Listener
from handler.lookup.notes import ports, some
from handler.lookup.security_groups import Rule


def named(scene: Scene, exposure: Exposure) -> list[Exposure]:
    """Give who comes through the load balancer that the report's path names, whatever the server's own rules say.

    They may let a private network in, in which the balancer is.
    """
    name, ground = exposure.load_balancer, scene.ground
    if not isinstance(name, str) or scene.finding.reach != "internet":
        return []
    balancer = ground.balancers.named(name)
    if balancer is not None:
        return through(scene, balancer, exposure) if balancer.groups else list(_unseen(scene, balancer, exposure))
    problem = ground.balancers.problem or f"{name} is no load balancer of {ground.place.account} {ground.place.region}"
    scene.notes.append(f"{problem}: who reaches {ports(exposure)} through {name} is unknown")
    return [replace(exposure, sources=(UNKNOWN,), security_group=None, rules=(), rule_opens=UNSET)]


def _unseen(scene: Scene, balancer: Balancer, exposure: Exposure) -> Iterator[Exposure]:
    """Give who comes through a load balancer that is in no group: it may hide its clients behind its own address.

    If it does not, its servers' rules tell its clients; if it does, whoever it is comes from a private network.
    """
    ground = scene.ground
    scene.notes.append(f"{balancer.name} has no security group: whom it lets in stands in its servers' rules")
    for _, rule, (low, high) in openings(scene.finding.server, exposure, ground.interfaces, ground.rules):
        part = replace(
            exposure, from_port=low, to_port=high, sources=(UNKNOWN,), security_group=None, rules=(), rule_opens=UNSET
        )
        if any(may_hide(source, scene.target) for source in ground.lists.of.get(rule.source, (rule.source,))):
            hidden = f"{balancer.name} may hide its clients behind an address that {rule.source} lets in"
            scene.notes.append(f"{hidden}: who reaches {ports(part)} through it is unknown")
            yield replace(part, load_balancer=balancer.name)


def through(scene: Scene, balancer: Balancer, part: Exposure) -> list[Exposure]:
    """Give who comes through a load balancer to a part of an exposure; `unknown` if that cannot be told.

    Nobody comes through one that a rule lets in to all ports and that sends to others: then only what is in its groups
    reaches these, which names the balancer and no rule.
    """
    front = replace(
        part, sources=(UNKNOWN,), security_group=None, rules=(), rule_opens=UNSET, load_balancer=balancer.name
    )
    every, problem = load_balancers.listeners(scene.ground.inquiry, scene.ground.place, balancer)
    if problem is not None:
        scene.notes.append(f"{problem}: who reaches {ports(part)} through {balancer.name} is unknown")
        return [front]
    sends, doubt = _sends(scene, balancer, part)
    if not sends and doubt is None:
        scene.notes.append(f"load balancer {balancer.name} is let in to {ports(part)}, and sends nothing there")
        return [replace(front, sources=balancer.groups)]
    let_in = {one: list(_let_in(scene, balancer, one, front)) for one in every}
    chosen = _chosen(scene, balancer, part, let_in)
    scene.notes.append(_told(balancer, part, chosen, None if sends else doubt))
    made = list(dict.fromkeys(exposure for one in chosen for exposure in let_in[one]))
    if not made:
        scene.notes.append(f"the groups of load balancer {balancer.name} let nobody in now: who gets in is unknown")
    return made or [front]


def _told(balancer: Balancer, part: Exposure, listeners: Iterable[Listener], doubt: str | None) -> str:
    """Say through which listeners of a load balancer somebody comes, and why that may not be so (null if it is)."""
    listening = some(f"{one.protocol} {one.port}" for one in listeners) or "nothing"
    told = f"{ports(part)} {'may be' if doubt else 'is'} reached through load balancer {balancer.name}"
    return f"{told}, listening on {listening}" + (f": {doubt}" if doubt else "")


def _sends(scene: Scene, balancer: Balancer, part: Exposure) -> tuple[bool, str | None]:
    """Say whether a load balancer sends to the server's ports, and if not, why it may do so all the same."""
    if part.load_balancer is not UNSET:
        return True, None  # the scanner came through it
    ground = scene.ground
    return load_balancers.sends(ground.inquiry, ground.place, balancer, scene.target, (part.from_port, part.to_port))


def _chosen(
    scene: Scene, balancer: Balancer, part: Exposure, let_in: dict[Listener, list[Exposure]]
) -> tuple[Listener, ...]:
    """Give the listeners that lead to the server's ports; where all let in the same, it does not matter which do."""
    if len({frozenset(source for one in made for source in one.sources) for made in let_in.values()}) <= 1:
        return tuple(let_in)
    ground = scene.ground
    wanted = (part.from_port, part.to_port)
    return load_balancers.reaching(ground.inquiry, ground.place, balancer, scene.target, wanted)


def _let_in(scene: Scene, balancer: Balancer, listener: Listener, front: Exposure) -> Iterator[Exposure]:
    """Give whom a load balancer lets in to one of its listeners, be it through others that may stand in front of it.

    Each of these counts once, with all its listeners, since to which ports of others it sends is not looked up.
    """
    unread, known, left = scene.ground.rules.unread, {balancer}, [balancer]
    entered: set[Rule] = set()
    while left:
        one = left.pop()
        listeners, problem = ((listener,), None) if one == balancer else _outer(scene, one, front)
        if problem is not None:
            yield front
        for group in (group for group in one.groups if group in unread):
            scene.notes.append(f"{unread[group]}: whom {group} of {one.name} lets in is unknown")
            yield replace(front, security_group=group)
        for rule in (rule for rule in _opening(scene, one, listeners) if rule not in entered):
            entered.add(rule)
            others = scene.fronts(rule.source)
            left += [other for other in others if other not in known]
            known.update(others)
            sources = () if scene.has_only(rule.source, others) else scene.addresses(rule.source)
            if sources:
                yield replace(front, sources=sources, security_group=rule.group, rules=rule.ids, rule_opens=rule.opens)


def _outer(scene: Scene, balancer: Balancer, front: Exposure) -> tuple[tuple[Listener, ...], str | None]:
    """Give the listeners of a load balancer that may stand in front of another, and why these are not all."""
    listeners, problem = load_balancers.listeners(scene.ground.inquiry, scene.ground.place, balancer)
    doubt = problem or "to which ports of other load balancers it sends is not looked up"
    scene.notes.append(_told(balancer, front, listeners, doubt))
    return listeners, problem


def _opening(scene: Scene, balancer: Balancer, listeners: Iterable[Listener]) -> list[Rule]:
    """Give the rules of a load balancer's groups that open one of its listeners."""
    rules = (rule for group in balancer.groups for rule in scene.ground.rules.of.get(group, ()))
    return [rule for rule in rules if any(rule.within(one.protocol, one.port, one.port) for one in listeners)]
