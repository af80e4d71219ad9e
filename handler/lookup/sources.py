"""Who can reach what is exposed: the addresses that no report carries, from the rules that let them in.

An exposure of unknown sources becomes one exposure for each rule that opens a part of it, so that an alert can name the
rule. What could not be read stays as an exposure to `unknown`; so does a part that no rule opens, since the scanner
said that it is open and may know better, and one that was reached from the internet through nothing that is known.
Where the report told no ports, all that the rules open is what is exposed.
"""

from collections.abc import Iterable, Iterator

from msgspec import UNSET
from msgspec.structs import replace

from handler.finding import PORTS_ASSUMED, UNKNOWN, Exposure, Finding
from handler.lookup import fronts, unexplained
from handler.lookup.ground import Ground, Route, Scene, explore, openings, routes_to, scene
from handler.lookup.inquiry import Inquiry, Place, place_of
from handler.lookup.inside import lies_inside
from handler.lookup.notes import clock, last_look, noted, ports, some
from handler.lookup.security_groups import Rule, is_cidr, unopened


def look_up(findings: list[Finding], inquiry: Inquiry) -> list[Finding]:
    """Look up the sources of every exposure that has unknown ones, and the rules of those whose sources are known."""
    places: dict[Place, list[Finding]] = {}
    for finding in findings:
        places.setdefault(place_of(finding.server), []).append(finding)
    grounds = {place: explore(inquiry, place, own) for place, own in places.items()}
    return [_looked_up(scene(finding, grounds[place_of(finding.server)])) for finding in findings]


def _looked_up(scene: Scene) -> Finding:
    """Look up the exposures of a finding."""
    finding, ground = scene.finding, scene.ground
    exposures = [made for exposure in finding.exposures for made in _resolved(scene, exposure)]
    routes = [route for one in finding.exposures for route in routes_to(finding.server, one, ground.interfaces)[0]]
    read = [group for route in routes for group in route.groups if group not in ground.rules.unread]
    if read:
        scene.notes.append(f"rules of {some(read)} read at {clock(ground.inquiry.at)}")
    if not exposures:
        when = f"the scanner last looked {last_look(finding)}"
        behind = any(_opened(scene, exposure) for exposure in finding.exposures)
        told = "nobody gets past the network ACLs" if behind else f"no rule of {some(read)} opens a port"
        scene.notes.append(f"{told} now; {when}")
        exposures = list(finding.exposures)
    elif not any(UNKNOWN in exposure.sources for exposure in exposures):
        finding = replace(finding, notes=tuple(note for note in finding.notes if note != PORTS_ASSUMED))
    return noted(replace(finding, exposures=tuple(dict.fromkeys(exposures))), scene.notes)


def _resolved(scene: Scene, exposure: Exposure) -> list[Exposure]:
    """Give what an exposure is in truth."""
    if UNKNOWN not in exposure.sources:
        return _identified(scene.ground, exposure)
    server, ground = scene.finding.server, scene.ground
    rest = tuple(source for source in exposure.sources if source != UNKNOWN)
    told = [replace(exposure, sources=rest)] if rest else []
    unknown = replace(exposure, sources=(UNKNOWN,), rules=(), load_balancer=UNSET)
    let_in = [
        made
        for route, rule, (low, high) in openings(server, exposure, ground.interfaces, ground.rules)
        for made in _let_in(scene, replace(unknown, from_port=low, to_port=high), route, rule)
    ]
    named = fronts.named(scene, exposure)
    unread = _unread(scene, unknown)
    known = [*let_in, *named]
    if PORTS_ASSUMED in scene.finding.notes:
        return [*told, *known, *unread]
    if scene.finding.reach == "internet":
        known += unexplained.of_other_accounts(scene, unknown, known)
    if unread:
        return [*told, *known, *unread]
    left = unexplained.parts(scene, unknown, known) if scene.finding.reach == "internet" else ()
    return [*told, *known, *_closed(scene, unknown, let_in), *left]


def _identified(ground: Ground, exposure: Exposure) -> list[Exposure]:
    """Name the rules that let known sources in, if each has one; else leave the exposure as it is told."""
    whole = (exposure.from_port, exposure.to_port)
    rules = [
        rule
        for rule in ground.rules.of.get(exposure.security_group or "", ())
        if rule.source in exposure.sources and rule.within(exposure.protocol, *whole) == whole
    ]
    if exposure.rules or {rule.source for rule in rules} != set(exposure.sources):
        return [exposure]
    return [replace(exposure, sources=(rule.source,), rules=rule.ids, rule_opens=rule.opens) for rule in rules]


