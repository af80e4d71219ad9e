"""What it means that a scanner lists a report no more. Pure: absence needs evidence, and what has none closes nothing.

A complete listing that does not hold a report marks it with the start of that listing; a second one, begun later,
closes it, if the scanner is on and has looked at the resource meanwhile. Whatever is said of it clears the mark.
"""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Literal

from msgspec import Struct

from handler.memory.state import Claim, later

Verdict = Literal["stays", "listed", "marked", "closed", "unconfirmed"]

_SETTLING = timedelta(days=2)
"""After Security Hub or a control was switched on, until everything was judged again: that takes up to a day."""


class Covered(Struct, frozen=True):
    """What Inspector says of a resource: whether it scans it, else why not, and when it did so last."""

    active: bool
    reason: str = ""
    scanned: str | None = None

    @property
    def is_gone(self) -> bool:
        """Whether there is nothing to be scanned any more."""
        return not self.active and self.reason == "RESOURCE_TERMINATED"

    @property
    def is_unscanned(self) -> bool:
        """Whether it is there and not scanned, so that nothing that Inspector says of it is evidence."""
        return not self.active and not self.is_gone

    def is_scanned_since(self, at: str) -> bool:
        """Return whether it was scanned after a time, or at all where Inspector does not say when."""
        return self.active and (self.reason == "SUCCESSFUL" if self.scanned is None else self.scanned > at)


class Listing(Struct, frozen=True, kw_only=True):
    """What a scanner has listed of an account and Region: a listing begun at `start`, which held some claims.

    `where` names scanner, account and Region for people. `complete` is whether it was read to its end. `enabled` is
    whether the scanner says that it is on, `off` whether it says that it is not, `since` when it was switched on, where
    it says so. `coverage` has by resource what it scans, nothing where that could not be read. `controls` are those of
    Security Hub of which it held a finding that is not archived, so that they are on, with the date of the oldest.
    """

    scanner: str
    start: str
    where: str = ""
    held: Collection[str] = frozenset()
    complete: bool = False
    enabled: bool = False
    off: bool = False
    since: str | None = None
    coverage: Mapping[str, Covered] | None = None
    controls: Mapping[str, str] = {}

    @property
    def is_evidence(self) -> bool:
        """Whether what it does not hold may be gone: an empty one is none, since scanners list for days what closed."""
        return self.complete and self.enabled and bool(self.held)

    def lacks_all(self, claim: Claim) -> bool:
        """Return whether it holds nothing at all, though a claim of its scanner was open before it began."""
        is_empty = self.complete and self.enabled and not self.held
        return is_empty and claim.unconfirmed is None and _seen(claim) < self.start


def scanner_of(claim: Claim) -> str:
    """Return the reporter whose listing holds a claim: Inspector's own for its findings, whoever passes them on."""
    return "inspector2" if ":inspector2:" in claim.report else claim.reporter


def control_of(report: str) -> str:
    """Return what the ARNs of a control's findings begin with in an account and Region; empty for any other report."""
    return report.rpartition("/finding/")[0] if ":securityhub:" in report else ""


def verdict(  # noqa: PLR0913  what there is to know of a claim
    name: str, claim: Claim, resource: str, listings: Mapping[str, Listing], *, at: str, untold: timedelta | None
) -> Verdict:
    """Return what becomes of a claim that is open on a resource, by the listings of its account and Region.

    `untold` is for how long it may be neither listed nor told.
    """
    if any(name in listing.held for listing in listings.values()):
        return "listed" if claim.unlisted is not None else "stays"
    seen = _seen(claim)
    listing = listings.get(scanner_of(claim))
    if listing is not None and listing.is_evidence and seen < listing.start:
        if claim.unlisted is None:
            return "marked"
        if claim.unlisted < listing.start:
            found = _absent(claim, claim.unlisted, resource, listing)
            if found == "closed" or (found == "unconfirmed" and claim.unconfirmed is None):
                return found
    is_old = untold is not None and later(at, -untold) >= seen and claim.unconfirmed is None
    return "unconfirmed" if is_old and (listing is None or listing.complete) else "stays"


def _seen(claim: Claim) -> str:
    """Return when a claim was last known to be open."""
    return max(claim.since, claim.observed or "")


def _absent(claim: Claim, marked: str, resource: str, listing: Listing) -> Verdict:
    """Return what becomes of a claim that two complete listings did not hold, the first begun when it was marked."""
    if listing.scanner != "inspector2":
        oldest = listing.controls.get(control_of(claim.report))
        if oldest is None:
            return "unconfirmed"  # of a control that is off, or another product's: Security Hub drops these in the end
        is_settled = listing.since is not None and later(max(listing.since, oldest), _SETTLING) <= listing.start
        return "closed" if is_settled else "stays"
    if listing.coverage is None:
        return "stays"
    covered = listing.coverage.get(resource)
    if covered is not None and covered.is_unscanned:
        return "unconfirmed"
    if covered is None or covered.is_gone:
        scanned = any(other.is_scanned_since(marked) for other in listing.coverage.values())
        return "closed" if scanned else "stays"
    return "closed" if covered.is_scanned_since(marked) else "stays"
