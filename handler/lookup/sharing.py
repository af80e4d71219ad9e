"""On how many network interfaces a security group is: who revokes a rule of it closes that for all of them.

Nothing is judged by that number. So a group that AWS does not let us count in full has none, and no note says why. Nor
has a group that is on no interface at all: it lets somebody in, so it belongs to another account, or the answer lags.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from handler.finding import Exposure, Finding
from handler.lookup import interfaces
from handler.lookup.inquiry import Inquiry


def look_up(findings: Sequence[Finding], inquiry: Inquiry) -> list[Finding]:
    """Count the interfaces of every group of which an exposure names rules, in as few calls as can be."""
    named = {exposure.security_group for finding in findings for exposure in finding.exposures if exposure.rules}
    members = interfaces.of_groups(inquiry, set(filter(None, named)))
    counts = {group: len(on) for group, on in members.items.items() if group not in members.unread}
    return [
        replace(finding, exposures=tuple(_counted(exposure, counts) for exposure in finding.exposures))
        for finding in findings
    ]


def _counted(exposure: Exposure, counts: dict[str, int]) -> Exposure:
    count = counts.get(exposure.security_group or "")
    return replace(exposure, group_interfaces=count) if count and exposure.rules else exposure
