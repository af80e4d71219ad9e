"""Who is behind a security group: the instances, each of which becomes a finding, and whatever else is in it."""

from collections.abc import Sequence

from msgspec import UNSET
from msgspec.structs import replace

from handler.finding import Finding, Server, identity
from handler.lookup import interfaces
from handler.lookup.inquiry import Inquiry, Read, grouped
from handler.lookup.interfaces import Interface
from handler.lookup.notes import listed, noted


def look_up(findings: Sequence[Finding], inquiry: Inquiry) -> list[list[Finding]]:
    """Return for a finding of a group those of its instances, and itself unless all that is in it are instances.

    Findings of instances are given back as they are.
    """
    groups = {finding.server.id for finding in findings if finding.server.kind == "security_group"}
    members = interfaces.of_groups(inquiry, groups)
    return [
        _expanded(finding, members) if finding.server.kind == "security_group" else [finding] for finding in findings
    ]


def _expanded(finding: Finding, members: Read[list[Interface]]) -> list[Finding]:
    """Return the findings that a finding of a group becomes."""
    group = finding.server.id
    attached = members.get(group) or []
    by_instance = grouped((interface.instance, interface) for interface in attached if interface.instance)
    shared = f"{group} is on {len(attached)} network interface{'' if len(attached) == 1 else 's'}"
    instances = [_instance(finding, instance, on, shared) for instance, on in by_instance.items()]
    others = [interface.owner for interface in attached if not interface.instance]
    if group in members.unread:
        return [*instances, noted(finding, [f"{members.unread[group]}: what else is behind {group} is unknown"])]
    if others:
        return [*instances, noted(finding, [f"{shared}, and not only of instances: {listed(others)}"])]
    return instances or [noted(finding, [f"nothing is in {group} now: whatever joins it is exposed"])]


def _instance(finding: Finding, instance: str, attached: list[Interface], shared: str) -> Finding:
    """Return the finding of an instance that is in a group: the same ports, on each of its interfaces there."""
    server = Server(
        kind="instance",
        id=instance,
        tags={},
        tags_known=False,
        account=finding.server.account,
        region=finding.server.region,
        security_groups=tuple(dict.fromkeys(group for interface in attached for group in interface.groups)),
        vpc=attached[0].vpc or UNSET,
        subnet=attached[0].subnet or UNSET,
    )
    exposures = tuple(
        replace(exposure, interface=interface.id) for interface in attached for exposure in finding.exposures
    )
    ports: set[tuple[str, int, int]] = {(each.protocol, each.from_port, each.to_port) for each in exposures}
    expanded = replace(finding, id=identity(server, finding.reach, ports), server=server, exposures=exposures)
    return noted(expanded, [f"reported of {finding.server.id}; {shared}"])
