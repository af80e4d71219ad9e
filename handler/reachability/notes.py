"""What a finding says of its paths: through which load balancers, on what that rests, and what could not be told."""

from collections.abc import Iterable, Iterator, Sequence

from handler.finding import Exposure, Finding
from handler.lookup.inquiry import grouped
from handler.lookup.networks import is_private
from handler.lookup.notes import last_look, listed
from handler.lookup.spans import Span, gaps, span_of
from handler.reachability.paths import Path


def of_paths(distinct: Sequence[Path], paths: Iterable[Path]) -> list[str]:
    """Return the sentences of the distinct paths, and of those that nobody comes by."""
    used = {path.balancer.name for path in distinct if path.balancer}
    closed = [path for path in paths if not path.sources and not (path.balancer and path.balancer.name in used)]
    notes = [path.nobody.format(ports=path.span) for path in closed if path.nobody]
    notes += [path.doubt for path in distinct if path.doubt]
    notes += _through(distinct)
    notes += [assumption for path in distinct for assumption in path.assumptions]
    return list(dict.fromkeys(notes))


def of_idle(idle: Iterable[Exposure]) -> list[str]:
    """Name the ports to which load balancers are let in, and send nothing."""
    spans = listed(f"{span_of(exposure)} ({exposure.load_balancer})" for exposure in idle)
    return [f"load balancers are let in to {spans}, and send nothing there"] if spans else []


def of_inside(finding: Finding, exposure: Exposure, exposures: Iterable[Exposure], closed: Iterable[Span]) -> list[str]:
    """Say where the rules let nobody of the internet in, from which the scanner came, and are not `closed`."""
    outside = [each for each in exposures if each.load_balancer or not all(map(_is_inside, each.sources))]
    inside = gaps(span_of(exposure), [*map(span_of, outside), *closed])
    when = f"the scanner reached it from the internet, when it last looked {last_look(finding)}"
    whom = "the rules and network ACLs let only private addresses and groups in to"
    return [f"{whom} {span}; {when}" for span in inside]


def of_closed(finding: Finding, groups: Iterable[str], spans: Iterable[Span]) -> list[str]:
    """Say to which ports nobody is known to come in any more, although the scanner reached them."""
    rules, when = f"by the rules of {listed(groups)}", f"the scanner last looked {last_look(finding)}"
    return [f"nobody is known to come in to {span} {rules} now; {when}" for span in spans]


def _is_inside(source: str) -> bool:
    return is_private(source) or "sg-" in source


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
