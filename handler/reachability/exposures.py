"""What a finding says of who reaches it: its paths as exposures, and what there is to note of them.

An exposure of unknown sources becomes one for each rule that lets somebody in to a part of it, so that an alert can
name the rule. What could not be read stays as one to `unknown`; so does a part that nobody is known to reach, since the
scanner may know better. Where the report told no ports, all that is reached is what is exposed.
"""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import UNSET
from msgspec.structs import replace

from handler.finding import PORTS_ASSUMED, UNKNOWN, Exposure, Finding
from handler.lookup import load_balancers
from handler.lookup.inquiry import grouped
from handler.lookup.load_balancers import Balancer
from handler.lookup.networks import EVERYBODY, lies_in, network
from handler.lookup.notes import listed, noted
from handler.lookup.spans import Span, gaps, joined, span_of
from handler.reachability import notes
from handler.reachability.index import Index
from handler.reachability.paths import Path, ways
from handler.reachability.snapshot import Snapshot, Target, is_unexplained


def judged(finding: Finding, index: Index, at: str) -> Finding:
    """Return a finding with who reaches its exposures; `at` is when AWS was read."""
    targets = [target for each in finding.exposures for target in index.snapshot.targets_of(finding.server, each)]
    read = [group for group in _groups(targets) if group not in index.snapshot.rules.unread]
    exposures: list[Exposure] = []
    sentences: list[str] = []
    for exposure in finding.exposures:
        reached, remarks = _reached(index, finding, exposure)
        exposures += reached
        sentences += remarks
    if read:
        sentences.append(f"rules of {listed(read)} read at {at}")
    if not exposures:
        sentences += [note for each in finding.exposures for note in notes.of_closed(finding, read, each)]
        exposures = list(finding.exposures)
    elif not any(map(is_unexplained, exposures)):
        finding = replace(finding, notes=tuple(note for note in finding.notes if note != PORTS_ASSUMED))
    return noted(replace(finding, exposures=tuple(dict.fromkeys(exposures))), sentences)


def _groups(targets: Iterable[Target]) -> list[str]:
    return list(dict.fromkeys(group for target in targets for group in target.groups or ()))


def _reached(index: Index, finding: Finding, exposure: Exposure) -> tuple[list[Exposure], list[str]]:
    """Return what becomes of an exposure of a report, and what there is to note."""
    if not is_unexplained(exposure):
        return _identified(index.snapshot, exposure), []
    assumed, internet = PORTS_ASSUMED in finding.notes, finding.reach == "internet"
    targets = index.snapshot.targets_of(finding.server, exposure)
    paths = [path for target in targets for path in ways(index, target, span_of(exposure), directly=not internet)]
    paths = [path for path in paths if not (assumed and path.foreign)]
    distinct = _distinct(paths, exposure)
    unknown = replace(exposure, sources=(UNKNOWN,), rules=(), load_balancer=UNSET)
    reported = tuple(source for source in exposure.sources if source != UNKNOWN)
    exposures = [replace(exposure, sources=reported)] if reported else []
    exposures += [_exposure(index.snapshot, unknown, path) for path in distinct]
    sentences = notes.of_paths(distinct, paths)
    if internet:
        idle = list(_idle(index.snapshot, unknown, _groups(targets), paths))
        missing, why = _unfound(index, exposure, paths)
        exposures += [*idle, *missing]
        sentences += [*notes.of_idle(idle), *why]
    if problem := targets[0].problem:
        exposures.append(replace(unknown, unreached=not index.snapshot.interfaces.problem(finding.server.id) or UNSET))
        sentences.append(f"{problem}: who reaches {span_of(unknown)} is unknown")
    if not assumed:
        sentences += notes.of_closed(finding, _groups(targets), unknown, exposures)
        exposures += _parts(replace(unknown, unreached=True), gaps(span_of(unknown), map(span_of, exposures)))
    return merged(exposures), sentences


def _identified(snapshot: Snapshot, exposure: Exposure) -> list[Exposure]:
    """Name the rules that let known sources in, if each has one; else leave the exposure as it is."""
    rules = [
        rule
        for rule, part in snapshot.openings((exposure.security_group or "",), span_of(exposure))
        if rule.source in exposure.sources and part == span_of(exposure)
    ]
    if exposure.rules or {rule.source for rule in rules} != set(exposure.sources):
        return [exposure]
    return [replace(exposure, sources=(rule.source,), rules=rule.ids, rule_opens=rule.opens) for rule in rules]


