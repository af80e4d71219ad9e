"""Container ports: which task has bound a high port of a server, and where its service registers it.

A port that a known task has bound is a listener, once for each target group in which it is registered. Who reaches it,
around a load balancer or through it, stands in the exposures already.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from handler.finding import Exposure, Finding, Listener, Protocol, Server
from handler.lookup import interfaces, load_balancers, tasks
from handler.lookup.inquiry import Inquiry, grouped
from handler.lookup.notes import clock, listed, noted
from handler.lookup.spans import Span, span_of
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


def look_up(findings: Sequence[Finding], inquiry: Inquiry) -> list[Finding]:
    """Explain the high ports of instances that have any."""
    wanted = [finding for finding in findings if _has_high_ports(finding)]
    hosts = tasks.on_instances(inquiry, {finding.server.id for finding in wanted}) if wanted else {}
    index = Index(_snapshot(findings, wanted, hosts, inquiry)) if wanted else None
    at = clock(inquiry.began)
    return [
        _explained(finding, hosts.get(finding.server.id), index, at) if index and _has_high_ports(finding) else finding
        for finding in findings
    ]


def _has_high_ports(finding: Finding) -> bool:
    return any(_ephemeral(finding.server, exposure) for exposure in finding.exposures)


def _ephemeral(server: Server, exposure: Exposure) -> Span | None:
    """Return the ports of an exposure of an instance on which tasks may start, if any."""
    platform = server.platform if isinstance(server.platform, str) else ""
    low, high = _EPHEMERAL["windows" if "windows" in platform.lower() else "linux"]
    return span_of(exposure).shared(low, high) if server.kind == "instance" else None


def _snapshot(
    findings: Iterable[Finding], wanted: Iterable[Finding], hosts: dict[str, Host], inquiry: Inquiry
) -> Snapshot:
    """Read where the wanted ones' ports are registered; interfaces of all, which have been asked for already."""
    instances = {finding.server.id for finding in findings if finding.server.kind == "instance"}
    snapshot = Snapshot(inquiry.place, interfaces.of_instances(inquiry, instances))
    services = {arn for host in hosts.values() for binding in host.bindings for arn in binding.target_groups}
    names = {exposure.load_balancer for finding in wanted for exposure in finding.exposures} - {UNSET}
    if not services and not names:
        return snapshot
    groups = load_balancers.target_groups(inquiry)
    arns = [
        group.arn
        for group in groups.items.values()
        if group.arn in services or names & set(map(load_balancers.name_in, group.balancers))
    ]
    return replace(snapshot, groups=groups, targets=load_balancers.targets(inquiry, arns))


def _explained(finding: Finding, host: Host | None, index: Index, at: str) -> Finding:
    """Put into a finding what has bound its ports, and where these are registered."""
    registered, problems = _registered(index, finding.server)
    unknown = f"where the ports of {finding.server.id} are registered is unknown"
    bound = tuple(dict.fromkeys(_listeners(finding, host, registered)))
    sentences = _sentences(replace(finding, listeners=bound), host, registered, at)
    notes = [*(f"{problem}: {unknown}" for problem in problems), *sentences]
    return noted(replace(finding, listeners=bound), notes)


def _registered(index: Index, server: Server) -> tuple[list[Listener], list[str]]:
    """Return the ports of a server that target groups hold, as listeners of no task yet, and why these are not all."""
    listeners: set[Listener] = set()
    problems = [index.snapshot.groups.problem()]
    for target in index.snapshot.targets_of(server):
        for group, registered in index.registered(target):
            for name in map(load_balancers.name_in, group.balancers or ("",)):
                listeners |= {
                    Listener(
                        protocol=protocol,
                        port=registered.port,
                        task="",
                        target_group=group.name,
                        load_balancer=name or None,
                    )
                    for protocol in group.protocols
                }
        problems += [problem for group, problem in index.doubtful(target) if group.arn in index.snapshot.targets.items]
    by_place = sorted(listeners, key=lambda each: (each.target_group or "", each.load_balancer or ""))
    return by_place, list(dict.fromkeys(problem for problem in problems if problem))


def _listeners(finding: Finding, host: Host | None, registered: Iterable[Listener]) -> Iterator[Listener]:
    """Yield the exposed ports that tasks have bound, once for each place where they are registered."""
    by_port = grouped(((each.protocol, each.port), each) for each in registered)
    for binding in host.bindings if host else ():
        for port in range(binding.from_port, binding.to_port + 1):
            if any(_holds(span_of(exposure), binding.protocol, port) for exposure in finding.exposures):
                nowhere = Listener(protocol=binding.protocol, port=port, task="")
                for listener in by_port.get((binding.protocol, port), [nowhere]):
                    yield replace(listener, task=binding.task)


def _holds(span: Span, protocol: Protocol, port: int) -> bool:
    return span.protocol == protocol and span.low <= port <= span.high


def _sentences(finding: Finding, host: Host | None, registered: Iterable[Listener], at: str) -> Iterator[str]:
    """Say what is known of the ports of a server, and what is not."""
    server = finding.server
    if host is None:
        yield f"{server.id} is no container instance of {server.account} {server.region}"
    elif host.problems:
        yield from (f"{problem}: which task has bound a port of {server.id} is unknown" for problem in host.problems)
    else:
        yield f"tasks of {server.id} read at {at}"
    ordered = sorted(finding.listeners, key=lambda each: (each.protocol, each.port))
    bound = grouped(((each.protocol, each.port), each) for each in ordered)
    for name in dict.fromkeys(each.load_balancer for each in finding.exposures if isinstance(each.load_balancer, str)):
        sent = sorted({(each.protocol, each.port) for each in registered if each.load_balancer == name})
        spelled = [f"{protocol} {port} ({_tasks(bound.get((protocol, port), ()))})" for protocol, port in sent]
        if sent:
            yield f"{name} sends to {listed(spelled)} of {server.id}"
    yield from _around(finding, bound)


def _around(finding: Finding, bound: dict[tuple[Protocol, int], list[Listener]]) -> Iterator[str]:
    """Say who has bound the high ports that are open to addresses without a load balancer between."""
    direct = [exposure for exposure in finding.exposures if exposure.load_balancer is UNSET]
    by_span = grouped((span, each) for each in direct if (span := _ephemeral(finding.server, each)))
    for span, exposures in by_span.items():
        sources = [source for each in exposures for source in each.sources if not source.startswith("sg-")]
        by_port = {port: each for (protocol, port), each in bound.items() if _holds(span, protocol, port)}
        if sources:
            yield f"{span} open to {listed(sources)}: {_binders(by_port, span.high - span.low + 1)}"


def _binders(by_port: dict[int, list[Listener]], count: int) -> str:
    """Say which tasks have bound the ports of a range of this many, and past which load balancers they are open."""
    listeners = [listener for each in by_port.values() for listener in each]
    passed = listed(each.load_balancer for each in listeners if each.load_balancer)
    bypass = f", past load balancer {passed}" if passed else ""
    if count == 1:
        return f"bound by {_tasks(listeners)}{bypass}"
    named = listed(f"{port} {_tasks(each)}" for port, each in by_port.items())
    tasks_named = f" ({named}){bypass}" if by_port else ""
    number = f"{len(by_port)} {'port' if len(by_port) == 1 else 'ports'} bound by tasks"
    return f"{number}{tasks_named}, {count - len(by_port):,} by nobody known"


def _tasks(listeners: Iterable[Listener]) -> str:
    return listed(listener.task for listener in listeners) or "nobody known"
