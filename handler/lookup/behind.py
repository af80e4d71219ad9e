"""Who is behind a security group: the instances, each of which becomes a finding, and whatever else is in it."""

from msgspec.structs import replace

from handler.finding import Finding, Server, identity
from handler.lookup import interfaces
from handler.lookup.inquiry import Inquiry, Place, Read, place_of
from handler.lookup.interfaces import Interface
from handler.lookup.notes import noted, some


def look_up(findings: list[Finding], inquiry: Inquiry) -> list[list[Finding]]:
    """Give for a finding of a group those of its instances, and itself unless all that is in it are instances.

    Findings of instances are given back as they are.
    """
    groups: dict[Place, list[str]] = {}
    for finding in findings:
        if finding.server.kind == "security_group":
            groups.setdefault(place_of(finding.server), []).append(finding.server.id)
    read = {place: interfaces.of_groups(inquiry, place, ids) for place, ids in groups.items()}
    return [
        [finding] if finding.server.kind == "instance" else _expanded(finding, read[place_of(finding.server)])
        for finding in findings
    ]


def _expanded(finding: Finding, members: Read[list[Interface]]) -> list[Finding]:
    """Give the findings that one of a group becomes."""
    group = finding.server.id
    attached = members.get(group) or []
    by_instance: dict[str, list[Interface]] = {}
    for interface in attached:
        if interface.instance:
            by_instance.setdefault(interface.instance, []).append(interface)
    shared = f"{group} is on {len(attached)} network interface{'' if len(attached) == 1 else 's'}"
    instances = [_instance(finding, name, own, shared) for name, own in by_instance.items()]
    others = [interface.owner for interface in attached if not interface.instance]
    if group in members.unread:
        return [*instances, noted(finding, [f"{members.unread[group]}: what else is behind {group} is unknown"])]
    if others:
        return [*instances, noted(finding, [f"{shared}, and not only of instances: {some(others)}"])]
    return instances or [noted(finding, [f"nothing is in {group} now: whatever joins it is exposed"])]


def _instance(finding: Finding, name: str, own: list[Interface], shared: str) -> Finding:
    """Give the finding of an instance that is in a group: the same ports, on each of its interfaces there."""
    server = Server(
        kind="instance",
        id=name,
        tags={},
        tags_known=False,
        account=finding.server.account,
        region=finding.server.region,
        security_groups=tuple(dict.fromkeys(group for interface in own for group in interface.groups)),
    )
    first = own[0]
    server = replace(
        server, **{key: value for key, value in (("vpc", first.vpc), ("subnet", first.subnet)) if value is not None}
    )
    exposures = tuple(replace(exposure, interface=interface.id) for interface in own for exposure in finding.exposures)
    ports: set[tuple[str, int, int]] = {(one.protocol, one.from_port, one.to_port) for one in exposures}
    own_finding = replace(finding, id=identity(server, finding.reach, ports), server=server, exposures=exposures)
    return noted(own_finding, [f"reported of {finding.server.id}; {shared}"])