def _distinct(paths: Sequence[Path], exposure: Exposure) -> list[Path]:
    """Return the paths that somebody comes by, and of those that no rule names only whom no other lets in."""
    reaching = [path for path in paths if path.sources]
    plain = [path for path in reaching if path.foreign or not (path.hops or path.unseen)]
    plain += [path for path in reaching if path.by_group and len(path.hops) == 1]
    distinct = list(plain)
    for path in (path for path in reaching if path not in plain):
        balancer = path.balancer
        if balancer is not None and load_balancers.named([balancer], str(exposure.load_balancer)):
            distinct.append(path)
        elif added := _added(path, distinct):
            distinct.append(replace(path, sources=added))
    return [path for path in distinct if not (path.foreign and not _added(path, plain))]


def _added(path: Path, distinct: Iterable[Path]) -> tuple[str, ...]:
    """Return the sources of a path that no other path to all its ports lets in; everybody makes `unknown` no worse."""
    covering = [other for other in distinct if other is not path and path.span.shared(*other.span[1:]) == path.span]
    others = {source for other in covering for source in other.sources}
    hidden = others | ({UNKNOWN} if others >= set(EVERYBODY) else set())
    networks = [cidr for source in others if (cidr := network(source))]
    return tuple(source for source in path.sources if source not in hidden and not lies_in(source, networks))


def _exposure(snapshot: Snapshot, unknown: Exposure, path: Path) -> Exposure:
    """Return a path as an exposure: who closes the rule that it names closes it."""
    rule, balancer = path.rule, path.balancer
    is_list = rule is not None and rule.source.startswith("pl-") and rule.source not in snapshot.sources(rule)
    return replace(
        unknown,
        from_port=path.span.low,
        to_port=path.span.high,
        sources=path.sources,
        security_group=path.group or (unknown.security_group if path.unseen or path.foreign else None),
        rules=rule.ids if rule else (),
        rule_opens=rule.opens if rule else UNSET,
        prefix_list=rule.source if rule and is_list else UNSET,
        load_balancer=balancer.name if balancer and not path.by_rule else UNSET,
    )


def _idle(snapshot: Snapshot, unknown: Exposure, groups: Iterable[str], paths: Sequence[Path]) -> Iterator[Exposure]:
    """Yield the ports to which a rule lets in the group of a load balancer that sends nothing there."""
    if snapshot.balancers.problem():
        return
    for rule, part in snapshot.openings(groups, span_of(unknown)):
        for balancer in snapshot.in_group(rule.source):
            idle = gaps(part, [path.span for path in paths if _leads(path, balancer)])
            let_in = replace(unknown, sources=(rule.source,), security_group=None, load_balancer=balancer.name)
            yield from _parts(let_in, idle)


def _leads(path: Path, balancer: Balancer) -> bool:
    return path.balancer is not None and path.balancer.name == balancer.name


def _unfound(index: Index, exposure: Exposure, paths: Iterable[Path]) -> tuple[list[Exposure], list[str]]:
    """Return what stays unknown of a way that the report names and that is not found, and why."""
    name, balancers = exposure.load_balancer, index.snapshot.balancers
    if not isinstance(name, str):
        return [], []
    balancer = load_balancers.named(balancers.items.values(), name)
    if balancer is None:
        why = balancers.problem() or f"{name} is no load balancer of {' '.join(index.snapshot.place)}"
    elif any(path.sources and _leads(path, balancer) for path in paths):
        return [], []
    else:
        name, why = balancer.name, f"no listener of {balancer.name} is known to let anybody in to it now"
    unknown = replace(exposure, sources=(UNKNOWN,), security_group=None, rules=(), rule_opens=UNSET, load_balancer=name)
    unknown = replace(unknown, unreached=not balancers.problem() or UNSET)
    return [unknown], [f"{why}: who reaches {span_of(exposure)} through {name} is unknown"]


def _parts(exposure: Exposure, spans: Iterable[Span]) -> list[Exposure]:
    return [replace(exposure, from_port=span.low, to_port=span.high) for span in spans]


def merged(exposures: Iterable[Exposure]) -> list[Exposure]:
    """Join exposures that differ by ports alone, where these touch."""
    spans = grouped((replace(exposure, from_port=0, to_port=0), span_of(exposure)) for exposure in exposures)
    return [part for alike, touching in spans.items() for part in _parts(alike, joined(touching))]
