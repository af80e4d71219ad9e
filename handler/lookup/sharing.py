"""On how many network interfaces a security group is: who revokes a rule of it closes that for all of them.

Nothing is judged by that number. So a group that AWS does not let us count in full has none, and no note says why. Nor
has a group that is on no interface at all: it lets somebody in, so it belongs to another account, or the answer lags.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from handler.finding import Finding
from handler.lookup import interfaces
from handler.lookup.inquiry import Inquiry, Place, place_of


def look_up(findings: list[Finding], inquiry: Inquiry) -> list[Finding]:
    """Count the interfaces of every group of which an exposure names rules, in as few calls as can be."""
    groups: dict[Place, set[str]] = {}
    for finding in findings:
        named = {one.security_group for one in finding.exposures if one.security_group and one.rules}
        groups.setdefault(place_of(finding.server), set()).update(named)
    counts = {place: _count(inquiry, place, named) for place, named in groups.items()}
    return [_counted(finding, counts[place_of(finding.server)]) for finding in findings]


def _count(inquiry: Inquiry, place: Place, groups: Iterable[str]) -> dict[str, int]:
    members = interfaces.of_groups(inquiry, place, groups)
    return {group: len(on) for group, on in members.items.items() if group in groups and group not in members.unread}


def _counted(finding: Finding, counts: dict[str, int]) -> Finding:
    exposures = tuple(
        replace(one, group_interfaces=counts[one.security_group]) if one.rules and one.security_group in counts else one
        for one in finding.exposures
    )
    return replace(finding, exposures=exposures)
