"""Who can reach what is exposed: AWS is read once into a snapshot, of which pure functions make paths and exposures.

`reading` asks AWS, `snapshot` holds what it told, `index` says which listener leads to which port, `paths` follows the
packets, `exposures` and `notes` say what that means for a finding.
"""

from handler.finding import Finding
from handler.lookup.inquiry import Inquiry, Place, place_of
from handler.lookup.notes import clock
from handler.reachability import exposures, reading
from handler.reachability.index import Index


def look_up(findings: list[Finding], inquiry: Inquiry) -> list[Finding]:
    """Look up the sources of every exposure that has unknown ones, and the rules of those whose sources are known."""
    places: dict[Place, list[Finding]] = {}
    for finding in findings:
        places.setdefault(place_of(finding.server), []).append(finding)
    known = {place: Index(reading.read(inquiry, place, own)) for place, own in places.items()}
    return [exposures.judged(finding, known[place_of(finding.server)], clock(inquiry.at)) for finding in findings]
