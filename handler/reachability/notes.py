"""What a finding says of its paths: through which load balancers, on what that rests, and what could not be told."""

from collections.abc import Iterable, Iterator, Sequence

from handler.finding import Exposure, Finding
from handler.lookup.inquiry import grouped
from handler.lookup.networks import is_private
from handler.lookup.notes import last_look, listed
from handler.lookup.spans import gaps, span_of
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


def of_closed(
    finding: Finding, groups: Iterable[str], exposure: Exposure, exposures: Iterable[Exposure] = ()
) -> list[str]:
    """Say to which ports nobody is known to come in from where the scanner did, so that the report may be outdated."""
    reached = [each for each in exposures if finding.reach != "internet" or _is_outside(each)]
    who = "nobody of the internet" if finding.reach == "internet" else "nobody"
    when = f"by the rules of {listed(groups)} now; the scanner last looked {last_look(finding)}"
    return [f"{who} is known to come in to {span} {when}" for span in gaps(span_of(exposure), map(span_of, reached))]


def _is_outside(exposure: Exposure) -> bool:
    return bool(exposure.load_balancer) or not all(is_private(each) or "sg-" in each for each in exposure.sources)


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
