"""Container ports: which task has bound a high port of a server, and where its service registers it.

A port that a known task has bound is a listener, once for each target group in which it is registered. Who reaches it,
around a load balancer or through it, stands in the exposures already.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import UNSET, Struct
from msgspec.structs import replace

from handler.finding import UNKNOWN, Exposure, Finding, Listener, Server
from handler.lookup import interfaces, load_balancers, tasks
from handler.lookup.inquiry import Inquiry, Place, place_of
from handler.lookup.notes import clock, noted, ports, some
from handler.lookup.tasks import Host
from handler.reachability.index import Index
from handler.reachability.snapshot import Snapshot

_EPHEMERAL: dict[str, tuple[int, int]] = msgspec.json.decode(
    Path(__file__).with_name("ephemeral_ports.json").read_bytes(), type=dict[str, tuple[int, int]]
)
"""Where a container's port may be when its task definition names none, by platform.

On Linux that is net.ipv4.ip_local_port_range, of which 32768-60999 is the kernel's own, and 49153-65535 where ECS
cannot read it (Amazon ECS API reference, `PortMapping.hostPort`).
"""


class Registered(Struct, frozen=True):
    """A port of a server that is registered in a target group, and a load balancer that sends there, if any does."""

    protocol: str
    port: int
    group: str
    balancer: str | None


def look_up(findings: list[Finding], inquiry: Inquiry) -> list[Finding]:
    """Explain the high ports of instances that have any."""
    places: dict[Place, list[Finding]] = {}
    for finding in findings:
        if any(_ephemeral(finding.server, exposure) for exposure in finding.exposures):
            places.setdefault(place_of(finding.server), []).append(finding)
    servers = {place: [one.server for one in findings if place_of(one.server) == place] for place in places}
    explained = {
        id(finding): found
        for place, own in places.items()
        for finding, found in zip(own, _look_up(inquiry, place, own, servers[place]), strict=True)
    }
    return [explained.get(id(finding), finding) for finding in findings]


def _ephemeral(server: Server, exposure: Exposure) -> Exposure | None:
    """Give the part of an exposure of an instance on which tasks may start, if any."""
    platform = server.platform if isinstance(server.platform, str) else ""
    low, high = _EPHEMERAL["windows" if "windows" in platform.lower() else "linux"]
    low, high = max(low, exposure.from_port), min(high, exposure.to_port)
    return replace(exposure, from_port=low, to_port=high) if low <= high and server.kind == "instance" else None


def _look_up(inquiry: Inquiry, place: Place, findings: Sequence[Finding], servers: Sequence[Server]) -> list[Finding]:
    """Explain findings of a place; interfaces are read of all its servers, since these have been asked for already."""
    hosts = tasks.on_instances(inquiry, place, {finding.server.id for finding in findings})
    attached = interfaces.of_instances(inquiry, place, {server.id for server in servers if server.kind == "instance"})
    known = Snapshot(place, attached)
    services = {arn for host in hosts.values() for binding in host.bindings for arn in binding.target_groups}
    names = {exposure.load_balancer for finding in findings for exposure in finding.exposures} - {UNSET}
    if services or names:
        groups = load_balancers.target_groups(inquiry, place)
        wanted = [
            group.arn
            for group in groups.items.values()
            if group.arn in services or names & set(map(load_balancers.name_in, group.balancers))
        ]
        known = replace(known, groups=groups, targets=load_balancers.targets(inquiry, place, wanted))
    index = Index(known)
    return [_explained(finding, hosts.get(finding.server.id), index, clock(inquiry.at)) for finding in findings]


def _explained(finding: Finding, host: Host | None, index: Index, at: str) -> Finding:
    """Put into a finding what has bound its ports, and where these are registered."""
    registered, problems = _registered(index, finding.server)
    unknown = f"where the ports of {finding.server.id} are registered is unknown"
    found = replace(finding, listeners=tuple(dict.fromkeys(_listeners(finding, host or Host((), ()), registered))))
    return noted(found, [*(f"{problem}: {unknown}" for problem in problems), *_sentences(found, host, index, at)])


def _registered(index: Index, server: Server) -> tuple[set[Registered], list[str]]:
    """Give the ports of a server in target groups, and why these are not all."""
    found: set[Registered] = set()
    problems = [index.known.groups.problem(None)]
    for target in index.of_server(server):
        for group, registered in index.registered(target):
            names: list[str | None] = [load_balancers.name_in(arn) for arn in group.balancers]
            for name in names or [None]:
                found |= {Registered(protocol, registered.port, group.name, name) for protocol in group.protocols}
        problems += [problem for group, problem in index.doubtful(target) if group.arn in index.known.targets.items]
    return found, list(dict.fromkeys(problem for problem in problems if problem))


def _listeners(finding: Finding, host: Host, registered: Iterable[Registered]) -> Iterator[Listener]:
    """Give the exposed ports that tasks have bound, once for each place where they are registered."""
    places: dict[tuple[str, int], list[Registered]] = {}
    for one in sorted(registered, key=lambda one: (one.group, one.balancer or "")):
        places.setdefault((one.protocol, one.port), []).append(one)
    for binding in host.bindings:
        for port in range(binding.from_port, binding.to_port + 1):
            if any(_holds(exposure, binding.protocol, port) for exposure in finding.exposures):
                bound = Listener(protocol=binding.protocol, port=port, task=binding.task)
                own = places.get((binding.protocol, port), [])
                yield from [replace(bound, target_group=one.group, load_balancer=one.balancer) for one in own] or [
                    bound
                ]


def _holds(exposure: Exposure, protocol: str, port: int) -> bool:
    return exposure.protocol == protocol and exposure.from_port <= port <= exposure.to_port


def _sentences(finding: Finding, host: Host | None, index: Index, at: str) -> Iterator[str]:
    """Say what has been found, and what has not."""
    server = finding.server
    if host is None:
        yield f"{server.id} is no container instance of {server.account} {server.region}"
    elif host.problems:
        yield from (f"{problem}: which task has bound a port of {server.id} is unknown" for problem in host.problems)
    else:
        yield f"tasks of {server.id} read at {at}"
    bound: dict[tuple[str, int], list[Listener]] = {}
    for listener in sorted(finding.listeners, key=lambda one: (one.protocol, one.port)):
        bound.setdefault((listener.protocol, listener.port), []).append(listener)
    registered, _ = _registered(index, server)
    names = dict.fromkeys(one.load_balancer for one in finding.exposures if isinstance(one.load_balancer, str))
    for name in names:
        sent = sorted({(one.protocol, one.port) for one in registered if one.balancer == name})
        spelled = (f"{protocol} {port} ({_tasks(bound.get((protocol, port), ()))})" for protocol, port in sent)
        if sent:
            yield f"{name} sends to {some(spelled)} of {server.id}"
    yield from _around(finding, bound)


def _around(finding: Finding, bound: dict[tuple[str, int], list[Listener]]) -> Iterator[str]:
    """Say who has bound the high ports that are open to addresses without a load balancer between."""
    direct: dict[Exposure, list[str]] = {}
    for exposure in finding.exposures:
        part = _ephemeral(finding.server, exposure)
        if part is not None and part.load_balancer is UNSET:
            span = Exposure(protocol=part.protocol, from_port=part.from_port, to_port=part.to_port, sources=(UNKNOWN,))
            direct.setdefault(span, []).extend(source for source in part.sources if not source.startswith("sg-"))
    for span, sources in direct.items():
        own = {port: each for (protocol, port), each in bound.items() if _holds(span, protocol, port)}
        passed = some(one.load_balancer for each in own.values() for one in each if one.load_balancer)
        bypass = f", past load balancer {passed}" if passed else ""
        count = span.to_port - span.from_port + 1
        if count == 1:
            told = f"bound by {_tasks([one for each in own.values() for one in each])}{bypass}"
        else:
            named = some(f"{port} {_tasks(each)}" for port, each in own.items())
            told = f"{len(own)} {'port' if len(own) == 1 else 'ports'} bound by tasks"
            told += f" ({named}){bypass}" if own else ""
            told += f", {count - len(own):,} by nobody known"
        if sources:
            yield f"{ports(span)} open to {some(sources)}: {told}"


def _tasks(listeners: Iterable[Listener]) -> str:
    return some(one.task for one in listeners) or "nobody known"
