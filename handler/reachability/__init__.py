"""Who can reach what is exposed: AWS is read once into a snapshot, of which pure functions make paths and exposures.

`reading` asks AWS, `snapshot` holds what it told, `index` says which listener leads to which port, `paths` follows the
packets, `exposures` and `notes` say what that means for a finding.
"""

from collections.abc import Sequence

from handler.finding import Finding
from handler.lookup.inquiry import Inquiry
from handler.lookup.notes import clock
from handler.reachability import exposures, reading
from handler.reachability.index import Index


def look_up(findings: Sequence[Finding], inquiry: Inquiry) -> list[Finding]:
    """Look up the sources of every exposure that has unknown ones, and the rules of those whose sources are known."""
    index = Index(reading.read(inquiry, findings))
    return [exposures.judged(finding, index, clock(inquiry.began)) for finding in findings]
