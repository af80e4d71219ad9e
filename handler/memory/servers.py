"""Compares one server with what is remembered of it, and writes what becomes of it: its item, reports and episodes."""

from datetime import timedelta

from msgspec import UNSET, Struct
from msgspec.structs import replace

from handler.errors import MemoryUnavailableError
from handler.memory import news
from handler.memory.claims import observe
from handler.memory.comparison import Compared, Entry, in_flight, uncompared, unmarked
from handler.memory.flapping import Rules, touch
from handler.memory.news import News
from handler.memory.observing import Observed, evidence_key, judged_here, narrowed
from handler.memory.parts import Part, read_since
from handler.memory.state import Episode, Pending, Server, later
from handler.memory.store import Key, Row, Table
from handler.memory.tags import remember_tags


class Terms(Struct, frozen=True, kw_only=True):
    """What the memory goes by: for how long it keeps what is closed and bears with look-ups that fail, and `Rules`.

    `observe` is whether nothing is told but the digest of the day, so that news stays news.
    """

    retention: timedelta = timedelta(days=90)
    patience: timedelta = timedelta(hours=3)
    remind: timedelta | None = None
    team_tag: str = "Team"
    rules: Rules = Rules()
    observe: bool = False


class Difference(Struct, frozen=True, kw_only=True):
    """What is observed of a server beside its row: the server as it was, as it is now, and what of that is news.

    `news` is before anything counts as told by its causes, and empty where the function only observes.
    """

    observed: Observed
    row: Row
    before: Server
    after: Server
    news: News


class Servers(Struct, frozen=True, kw_only=True):
    """The servers in the table, for one invocation: its `token`, its time, and the `deadline` of what it tells."""

    table: Table
    terms: Terms
    token: str
    at: str
    deadline: str

    def difference(self, observed: Observed, row: Row) -> Difference:
        """Compare a server with its row; see `Difference`."""
        before, after = self._after(observed, row.item)
        result = News(kind="observed") if self.terms.observe else self._news(observed, before, after, ())
        return Difference(observed=observed, row=row, before=before, after=after, news=result)

    def compare(self, key: Key, difference: Difference, counted: tuple[Part, ...] = ()) -> Compared:
        """Write a server with its news as pending. `counted` is what counts as told by its causes."""
        observed, result = difference.observed, difference.news

        def step(item: Server | None) -> Server | None:
            nonlocal result
            newest = difference if item is difference.row.item else self.difference(observed, Row(item=item))
            before, after, result = newest.before, news.count(newest.after, counted, self.at), newest.news
            changed = touch(before, after, self.at, self.terms.rules)
            if not self.terms.observe:
                result = self._news(observed, before, after, counted) if counted else result
                changed = news.announce(changed, result, self.at, self.token, self.deadline)
            return self._pruned(changed) if changed != before else item

        try:
            self._write_evidence(difference)
            server = self.table.update(key, difference.row, self.at, step, keep=self._keep)
        except MemoryUnavailableError as error:
            return uncompared(observed.outcomes, str(error))
        if server is None:
            return Compared()
        others = [pending for pending in server.pending if self._is_others(pending)]
        return Compared(
            entries=(self._entry(key, server, result, observed),) if result else (),
            given_back=dict.fromkeys(observed.records, in_flight(others[0])) if others else {},
        )

    def announce(self, entry: Entry, row: Row) -> None:
        """Remember what is about to be told of a server, as it was found."""

        def step(item: Server | None) -> Server:
            return news.announce(item or entry.server, entry.news, self.at, self.token, self.deadline)

        self.table.update(entry.key, row, self.at, step, keep=self._keep)

    def mark(self, entry: Entry, messages: tuple[str, ...], row: Row) -> str:
        """Remember that the news of a server was told; return what went wrong."""
        episode: Episode | None = None

        def step(item: Server | None) -> Server:
            nonlocal episode
            marked, episode = news.mark(item or entry.server, entry.news, self.token, self.at, messages)
            return self._pruned(marked)

        try:
            self.table.update(entry.key, row, self.at, step, keep=self._keep)
            if episode is not None:
                name = f"episode#{entry.key[1].removeprefix('server#')}#{episode.closed}#{self.token}"
                self.table.put((entry.key[0], name), episode, self.at, self.terms.retention)
        except MemoryUnavailableError as error:
            return unmarked(str(error))
        return ""

    def _news(self, observed: Observed, before: Server, after: Server, counted: tuple[Part, ...]) -> News:
        judged = judged_here(observed)
        result = news.compare(
            before, after, self.at, token=self.token, counted=counted, judged=judged, rules=self.terms.rules
        )
        since = after.untagged_since
        if result.kind == "no_longer_allowed" and since is not None and self.at >= later(since, self.terms.patience):
            return replace(result, kind="unread")
        return result

    def _after(self, observed: Observed, item: object) -> tuple[Server, Server]:
        """Return a server as it was, and as it is by what was observed."""
        reported = observed.server
        before = (
            item
            if isinstance(item, Server)
            else Server(kind=reported.kind, id=reported.id, account=reported.account, region=reported.region)
        )
        after = before
        for observation in observed.observations:
            after = observe(after, observation, self.at, self.terms.patience)
        for outcome in observed.outcomes:
            after = remember_tags(after, outcome.report, self.at)
        if after == before:
            after = before
        else:
            name = reported.name if reported.name is not UNSET else ""
            team = reported.tags.get(self.terms.team_tag, "").strip() if reported.tags_known else after.team
            after = replace(after, name=name or after.name, team=team)
        told = read_since(after.told, after.denied)
        return before, after if told == after.told else replace(after, told=told)

    def _is_others(self, pending: Pending) -> bool:
        return pending.token != self.token and pending.is_running(self.at)

    def _entry(self, key: Key, server: Server, result: News, observed: Observed) -> Entry:
        """Return what is to be told of a server, before what has closed has left its causes."""
        causes = {part.cause for part in result.opened}
        outcomes = [cut for outcome in observed.outcomes if (cut := narrowed(outcome, result.opened)) is not None]
        return Entry(
            key=key,
            at=self.at,
            server=server,
            news=result,
            outcomes=tuple(outcomes),
            records=observed.records,
            cause=causes.pop() if len(causes) == 1 else "",
        )

    def _write_evidence(self, difference: Difference) -> None:
        """Keep the reports that say something new, as they were before the look-ups; drop those that have closed.

        One that is older than what is known says nothing, so that it does not take the newer one's place.
        """
        after = difference.after.claims
        for name, report in difference.observed.evidence.items():
            known, claim = difference.before.claims.get(name), after[name]
            if claim.open and (known is None or known.evidence != claim.evidence):
                self.table.put(evidence_key(report.server, name), report, self.at)
        for name, known in difference.before.claims.items():
            if known.evidence and not after[name].open:
                self.table.delete(evidence_key(difference.observed.server, name))

    def _pruned(self, server: Server) -> Server:
        """Drop the closed claims that no late report can reopen any more, and the episodes that are too old."""
        claims = {
            name: claim
            for name, claim in server.claims.items()
            if claim.open or self.at < later(claim.since, self.terms.retention)
        }
        past = (episode for episode in server.past if self.at < later(episode.closed, self.terms.retention))
        return replace(server, claims=claims, past=tuple(past))

    def _keep(self, server: Server) -> timedelta | None:
        return self.terms.retention if server.is_over else None
