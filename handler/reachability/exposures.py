"""What a finding says of who reaches it: its paths as exposures, and what there is to note of them.

An exposure of unknown sources becomes one for each rule that lets somebody in to a part of it, so that an alert can
name the rule. What could not be read stays as an exposure to `unknown`; so does a part that nobody is known to
reach, since the scanner said that it is open and may know better. Where the report told no ports, all that is reached
is what is exposed. A way that no rule names is told only where it adds somebody.
"""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import UNSET, Struct
from msgspec.structs import replace

from handler.finding import PORTS_ASSUMED, UNKNOWN, Exposure, Finding
from handler.lookup import load_balancers
from handler.lookup.interfaces import Interface
from handler.lookup.load_balancers import Balancer
from handler.lookup.notes import last_look, noted, ports, some
from handler.lookup.security_groups import is_cidr
from handler.reachability import addresses, notes
from handler.reachability.index import Hop, Index, Span, Target, of_interface
from handler.reachability.paths import Path, through, ways
from handler.reachability.snapshot import entrances, is_unexplained


class Reached(Struct, frozen=True):
    """An exposure of a report, and what is known of it: the paths to it, and the exposures that they make."""

    reported: Exposure
    paths: tuple[Path, ...]
    exposures: tuple[Exposure, ...]
    notes: tuple[str, ...]


def judged(finding: Finding, index: Index, at: str) -> Finding:
    """Return a finding with who reaches its exposures; `at` is when AWS was read."""
    reached = [_reached(index, finding, exposure) for exposure in finding.exposures]
    exposures = [exposure for each in reached for exposure in each.exposures]
    said = [note for each in reached for note in each.notes]
    unread = index.known.rules.unread
    read = [
        group for exposure in finding.exposures for group in _groups(index, finding, exposure) if group not in unread
    ]
    if read:
        said.append(f"rules of {some(read)} read at {at}")
    if not exposures:
        by_acl = any(path.by_acl for each in reached for path in each.paths)
        closed = "nobody gets past the network ACLs" if by_acl else f"no rule of {some(read)} opens a port"
        said.append(f"{closed} now; the scanner last looked {last_look(finding)}")
        exposures = list(finding.exposures)
    elif not any(map(is_unexplained, exposures)):
        finding = replace(finding, notes=tuple(note for note in finding.notes if note != PORTS_ASSUMED))
    return noted(replace(finding, exposures=tuple(dict.fromkeys(exposures))), said)


def _groups(index: Index, finding: Finding, exposure: Exposure) -> list[str]:
    interfaces, _ = entrances(finding.server, exposure, index.known.interfaces)
    return list(dict.fromkeys(group for interface in interfaces for group in interface.groups))


def _reached(index: Index, finding: Finding, exposure: Exposure) -> Reached:
    """Return what is known of an exposure."""
    if not is_unexplained(exposure):
        return Reached(exposure, (), tuple(_identified(index, exposure)), ())
    assumed, internet = PORTS_ASSUMED in finding.notes, finding.reach == "internet"
    interfaces, problem = entrances(finding.server, exposure, index.known.interfaces)
    targets = [of_interface(finding.server, interface, problem) for interface in interfaces]
    span = Span(exposure.protocol, exposure.from_port, exposure.to_port)
    paths = [path for target in targets for path in ways(index, target, span, directly=not internet)]
    paths = [path for path in paths if not (assumed and path.foreign)]
    unknown = replace(exposure, sources=(UNKNOWN,), rules=(), load_balancer=UNSET)
    rest = tuple(source for source in exposure.sources if source != UNKNOWN)
    known = [replace(exposure, sources=rest)] if rest else []
    told = _told(paths, exposure)
    known += [_exposure(index, unknown, path) for path in told]
    said = notes.of_paths(exposure, told, paths)
    if internet:
        idle = list(_idle(index, unknown, interfaces, paths))
        said += notes.of_idle(idle)
        named, named_notes = _named(index, exposure, targets, paths)
        known += [*idle, *named]
        said += named_notes
    if problem is not None:
        known.append(unknown)
        said.append(f"{problem}: who reaches {ports(unknown)} is unknown")
    if not assumed:
        said += notes.of_inside(index, finding, unknown, known, told) if internet else []
        gaps, closed = _closed(index, finding, unknown, known, paths)
        known += gaps
        said += closed
    return Reached(exposure, tuple(paths), tuple(merged(known)), tuple(said))


