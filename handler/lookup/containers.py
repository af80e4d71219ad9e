"""Container ports: which task has bound a high port of a server, and in which target groups its service registers it.

Who reaches it, around a load balancer or through it, stands in the exposures already.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from handler.finding import Exposure, Finding, Listener, Server
from handler.lookup import load_balancers, tasks
from handler.lookup.inquiry import Inquiry, Read, grouped
from handler.lookup.load_balancers import TargetGroup
from handler.lookup.notes import clock, listed, noted
from handler.lookup.spans import Span, span_of
from handler.lookup.tasks import Binding, Host

_EPHEMERAL: dict[str, tuple[int, int]] = msgspec.json.decode(
    Path(__file__).with_name("ephemeral_ports.json").read_bytes(), type=dict[str, tuple[int, int]]
)
"""Where a container's port may be when its task definition names none, by platform.

On Linux that is net.ipv4.ip_local_port_range, of which 32768-60999 is the kernel's own, and 49153-65535 where ECS
cannot read it (Amazon ECS API reference, `PortMapping.hostPort`).
"""


def look_up(findings: Sequence[Finding], inquiry: Inquiry) -> list[Finding]:
    """Explain the high ports of instances that have any."""
    exposed = [(finding.server, exposure) for finding in findings for exposure in finding.exposures]
    high = {server.id for server, exposure in exposed if _ephemeral(server, exposure)}
    hosts = tasks.on_instances(inquiry, high) if high else {}
    registered = any(binding.target_groups for host in hosts.values() for binding in host.bindings)
    groups: Read[TargetGroup] = load_balancers.target_groups(inquiry) if registered else Read()
    at = clock(inquiry.began)
    return [
        _explained(finding, hosts.get(finding.server.id), groups, at) if finding.server.id in high else finding
        for finding in findings
    ]


def _ephemeral(server: Server, exposure: Exposure) -> Span | None:
    """Return the ports of an exposure of an instance on which tasks may start, if any."""
    platform = server.platform if isinstance(server.platform, str) else ""
    low, high = _EPHEMERAL["windows" if "windows" in platform.lower() else "linux"]
    return span_of(exposure).shared(low, high) if server.kind == "instance" else None


def _explained(finding: Finding, host: Host | None, groups: Read[TargetGroup], at: str) -> Finding:
    """Put into a finding what has bound its ports, and where these are registered."""
    server = finding.server
    notes = [f"tasks of {server.id} read at {at}"]
    if host is None:
        notes = [f"{server.id} is no container instance of {server.account} {server.region}"]
    elif host.problem:
        notes = [f"{host.problem}: which task has bound a port of {server.id} is unknown"]
    if problem := groups.problem():
        notes.append(f"{problem}: where the ports of {server.id} are registered is unknown")
    bound = [listener for binding in (host.bindings if host else ()) for listener in _listeners(binding, groups)]
    exposed = [each for each in bound if any(_holds(span_of(exposure), each) for exposure in finding.exposures)]
    explained = replace(finding, listeners=tuple(dict.fromkeys(exposed)))
    return noted(explained, [*notes, *_around(explained)])


def _listeners(binding: Binding, groups: Read[TargetGroup]) -> Iterator[Listener]:
    """Yield the ports that a task has bound, once for each load balancer behind which its service registers them."""
    registered = [group for arn in binding.target_groups if (group := groups.get(arn))]
    places: list[tuple[str | None, str | None]] = [
        (group.name, load_balancers.name_in(balancer) or None)
        for group in registered
        for balancer in group.balancers or ("",)
        if binding.protocol in group.protocols
    ]
    for port in range(binding.from_port, binding.to_port + 1):
        for name, balancer in places or [(None, None)]:
            yield Listener(
                protocol=binding.protocol, port=port, task=binding.task, target_group=name, load_balancer=balancer
            )


def _holds(span: Span, listener: Listener) -> bool:
    return span.protocol == listener.protocol and span.low <= listener.port <= span.high


def _around(finding: Finding) -> Iterator[str]:
    """Say who has bound the high ports that are open to addresses without a load balancer between."""
    direct = [exposure for exposure in finding.exposures if exposure.load_balancer is UNSET]
    by_span = grouped((span, each) for each in direct if (span := _ephemeral(finding.server, each)))
    for span, exposures in by_span.items():
        sources = [source for each in exposures for source in each.sources if not source.startswith("sg-")]
        bound = [listener for listener in finding.listeners if _holds(span, listener)]
        binders = listed(f"{listener.task} ({listener.port})" for listener in bound) or "nobody known"
        passed = listed(listener.load_balancer for listener in bound if listener.load_balancer)
        if sources:
            bypass = f", past load balancer {passed}" if passed else ""
            yield f"{span} open to {listed(sources)}: bound by {binders}{bypass}"