def _unread(scene: Scene, unknown: Exposure) -> list[Exposure]:
    """Give what stays unknown, since a group on the way, or the way itself, could not be read."""
    routes, problem = routes_to(scene.finding.server, unknown, scene.ground.interfaces)
    unread = scene.ground.rules.unread
    groups = [group for group in _groups(routes) if group in unread]
    scene.notes.extend(f"{unread[group]}: whom {group} lets in is unknown" for group in groups)
    found = [replace(unknown, security_group=group) for group in groups]
    if problem is None:
        return found
    scene.notes.append(f"{problem}: who reaches {ports(unknown)} is unknown")
    return [*found, unknown]


def _closed(scene: Scene, unknown: Exposure, let_in: list[Exposure]) -> list[Exposure]:
    """Give what nobody is let in to any more, by the rules or by the network ACLs, although the scanner reached it."""
    groups = some(_groups(routes_to(scene.finding.server, unknown, scene.ground.interfaces)[0]))
    when = f"the scanner last looked {last_look(scene.finding)}"
    left = [(one.from_port, one.to_port) for one in let_in]
    gaps = unopened(unknown, left)
    shut = unopened(unknown, [*left, *_opened(scene, unknown)])
    kept_out = unopened(unknown, [*left, *shut])
    scene.notes.extend(f"no rule of {groups} opens {ports(one)} now; {when}" for one in _parts(unknown, shut))
    past = (f"nobody gets past the network ACLs to {ports(one)} now; {when}" for one in _parts(unknown, kept_out))
    scene.notes.extend(past)
    return _parts(unknown, gaps)


def _opened(scene: Scene, exposure: Exposure) -> list[tuple[int, int]]:
    """Give the parts of an exposure that a rule opens to somebody, whether or not the network ACLs let them through."""
    ground = scene.ground
    every = openings(scene.finding.server, exposure, ground.interfaces, ground.rules)
    return [span for _, rule, span in every if ground.lists.of.get(rule.source, (rule.source,))]


def _parts(exposure: Exposure, spans: Iterable[tuple[int, int]]) -> list[Exposure]:
    return [replace(exposure, from_port=low, to_port=high) for low, high in spans]


def _groups(routes: list[Route]) -> list[str]:
    return list(dict.fromkeys(group for route in routes for group in route.groups))


def _let_in(scene: Scene, part: Exposure, route: Route, rule: Rule) -> Iterator[Exposure]:
    """Give whom a rule lets in to a part of an exposure."""
    balancers = scene.fronts(rule.source)
    for balancer in balancers:
        yield from fronts.through(scene, balancer, part)
    sources = () if scene.has_only(rule.source, balancers) else scene.addresses(rule.source)
    if sources:
        yield from _past_acl(
            scene,
            replace(part, sources=sources, security_group=rule.group, rules=rule.ids, rule_opens=rule.opens),
            route,
        )


def _past_acl(scene: Scene, opened: Exposure, route: Route) -> Iterator[Exposure]:
    """Give what the network ACL of the subnet leaves of an exposure. It is about addresses: groups and lists stay.

    A private network that a rule names does too: no ACL stands between the servers of one subnet. Of a wider one only
    what the ACL lets in stays, since no report is about those few servers.
    """
    acls = scene.ground.acls
    acl = acls.of.get(route.subnet or "")
    if acl is None:
        if route.subnet in acls.unread:
            scene.notes.append(f"{acls.unread[route.subnet]}: network ACLs narrow nothing")
        yield opened
        return
    whole = (opened.from_port, opened.to_port)
    left: dict[tuple[int, int], list[str]] = {}
    for source in opened.sources:
        narrowed = is_cidr(source) and not lies_inside(source, scene.target)
        parts = acl.narrow(opened.protocol, *whole, source) if narrowed else [(*whole, (source,))]
        for low, high, remain in parts:
            left.setdefault((low, high), []).extend(remain)
    if not left:
        scene.notes.append(f"network ACL {acl.id} keeps out whom {opened.security_group} lets in to {ports(opened)}")
    for (low, high), remaining in left.items():
        yield replace(opened, from_port=low, to_port=high, sources=tuple(remaining))