def _identified(index: Index, exposure: Exposure) -> list[Exposure]:
    """Name the rules that let known sources in, if each has one; else leave the exposure as it is told."""
    whole = (exposure.from_port, exposure.to_port)
    rules = [
        rule
        for rule in index.known.rules_of((exposure.security_group or "",))
        if rule.source in exposure.sources and rule.within(exposure.protocol, *whole) == whole
    ]
    if exposure.rules or {rule.source for rule in rules} != set(exposure.sources):
        return [exposure]
    return [replace(exposure, sources=(rule.source,), rules=rule.ids, rule_opens=rule.opens) for rule in rules]


def _told(paths: Sequence[Path], exposure: Exposure) -> list[Path]:
    """Return the paths that somebody comes by, and of those that no rule names only whom no other lets in."""
    reaching = [path for path in paths if path.sources]
    plain = [path for path in reaching if path.foreign or not (path.hops or path.is_unseen)]
    plain += [path for path in reaching if path.named and len(path.hops) == 1]
    told = list(plain)
    for path in (path for path in reaching if path not in plain):
        balancer = path.balancer
        if balancer is not None and load_balancers.named([balancer], str(exposure.load_balancer)):
            told.append(path)
        elif added := _added(path, told):
            told.append(replace(path, sources=added))
    return [path for path in told if not (path.foreign and not _added(path, plain))]


def _added(path: Path, told: Iterable[Path]) -> tuple[str, ...]:
    """Return the sources of a path that no other path to all its ports lets in; everybody makes `unknown` no worse."""
    others = {
        source
        for other in told
        if other is not path and other.from_port <= path.from_port and path.to_port <= other.to_port
        for source in other.sources
    }
    everybody = others >= set(addresses.EVERYBODY)
    return tuple(
        source
        for source in path.sources
        if source not in others
        and not (everybody and source == UNKNOWN)
        and not (
            is_cidr(source) and any(addresses.shared(source, [other]) == [source] for other in others if is_cidr(other))
        )
    )


def _exposure(index: Index, unknown: Exposure, path: Path) -> Exposure:
    """Return a path as an exposure: who closes the rule that it names closes it."""
    rule, balancer = path.rule, path.balancer
    is_list = rule is not None and rule.source.startswith("pl-") and rule.source not in index.known.sources(rule)
    return replace(
        unknown,
        from_port=path.from_port,
        to_port=path.to_port,
        sources=path.sources,
        security_group=path.group or (unknown.security_group if path.is_unseen or path.foreign else None),
        rules=rule.ids if rule else (),
        rule_opens=rule.opens if rule else UNSET,
        prefix_list=rule.source if rule and is_list else UNSET,
        load_balancer=balancer.name if balancer and not path.own else UNSET,
    )


def _idle(
    index: Index, unknown: Exposure, interfaces: Iterable[Interface], paths: Sequence[Path]
) -> Iterator[Exposure]:
    """Yield the ports to which a rule lets in the group of a load balancer that sends nothing there."""
    if index.known.balancers.problem(None):
        return
    groups = dict.fromkeys(group for interface in interfaces for group in interface.groups)
    for rule in index.known.rules_of(groups):
        part = rule.within(unknown.protocol, unknown.from_port, unknown.to_port)
        for balancer in index.in_group(rule.source) if part else ():
            spans = [(path.from_port, path.to_port) for path in paths if _leads(path, balancer)]
            for low, high in addresses.gaps(part or (0, 0), spans):
                yield replace(
                    unknown,
                    from_port=low,
                    to_port=high,
                    sources=(rule.source,),
                    security_group=None,
                    load_balancer=balancer.name,
                )


