"""What a finding says of its paths: through which load balancers, on what that rests, and what could not be told."""

from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from handler.finding import UNKNOWN, Exposure, Finding
from handler.lookup.notes import last_look, ports, some
from handler.lookup.security_groups import is_private
from handler.reachability import addresses
from handler.reachability.index import Hop, Index
from handler.reachability.paths import Path


def of_paths(exposure: Exposure, told: Sequence[Path], paths: Iterable[Path]) -> list[str]:
    """Return the sentences of paths that are told, and of those that nobody comes by."""
    used = {path.balancer.name for path in told if path.balancer}
    closed = [path for path in paths if not path.sources and not (path.balancer and path.balancer.name in used)]
    notes = [path.nobody.format(ports=_ports(exposure, path)) for path in closed if path.nobody]
    notes += [note for path in told for note in _doubts(exposure, path)]
    notes += _through(exposure, told)
    notes += [assumption for path in told for assumption in path.assumptions]
    return list(dict.fromkeys(notes))


def of_idle(idle: Iterable[Exposure]) -> list[str]:
    """Name the ports to which load balancers are let in, and send nothing."""
    spans: dict[str, list[str]] = {}
    for exposure in idle:
        spans.setdefault(str(exposure.load_balancer), []).append(ports(exposure))
    return [f"load balancer {name} is let in to {some(own)}, and sends nothing there" for name, own in spans.items()]


def of_inside(
    index: Index, finding: Finding, unknown: Exposure, known: Sequence[Exposure], told: Iterable[Path]
) -> list[str]:
    """Say where the rules let nobody of the internet in, from which the scanner came."""
    outside = [one for one in known if one.load_balancer or not all(map(_is_inside, one.sources))]
    whole = (unknown.from_port, unknown.to_port)
    inside = addresses.gaps(whole, [(one.from_port, one.to_port) for one in outside])
    reached = addresses.gaps(whole, [(one.from_port, one.to_port) for one in known])
    where = (
        ""
        if any(path.hops for path in told)
        else f", and no load balancer of {' '.join(index.known.place)} sends to it"
    )
    when = f"the scanner reached it from the internet, when it last looked {last_look(finding)}"
    parts = [replace(unknown, from_port=low, to_port=high) for low, high in inside if (low, high) not in reached]
    whom = "the rules and network ACLs let only private addresses and groups in to"
    return [f"{whom} {ports(part)}{where}; {when}" for part in parts]


def _is_inside(source: str) -> bool:
    return is_private(source) or "sg-" in source


def _doubts(exposure: Exposure, path: Path) -> Iterator[str]:
    """Say why a path is unknown, or may not be one."""
    if path.doubt is None:
        return
    if path.doubt.endswith(" is unknown"):
        yield path.doubt
    elif UNKNOWN in path.sources:
        via = f" through {path.balancer.name}" if path.balancer else ""
        yield f"{path.doubt}: who reaches {_ports(exposure, path)}{via} is unknown"


def _through(exposure: Exposure, told: Iterable[Path]) -> Iterator[str]:
    """Say through which listeners of which load balancers somebody comes."""
    listening: dict[tuple[str, str, str | None], dict[str, None]] = {}
    for path in told:
        for hop in path.hops:
            if hop.balancer is not None and hop.listener is not None:
                key = (_ports(exposure, path), hop.balancer.name, hop.doubt)
                listening.setdefault(key, {})[_listener(exposure, hop)] = None
    for (reached, name, doubt), listeners in listening.items():
        way = f"{reached} {'may be' if doubt else 'is'} reached through load balancer {name}"
        yield f"{way}, listening on {some(listeners)}" + (f": {doubt}" if doubt else "")


def _listener(exposure: Exposure, hop: Hop) -> str:
    return f"{exposure.protocol} {hop.listener.port if hop.listener else 0}"


def _ports(exposure: Exposure, path: Path) -> str:
    return ports(replace(exposure, from_port=path.from_port, to_port=path.to_port))
