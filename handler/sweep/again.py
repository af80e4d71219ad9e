"""Judges what is remembered as open again: each report as it was before the look-ups, as of now."""

from collections.abc import Collection, Iterator, Mapping

from msgspec.structs import replace

from handler.finding import Finding
from handler.invocation import Gate, judge_again
from handler.lookup import LookUp
from handler.memory.observing import digest
from handler.memory.state import Claim, Server
from handler.memory.store import Key, Table
from handler.sweep.clock import Clock
from handler.sweep.summary import Summary
from handler.sweep.teller import Teller

_MISSING = "a report of what is open is not in the table, so that it could not be judged again: it stays as it was"


class Again:
    """Judges the servers of one place after the other again, in batches."""

    def __init__(  # noqa: PLR0913, PLR0917  what judging and telling take
        self, table: Table, gate: Gate, look_up: LookUp | None, teller: Teller, clock: Clock, summary: Summary
    ) -> None:
        self._table = table
        self._gate = gate
        self._look_up = look_up
        self._teller = teller
        self._clock = clock
        self._summary = summary

    def judge(self, place: str, after: str, judged: Collection[str] = ()) -> Iterator[str]:
        """Judge what is open in a place (`ACCOUNT#REGION`), but for the reports that were `judged` in this sweep.

        Gives after each batch the sort key of its last server.
        """
        for servers in self._table.servers(place, after, self._clock.at):
            reports = self._reports(place, servers, judged)
            if reports:
                self._summary.judged += len(reports)
                judged_now = judge_again(
                    reports.items(),
                    self._clock.at,
                    self._gate,
                    deadline=self._clock.judge_until,
                    look_up=self._look_up,
                )
                self._teller.add(judged_now, again=True)
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
        rows = self._table.read([_key(place, name) for _, name, _ in claims], self._clock.at)
        reports: dict[str, Finding] = {}
        for server, name, claim in claims:
            report = rows[_key(place, name)].item
            if isinstance(report, Finding):
                reports[name] = _as_known(report, claim)
            elif claim.reported == server.key:
                self._summary.problems[_MISSING] += 1
        return reports


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
