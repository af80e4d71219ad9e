"""Lists what the scanners say of an account and Region, has it judged page by page, and says what it could not see."""

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from handler import aws
from handler.errors import PortcullisError
from handler.events import Record
from handler.fetching import FAILURES, spelled
from handler.finding import Closed
from handler.invocation import Judged, judge_slices
from handler.memory.observing import claim_of
from handler.outcome import Outcome
from handler.sweep.absence import Listing
from handler.sweep.noticing import of_coverage, of_status, of_suppressed
from handler.sweep.scanners import SCANNERS, Scanner
from handler.sweep.teller import Teller
from handler.sweep.unused import allowing

_FAILURES = (*FAILURES, PortcullisError, KeyError, TypeError)
"""What a call may raise, and what reading an answer of another form may."""


class Listed(Struct):
    """What was listed of a place: the listings by reporter, and the claims that were judged by them."""

    listings: dict[str, Listing] = {}
    judged: set[str] = set()


class Lister:
    """Lists one place after the other."""

    def __init__(self, teller: Teller) -> None:
        settings = teller.means.settings
        self._names = [name for name in settings.sweep_scanners.split(",") if name]
        role = settings.look_up_role_name
        self._accounts = aws.Accounts(role, settings.look_up_external_id, config=aws.LISTINGS) if role else None
        self._teller = teller

    def look_at(self, place: str) -> Listed:
        """List a place (`ACCOUNT#REGION`), have each page judged and told, and say what could not be seen."""
        account, _, region = place.partition("#")
        listed = Listed()
        for name in self._names:
            scanner, where = SCANNERS[name], f"{name} in {account} {region}"
            listing = Listing(scanner=scanner.reporter, start=self._teller.clock.at, where=where)
            try:
                client = self._client(scanner.service, account, region)
            except _FAILURES as error:
                self._unseen(f"{where} was not listed", error)
            else:
                listing = self._with_status(listing, scanner, client, account, where)
                listing = self._with_findings(listing, scanner.pages(client, account, region), where, listed)
            listed.listings[scanner.reporter] = listing
            self._teller.summary.unseen += not (listing.complete or listing.off)
        return listed

    def _client(self, service: str, account: str, region: str) -> Any:
        """Return a client in the account by its role; without one, that of the administrator who sees all accounts."""
        if self._accounts is None:
            return aws.lister(service, region)
        self._accounts.deadline = self._teller.clock.judge_until
        return self._accounts.client(service, account, region)

    def _with_status(self, listing: Listing, scanner: Scanner, client: Any, account: str, where: str) -> Listing:
        """Ask whether a scanner is on, and what it scans."""
        try:
            status = scanner.status(client, account)
        except _FAILURES as error:
            self._unseen(f"{where} did not say whether it is on, so that nothing closes", error)
            return listing
        if not status.enabled:
            self._unseen(f"{where} is {status.state}, so that nothing closes")
            self._teller.notice(of_status(account, where, status.state))
            return replace(listing, off=True)
        coverage = None
        try:
            coverage = scanner.coverage(client, account) if scanner.coverage is not None else None
        except _FAILURES as error:
            self._unseen(f"{where} did not say what it scans, so that nothing closes that is listed no more", error)
        self._teller.notice(of_coverage(account, where, coverage or {}))
        return replace(listing, enabled=True, since=status.since, coverage=coverage)

    def _with_findings(self, listing: Listing, pages: Iterable[list[Any]], where: str, listed: Listed) -> Listing:
        """Judge the pages of a listing; it is complete where the last of them was read."""
        scanner = next(scanner for scanner in SCANNERS.values() if scanner.reporter == listing.scanner)
        held: set[str] = set()
        controls: dict[str, str] = {}
        number = 0
        try:
            for number, findings in enumerate(pages, 1):
                held |= {scanner.claim_of(finding) for finding in findings}
                for control, created in scanner.controls(findings).items():
                    controls[control] = min(created, controls.get(control, created))
                self._teller.summary.listed += len(findings)
                if findings:
                    listed.judged |= self._judge({scanner.key: findings}, f"{where}, page {number}", listing)
                if suppressed := [active for finding in findings if (active := scanner.active(finding)) is not None]:
                    self._notice_suppressed(suppressed, scanner, where)
                if self._teller.clock.is_over:
                    self._unseen(f"{where} was listed in part: no time was left for more than {number} pages")
                    return replace(listing, held=held)
        except _FAILURES as error:
            self._unseen(f"{where} was listed in part, {number} pages" if number else f"{where} was not listed", error)
            return replace(listing, held=held)
        return replace(listing, held=held, controls=controls, complete=True)

    def _judge(self, page: dict[str, Any], name: str, listing: Listing) -> set[str]:
        """Judge a page and have it told; return the claims that were judged."""
        judged: set[str] = set()
        for part in self._judged(page, name):
            outcomes = tuple(_checked(outcome, listing) for outcome in part.outcomes)
            self._teller.add(replace(part, outcomes=outcomes))
            judged |= {claim_of(report.reporters[0]) for outcome in outcomes for report in outcome.claims}
        return judged

    def _judged(self, page: dict[str, Any], name: str) -> Iterator[Judged]:
        means, clock = self._teller.means, self._teller.clock
        record = Record(id=name, event=page)
        return judge_slices(
            [record], clock.at, means.gate, aws.fetcher, deadline=clock.judge_until, look_up=means.look_up
        )

    def _notice_suppressed(self, findings: list[Any], scanner: Scanner, where: str) -> None:
        """Judge what is suppressed at the scanner as if it were not, and notice what of it is denied."""
        for part in self._judged({scanner.key: findings}, f"{where}, suppressed"):
            self._teller.notice(of_suppressed(part.outcomes, where, scanner.writers(findings)))
            self._teller.used |= allowing(part.outcomes)

    def _unseen(self, what: str, error: Exception | None = None) -> None:
        why = str(error) if isinstance(error, PortcullisError) else spelled(error) if error else ""
        self._teller.summary.problems[f"{what}: {why}" if why else what] += 1


def _checked(outcome: Outcome, listing: Listing) -> Outcome:
    """Return an outcome; what has closed is unconfirmed where the scanner is not on, or does not scan the server."""
    report = outcome.report
    if not isinstance(report, Closed):
        return outcome
    covered = (listing.coverage or {}).get(report.server.id)
    if listing.enabled and not (covered is not None and covered.is_unscanned):
        return outcome
    return replace(outcome, report=replace(report, confirmed=False))