def _leads(path: Path, balancer: Balancer) -> bool:
    return path.balancer is not None and path.balancer.name == balancer.name


def _named(
    index: Index, exposure: Exposure, targets: Iterable[Target], paths: Iterable[Path]
) -> tuple[list[Exposure], list[str]]:
    """Return what stays unknown of a way that the report names and that is not found, and why."""
    name, known = exposure.load_balancer, index.known
    if not isinstance(name, str):
        return [], []
    balancer = load_balancers.named(known.balancers.items.values(), name)
    unknown = replace(exposure, sources=(UNKNOWN,), security_group=None, rules=(), rule_opens=UNSET)
    who = f"who reaches {ports(exposure)} through {name} is unknown"
    if balancer is None:
        problem = known.balancers.problem(None) or f"{name} is no load balancer of {' '.join(known.place)}"
        return [unknown], [f"{problem}: {who}"]
    unknown = replace(unknown, load_balancer=balancer.name)
    if any(path.sources and _leads(path, balancer) for path in paths):
        return [], []
    if balancer.groups:
        return [unknown], [f"no listener of {balancer.name} is known to let anybody in to {ports(exposure)} now: {who}"]
    said = [f"{balancer.name} has no security group: whom it lets in stands in its servers' rules"]
    hop = Hop(balancer, None, None, exposure.from_port, exposure.to_port, "not known")
    hidden = [path for target in targets for path in through(index, target, exposure.protocol, hop)]
    hidden = [path for path in hidden if UNKNOWN in path.sources]
    parts = [replace(unknown, from_port=path.from_port, to_port=path.to_port) for path in hidden]
    why = f"{balancer.name} may hide its clients behind an address that its servers let in"
    return parts, said + [f"{why}: who reaches {ports(part)} through it is unknown" for part in dict.fromkeys(parts)]


def _closed(
    index: Index, finding: Finding, unknown: Exposure, known: Iterable[Exposure], paths: Iterable[Path]
) -> tuple[list[Exposure], list[str]]:
    """Return what nobody is known to reach any more, although the scanner reached it, and why."""
    groups = some(_groups(index, finding, unknown))
    when = f"the scanner last looked {last_look(finding)}"
    whole = (unknown.from_port, unknown.to_port)
    reached = [(one.from_port, one.to_port) for one in known]
    opened = [(path.from_port, path.to_port) for path in paths]
    by_acl = [(path.from_port, path.to_port) for path in paths if path.by_acl]
    shut = addresses.gaps(whole, [*reached, *opened])
    past = addresses.gaps(whole, [*reached, *shut])
    said = [f"no rule of {groups} opens {ports(part)} now; {when}" for part in _parts(unknown, shut)]
    for part in _parts(unknown, past):
        acl = any(low <= part.to_port and part.from_port <= high for low, high in by_acl)
        nobody = "nobody gets past the network ACLs" if acl else "nobody comes in"
        said.append(f"{nobody} to {ports(part)} now; {when}")
    return _parts(unknown, addresses.gaps(whole, reached)), said


def _parts(exposure: Exposure, spans: Iterable[tuple[int, int]]) -> list[Exposure]:
    return [replace(exposure, from_port=low, to_port=high) for low, high in spans]


def merged(exposures: Iterable[Exposure]) -> list[Exposure]:
    """Join exposures that differ by ports alone, where these touch."""
    spans: dict[Exposure, list[tuple[int, int]]] = {}
    for exposure in exposures:
        alike = replace(exposure, from_port=0, to_port=0)
        spans.setdefault(alike, []).append((exposure.from_port, exposure.to_port))
    return [part for alike, own in spans.items() for part in _parts(alike, _joined(own))]


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for low, high in sorted(spans):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return joined
