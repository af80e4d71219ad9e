"""What is told once a day and otherwise counted: reports that could not be judged, and the day's digest."""

from collections.abc import Iterable
from datetime import timedelta

from msgspec import Struct
from msgspec.structs import replace

from handler.finding import Finding, Undecidable, to_json
from handler.memory.observing import digest, partition
from handler.memory.state import Notice, Pending
from handler.memory.store import Key, Table
from handler.outcome import Outcome

_DAY = len("2026-11-24")
_KEPT = timedelta(days=7)


class Notices(Struct, frozen=True, kw_only=True):
    """The notices in the table, for one invocation: its `token`, its time, and the `deadline` of what it tells."""

    table: Table
    token: str
    at: str
    deadline: str

    def take(self, key: Key, shape: str = "", server: str = "") -> Notice:
        """Count a notice, and take it upon us where nobody has told it or is telling it; return what it is then."""

        def take(item: Notice | None) -> Notice:
            counted = _counted(item or Notice(shape=shape, server=server))
            if counted.told or self.is_told_by_others(counted):
                return counted
            return replace(counted, pending=(Pending(token=self.token, deadline=self.deadline, kind="new"),))

        row = self.table.read([key], self.at)[key]
        return self.table.update(key, row, self.at, take, keep=lambda _: _KEPT) or Notice()

    def count(self, key: Key, shape: str, server: str) -> None:
        """Count a notice that nobody is told now."""

        def step(item: Notice | None) -> Notice:
            return _counted(item or Notice(shape=shape, server=server))

        row = self.table.read([key], self.at)[key]
        self.table.update(key, row, self.at, step, keep=lambda _: _KEPT)

    def is_ours(self, notice: Notice) -> bool:
        """Return whether it is ours to tell."""
        return not notice.told and any(pending.token == self.token for pending in notice.pending)

    def is_told_by_others(self, notice: Notice) -> bool:
        """Return whether somebody else is about to tell it."""
        return any(pending.token != self.token and pending.is_running(self.at) for pending in notice.pending)

    def mark(self, keys: Iterable[Key]) -> None:
        """Remember that notices were told."""
        for key, row in self.table.read(keys, self.at).items():
            self.table.update(key, row, self.at, _told, keep=lambda _: _KEPT)

    def digest_key(self) -> Key:
        """Return the key of the day's digest."""
        return ("all", f"notice#digest#{self.at[:_DAY]}")

    def key_of(self, outcome: Outcome) -> Key:
        """Return the key of what could not be judged: its shape, account, server and day.

        The report stands for a server that could not be read, all that is in it for one without an id, and the record
        for one of which nothing is there.
        """
        match outcome.report:
            case Undecidable() as report:
                text = to_json(report.raw).decode() if report.raw is not None else outcome.records[0]
                name = (report.shape, report.server or report.id or text)
                place = partition(report.account, report.region)
            case Finding(server=server):
                name, place = ("finding", server.id), partition(server.account, server.region)
            case _:
                name, place = ("", ""), partition(None, None)
        return place, f"notice#undecidable#{digest(*name)}#{self.at[:_DAY]}"


def about(outcome: Outcome) -> tuple[str, str]:
    """Return what the digest says of what could not be judged: its shape, and its server or its report."""
    match outcome.report:
        case Undecidable() as report:
            return report.shape, report.server or report.id or ""
        case Finding(server=server):
            return "finding", server.id
    return "", ""


def is_of_undecidable(key: Key, day: str) -> bool:
    """Return whether the notice of a key is about what could not be judged on a day."""
    return key[1].startswith("notice#undecidable#") and key[1].endswith(f"#{day}")


def _counted(notice: Notice) -> Notice:
    return replace(notice, count=notice.count + 1)


def _told(item: Notice | None) -> Notice:
    return replace(item or Notice(), told=True, pending=())
