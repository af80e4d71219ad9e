"""Container ports: which task has bound a high port of a server, and what its load balancers send there.

A load balancer is let in to every port on which a task may start, and sends to those that are registered in its target
groups. So nobody but what is in its groups reaches the others: they become an exposure to these groups, which names the
balancer and no rule. A port that is registered stays exposed to whom the balancer lets in, and is a listener where a
known task has bound it. Ports on which no task may start stay as they are.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import UNSET, Struct
from msgspec.structs import replace

from handler.finding import UNKNOWN, Exposure, Finding, Listener, Server
from handler.lookup import interfaces, load_balancers, targets, tasks
from handler.lookup.inquiry import Inquiry, Place, place_of
from handler.lookup.load_balancers import Balancer, Balancers, Target
from handler.lookup.notes import clock, noted, ports, some
from handler.lookup.security_groups import unopened
from handler.lookup.targets import TargetGroup, TargetGroups
from handler.lookup.tasks import Host

_EPHEMERAL: dict[str, tuple[int, int]] = msgspec.json.decode(
    Path(__file__).with_name("ephemeral_ports.json").read_bytes(), type=dict[str, tuple[int, int]]
)
"""Where a container's port may be when its task definition names none, by platform.

On Linux that is net.ipv4.ip_local_port_range, of which 32768-60999 is the kernel's own, and 49153-65535 where ECS
cannot read it (Amazon ECS API reference, `PortMapping.hostPort`).
"""


class Yard(Struct, frozen=True):
    """What is known of a place."""

    inquiry: Inquiry
    place: Place
    hosts: dict[str, Host]
    groups: TargetGroups
    balancers: Balancers
    servers: dict[str, Target]


class Registered(Struct, frozen=True):
    """A port of a server that is registered in a target group, and a load balancer that sends there, if any does."""

    protocol: str
    port: int
    group: str
    balancer: str | None


def look_up(findings: list[Finding], inquiry: Inquiry) -> list[Finding]:
    """Explain the high ports of instances that have any."""
    wanted = [any(_ephemeral(finding.server, one) for one in finding.exposures) for finding in findings]
    high: dict[Place, list[Finding]] = {}
    for finding, want in zip(findings, wanted, strict=True):
        if want:
            high.setdefault(place_of(finding.server), []).append(finding)
    yards = {
        place: _read(inquiry, place, own, [one.server for one in findings if place_of(one.server) == place])
        for place, own in high.items()
    }
    return [
        _explained(finding, yards[place_of(finding.server)]) if want else finding
        for finding, want in zip(findings, wanted, strict=True)
    ]


def _ephemeral(server: Server, exposure: Exposure) -> Exposure | None:
    """Give the part of an exposure of an instance on which tasks may start, if any."""
    platform = server.platform if isinstance(server.platform, str) else ""
    low, high = _EPHEMERAL["windows" if "windows" in platform.lower() else "linux"]
    low, high = max(low, exposure.from_port), min(high, exposure.to_port)
    return replace(exposure, from_port=low, to_port=high) if low <= high and server.kind == "instance" else None


def _read(inquiry: Inquiry, place: Place, findings: Sequence[Finding], servers: Sequence[Server]) -> Yard:
    """Read what the findings of a place lean on; of all its servers, so that what has been asked is not asked again."""
    hosts = tasks.on_instances(inquiry, place, {finding.server.id for finding in findings})
    instances = {server.id for server in servers if server.kind == "instance"}
    found, unread = interfaces.of_instances(inquiry, place, instances)
    named = any(exposure.load_balancer is not UNSET for finding in findings for exposure in finding.exposures)
    balancers = load_balancers.read(inquiry, place) if named else Balancers((), None)
    wanted = named or any(binding.target_groups for host in hosts.values() for binding in host.bindings)
    groups = targets.read(inquiry, place) if wanted else TargetGroups(inquiry, place, (), None)
    known = {name: load_balancers.target(name, found.get(name, []), unread.get(name)) for name in instances}
    return Yard(inquiry, place, hosts, groups, balancers, known)


def _explained(finding: Finding, yard: Yard) -> Finding:
    """Put into a finding what has bound its ports, and what of them its load balancers send to."""
    notes: list[str] = []
    host = yard.hosts.get(finding.server.id, Host((), ()))
    server = yard.servers[finding.server.id]
    sent = {balancer: _sent(yard, balancer, server, notes) for balancer in _in_front(finding, yard, notes)}
    registered = {one for each in sent.values() if each is not None for one in each}
    registered |= _registered_by_services(yard, host, server, notes)
    exposures = tuple(dict.fromkeys(part for one in finding.exposures for part in _narrowed(finding.server, one, sent)))
    listeners = tuple(dict.fromkeys(_listeners(finding, host, registered)))
    explained = replace(finding, exposures=exposures, listeners=listeners)
    return noted(explained, [*notes, *_sentences(explained, yard, sent)])


def _in_front(finding: Finding, yard: Yard, notes: list[str]) -> Iterator[Balancer]:
    """Give the load balancers through which somebody is known to reach a finding's ports."""
    names = dict.fromkeys(one.load_balancer for one in finding.exposures if UNKNOWN not in one.sources)
    for name in (name for name in names if isinstance(name, str)):
        balancer = yard.balancers.named(name)
        if balancer is not None and balancer.arn and balancer.groups:
            yield balancer
        else:
            problem = yard.balancers.problem or f"{name} is no load balancer with target groups and security groups"
            notes.append(f"{problem}: to which ports {name} sends is unknown")


