"""Judges what is remembered as open again: each report as it was before the look-ups, as of now."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from handler import finding
from handler.finding import Closed, Finding, Reporter
from handler.invocation import Judged, judge_again
from handler.memory.observing import digest
from handler.memory.state import Claim, Server
from handler.memory.store import Key
from handler.outcome import Outcome
from handler.sweep.absence import Listing, Verdict, scanner_of, verdict
from handler.sweep.listing import Listed
from handler.sweep.teller import Teller

_MISSING = "a report of what is open is not in the table, so that it could not be judged again: it stays as it was"


class Again:
    """Judges the servers of one place after the other again, in batches."""

    def __init__(self, teller: Teller) -> None:
        days = teller.means.settings.sweep_untold_days
        self._untold = timedelta(days=days) if days else None
        self._table = teller.means.memory.table
        self._teller = teller

    def judge(self, place: str, after: str, listed: Listed | None) -> Iterator[str]:
        """Judge what is open in a place (`ACCOUNT#REGION`), but for what was judged as listed, and look for the absent.

        Without a listing, where an earlier invocation has listed the place, nothing is known to be absent. Gives after
        each batch the sort key of its last server.
        """
        means, clock = self._teller.means, self._teller.clock
        for servers in self._table.servers(place, after, clock.at):
            reports = self._reports(place, servers, listed.judged if listed else ())
            if reports:
                self._teller.summary.judged += len(reports)
                judged = judge_again(
                    reports.items(), clock.at, means.gate, deadline=clock.judge_until, look_up=means.look_up
                )
                self._teller.add(judged, again=True)
            if listed is not None:
                self._look_for(servers, listed.listings)
            self._teller.settle({key: server for key, server in servers.items() if _is_owed(server, reports)})
            yield max((key[1] for key in servers), default=after)

    def _reports(self, place: str, servers: Mapping[Key, Server], judged: Collection[str]) -> dict[str, Finding]:
        """Read the reports of what is open, each with the newest date that is known of it."""
        claims = [
            (server, name, claim)
            for server in servers.values()
            for name, claim in server.claims.items()
            if claim.open and name not in judged
        ]
        rows = self._table.read([_key(place, name) for _, name, _ in claims], self._teller.clock.at)
        reports: dict[str, Finding] = {}
        for server, name, claim in claims:
            report = rows[_key(place, name)].item
            if isinstance(report, Finding):
                reports[name] = _as_known(report, claim)
            elif claim.reported == server.key:
                self._teller.summary.problems[_MISSING] += 1
        return reports

    def _look_for(self, servers: Mapping[Key, Server], listings: Mapping[str, Listing]) -> None:
        """Mark, unmark or close what is listed no more, and mark as unconfirmed what nobody tells any more."""
        verdicts = {key: self._verdicts(server, listings) for key, server in servers.items()}
        changed = [key for key, by_claim in verdicts.items() if {*by_claim.values()} - {"stays", "closed"}]
        for key, row in self._table.read(changed, self._teller.clock.at).items():
            self._table.update(key, row, self._teller.clock.at, partial(self._marked, listings=listings))
        counts = Counter(found for by_claim in verdicts.values() for found in by_claim.values())
        self._teller.summary.marked += counts["marked"] + counts["closed"]
        self._teller.summary.absent += counts["closed"]
        self._teller.summary.unconfirmed += counts["unconfirmed"]
        for server in servers.values():
            for claim in server.open:
                listing = listings.get(scanner_of(claim))
                if listing is not None and listing.lacks_all(claim):
                    self._teller.summary.problems[f"{listing.where} lists nothing, so that nothing of it closes"] = 1
        closed = [
            _closing(server, name)
            for key, server in servers.items()
            for name, found in verdicts[key].items()
            if found == "closed"
        ]
        if closed:
            self._teller.add(Judged(outcomes=tuple(closed), failures={}))

    def _verdicts(self, server: Server, listings: Mapping[str, Listing]) -> dict[str, Verdict]:
        return {
            name: verdict(name, claim, server.id, listings, at=self._teller.clock.at, untold=self._untold)
            for name, claim in server.claims.items()
            if claim.open
        }

    def _marked(self, server: Server | None, listings: Mapping[str, Listing]) -> Server | None:
        """Return a server with the marks that its claims get and lose."""
        if server is None:
            return None
        claims = dict(server.claims)
        for name, found in self._verdicts(server, listings).items():
            claim = claims[name]
            match found:
                case "marked":
                    claims[name] = replace(claim, unlisted=listings[scanner_of(claim)].start)
                case "listed":
                    claims[name] = replace(claim, unlisted=None)
                case "unconfirmed":
                    claims[name] = replace(claim, unconfirmed=self._teller.clock.at)
        return replace(server, claims=claims)


def _closing(server: Server, name: str) -> Outcome:
    """Say that a report of a server has closed because it is listed no more."""
    claim = server.claims[name]
    known: dict[str, Any] = {"kind": server.kind, "id": server.id, "account": server.account, "region": server.region}
    report = Closed(
        id=f"listed no more: {name}",
        reporter=Reporter(name=claim.reporter, id=claim.report),
        server=finding.Server(**known, tags={}, tags_known=False),
        unlisted=claim.unlisted or UNSET,
    )
    return Outcome(records=(name,), report=report, reports=(name,))


def _key(place: str, claim: str) -> Key:
    return place, f"report#{digest(claim)}"


def _as_known(report: Finding, claim: Claim) -> Finding:
    """Return a report with the newest date that is known of it. Nobody waits for the answer any more."""
    first, *others = (replace(reporter, asked=False) for reporter in report.reporters)
    return replace(report, reporters=(replace(first, updated_at=claim.observed), *others))


def _is_owed(server: Server, reports: Collection[str]) -> bool:
    """Return whether something of a server is to be told that judging its reports again does not tell."""
    return not server.claims.keys() & reports and bool(
        server.pending or server.overdue or (server.told and not server.open)
    )
