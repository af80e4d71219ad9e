"""What a finding says of its paths: through which load balancers, on what that rests, and what could not be told."""

from collections.abc import Iterable, Iterator, Sequence

from handler.finding import UNKNOWN, Exposure, Finding
from handler.lookup.inquiry import Place, grouped
from handler.lookup.networks import is_private
from handler.lookup.notes import last_look, listed
from handler.lookup.spans import gaps, span_of
from handler.reachability.paths import Path


def of_paths(distinct: Sequence[Path], paths: Iterable[Path]) -> list[str]:
    """Return the sentences of the distinct paths, and of those that nobody comes by."""
    used = {path.balancer.name for path in distinct if path.balancer}
    closed = [path for path in paths if not path.sources and not (path.balancer and path.balancer.name in used)]
    notes = [path.nobody.format(ports=path.span) for path in closed if path.nobody]
    notes += [note for path in distinct for note in _doubts(path)]
    notes += _through(distinct)
    notes += [assumption for path in distinct for assumption in path.assumptions]
    return list(dict.fromkeys(notes))


def of_idle(idle: Iterable[Exposure]) -> list[str]:
    """Name the ports to which load balancers are let in, and send nothing."""
    by_name = grouped((exposure.load_balancer, str(span_of(exposure))) for exposure in idle)
    return [
        f"load balancer {name} is let in to {listed(spans)}, and sends nothing there" for name, spans in by_name.items()
    ]


def of_inside(
    place: Place, finding: Finding, exposure: Exposure, exposures: Sequence[Exposure], distinct: Iterable[Path]
) -> list[str]:
    """Say where the rules let nobody of the internet in, from which the scanner came."""
    outside = [each for each in exposures if each.load_balancer or not all(map(_is_inside, each.sources))]
    inside = gaps(span_of(exposure), map(span_of, outside))
    unreached = gaps(span_of(exposure), map(span_of, exposures))
    fronted = any(path.hops for path in distinct)
    where = "" if fronted else f", and no load balancer of {' '.join(place)} sends to it"
    when = f"the scanner reached it from the internet, when it last looked {last_look(finding)}"
    whom = "the rules and network ACLs let only private addresses and groups in to"
    return [f"{whom} {span}{where}; {when}" for span in inside if span not in unreached]


def of_closed(
    finding: Finding, exposure: Exposure, groups: Iterable[str], exposures: Iterable[Exposure], paths: Sequence[Path]
) -> list[str]:
    """Say which ports nobody is known to reach any more, although the scanner reached them, and why."""
    reached = [span_of(each) for each in exposures]
    shut = gaps(span_of(exposure), [*reached, *(path.span for path in paths)])
    when = f"now; the scanner last looked {last_look(finding)}"
    notes = [f"no rule of {listed(groups)} opens {span} {when}" for span in shut]
    for span in gaps(span_of(exposure), [*reached, *shut]):
        by_acl = any(path.by_acl and span.shared(path.span.low, path.span.high) for path in paths)
        nobody = "nobody gets past the network ACLs" if by_acl else "nobody comes in"
        notes.append(f"{nobody} to {span} {when}")
    return notes


def _is_inside(source: str) -> bool:
    return is_private(source) or "sg-" in source


def _doubts(path: Path) -> Iterator[str]:
    """Say why a path is unknown, or may not be one."""
    via = f" through {path.balancer.name}" if path.balancer else ""
    if path.doubt is not None and (path.doubt.what or UNKNOWN in path.sources):
        yield f"{path.doubt.problem}: {path.doubt.what or f'who reaches {path.span}{via}'} is unknown"


def _through(distinct: Iterable[Path]) -> Iterator[str]:
    """Say through which listeners of which load balancers somebody comes."""
    passed = [(path.span, hop) for path in distinct for hop in path.hops]
    listening = grouped(
        ((span, hop.balancer.name, hop.doubt), f"{span.protocol} {hop.listener.port}")
        for span, hop in passed
        if hop.balancer and hop.listener
    )
    for (span, name, doubt), listeners in listening.items():
        way = f"{span} {'may be' if doubt else 'is'} reached through load balancer {name}"
        yield f"{way}, listening on {listed(listeners)}" + (f": {doubt}" if doubt else "")