def _sent(yard: Yard, balancer: Balancer, server: Target, notes: list[str]) -> set[Registered] | None:
    """Give the ports of a server to which a load balancer sends; null if that cannot be told."""
    groups, problems = yard.groups.behind(balancer.arn)
    found: set[Registered] = set()
    for group in groups:
        known, unread = yard.groups.ports(group, server)
        found |= _registered(group, known, balancer.name)
        problems += unread
    notes.extend(f"{problem}: to which ports {balancer.name} sends is unknown" for problem in problems)
    return None if problems else found


def _registered_by_services(yard: Yard, host: Host, server: Target, notes: list[str]) -> set[Registered]:
    """Give the ports of a server that the services of its tasks have registered."""
    found: set[Registered] = set()
    problems = [yard.groups.problem] if yard.groups.problem else []
    for group in yard.groups.named(arn for binding in host.bindings for arn in binding.target_groups):
        known, unread = yard.groups.ports(group, server)
        names: list[str | None] = [load_balancers.name_in(arn) for arn in group.balancers]
        found |= {one for name in names or [None] for one in _registered(group, known, name)}
        problems += unread
    notes.extend(f"{problem}: where the ports of {server.id} are registered is unknown" for problem in problems)
    return found


def _registered(group: TargetGroup, known: Iterable[int], balancer: str | None) -> set[Registered]:
    return {Registered(protocol, port, group.name, balancer) for protocol in group.protocols for port in known}


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


def _narrowed(server: Server, exposure: Exposure, sent: dict[Balancer, set[Registered] | None]) -> Iterator[Exposure]:
    """Tell the high ports of an exposure to which its load balancer sends from those that it merely may reach."""
    balancer = next((one for one in sent if one.name == exposure.load_balancer), None)
    registered = sent[balancer] if balancer is not None else None
    part = _ephemeral(server, exposure)
    if balancer is None or registered is None or part is None or UNKNOWN in exposure.sources:
        yield exposure
        return
    rest = unopened(part, [(one.port, one.port) for one in registered if _holds(part, one.protocol, one.port)])
    for low, high in unopened(exposure, rest):
        yield replace(exposure, from_port=low, to_port=high)
    for low, high in rest:
        yield replace(
            part, from_port=low, to_port=high, sources=balancer.groups, security_group=None, rules=(), rule_opens=UNSET
        )


def _sentences(finding: Finding, yard: Yard, sent: dict[Balancer, set[Registered] | None]) -> Iterator[str]:
    """Say what has been found, and what has not."""
    server, host = finding.server, yard.hosts.get(finding.server.id)
    if host is None:
        yield f"{server.id} is no container instance of {server.account} {server.region}"
    elif host.problems:
        yield from (f"{problem}: which task has bound a port of {server.id} is unknown" for problem in host.problems)
    else:
        yield f"tasks of {server.id} read at {clock(yard.inquiry.at)}"
    bound: dict[tuple[str, int], list[Listener]] = {}
    for listener in sorted(finding.listeners, key=lambda one: (one.protocol, one.port)):
        bound.setdefault((listener.protocol, listener.port), []).append(listener)
    for balancer, registered in sent.items():
        known = sorted({(one.protocol, one.port) for one in registered or ()})
        spelled = (f"{protocol} {port} ({_tasks(bound.get((protocol, port), ()))})" for protocol, port in known)
        if registered is not None:
            yield f"{balancer.name} sends to {some(spelled) or 'no port'} of {server.id}"
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
