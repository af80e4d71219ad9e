"""Tags that cannot be read: a server is judged by those that were read last, and after hours without them, too."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from handler import alert
from handler.decision import Allowed, Decision
from handler.errors import MemoryUnavailableError
from handler.finding import Finding
from handler.folding import Folded
from handler.invocation import Judged, judge_again
from handler.lookup import tags
from handler.memory.flapping import Rules
from handler.memory.inventory import Inventory
from handler.memory.observing import key_of
from handler.memory.servers import Terms
from handler.memory.state import Server, spelled
from handler.memory.store import Table
from handler.memory.tags import with_remembered_tags
from handler.telling import tell
from simulate.table import Table as StandIn
from tests.memory.invocations import BEGINNING, ENGINE, SETTINGS, Mailbox, Report

_TERMS = Terms(rules=Rules(changes=1000))
_WEB, _DATABASE, _NONE = {"Name": "web-01", "Role": "web"}, {"Name": "db-01", "Role": "db"}, dict[str, str]()


class Calls:
    """A client that notes the names of the calls that it passes on; with `refused` it refuses so many of them."""

    def __init__(self) -> None:
        self._client = StandIn()
        self.names: list[str] = []
        self.refused = 0

    def __getattr__(self, name: str) -> Any:
        self.names.append(name)
        if self.refused:
            self.refused -= 1
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "refused"}}, name)
        return getattr(self._client, name)


class Function:
    """Invocations in which servers are reported with a port that only those of a role may have open.

    `role` is empty where servers may have it that have none.
    """

    def __init__(self, role: str = "web") -> None:
        self._role = role
        self.date = 0
        self.calls = Calls()
        self.table = Table(self.calls, "memory")
        self.at = BEGINNING
        self.mailbox = Mailbox()
        self.judged = Judged(outcomes=(), failures={})
        self.required = False

    def __call__(self, described: dict[str, str] | None, *servers: str, is_open: bool = True) -> list[Finding]:
        """Have servers reported anew, which a look-up describes by some tags or by none; return what was judged."""
        self.date += 1
        self.calls.names.clear()
        self.table.begin(float("inf"))
        at, token = spelled(self.at), f"request-{self.date}"
        reports = [Report(name, name, 22, 22, is_open, self.date) for name in servers or ("i-0a1",)]
        outcomes = tuple(report.outcome(report.name) for report in reports)
        judged = Judged(outcomes=outcomes, failures={})
        if is_open:
            findings = [(outcome.records[0], _untagged(outcome.report)) for outcome in outcomes]
            look_up = with_remembered_tags(
                lambda folded, _: _looked_up(folded, described), self.table, _TERMS.patience, required=self.required
            )
            judged = judge_again(findings, at, self, look_up=look_up)
        inventory = Inventory(self.table, _TERMS, token=token, at=at, deadline=at, policy=ENGINE.policy)
        alerts = alert.Alerts(SETTINGS, ENGINE, self.mailbox, float("inf"))
        assert tell(judged, alerts, inventory)[0] == {}
        self.judged = judged
        return [outcome.report for outcome in judged.outcomes if isinstance(outcome.report, Finding)]

    def decide_parts(self, findings: Sequence[Finding], deadline: float | None) -> Iterator[Mapping[int, Decision]]:
        """Judge by the role alone."""
        del deadline
        yield {place: self._decided(finding) for place, finding in enumerate(findings)}

    def allows(self, described: dict[str, str]) -> bool:
        """Return whether a server with some tags may have the port open."""
        return described.get("Role", "") == self._role

    def _decided(self, finding: Finding) -> Decision:
        decision = Report("any", finding.server.id, 22, 22, is_open=True, date=0).outcome("any").decision
        assert decision is not None
        if not self.allows(finding.server.tags):
            return replace(decision, id=finding.id)
        allowed = Allowed(protocol="tcp", from_port=22, to_port=22, source="0.0.0.0/0", by=("role",))
        return replace(decision, id=finding.id, action="allow", severity="none", denied=(), allowed=(allowed,))

    def remembered(self) -> Server:
        """Return what is remembered of the server."""
        server = _untagged(Report("a", "i-0a1", 22, 22, is_open=True, date=0).outcome("a").report).server
        item = self.table.read([key_of(server)], spelled(self.at))[key_of(server)].item
        assert isinstance(item, Server)
        return item


def _untagged(report: object) -> Finding:
    """Return a report as of a scanner that tells no tags."""
    assert isinstance(report, Finding)
    return replace(report, server=replace(report.server, tags={}, tags_known=False))


def _looked_up(folded: Sequence[Folded], described: dict[str, str] | None) -> list[Folded]:
    """Return findings as a look-up makes them of instances with some tags, or where it cannot describe them."""
    instance = None if described is None else {"Tags": [{"Key": key, "Value": described[key]} for key in described]}
    return [
        replace(exposure, report=tags._tagged(exposure.report, instance, "it was denied", "2026-11-24 06:00 UTC"))  # noqa: SLF001
        for exposure in folded
        if isinstance(exposure.report, Finding)
    ]


_STEPS = st.lists(
    st.tuples(st.sampled_from([1, 100, 179, 240]), st.sampled_from([_WEB, _DATABASE, _NONE, None, None, "closed"])),
    max_size=9,
)


@settings(max_examples=300, deadline=None)
@given(steps=_STEPS, role=st.sampled_from(["web", ""]))
def test_a_server_is_judged_by_the_tags_that_were_read_last(steps: list[tuple[int, Any]], role: str) -> None:
    """Read plainly: by those, after three hours without them, too; without any at once; told where that changes."""
    function = Function(role)
    known: dict[str, str] | None = None
    since, told = None, [False]
    for minutes, described in steps:
        function.at += timedelta(minutes=minutes)
        if described == "closed":
            function(None, is_open=False)
            known, since, denied = None, None, False
        else:
            function(described)
            known, since = (described, None) if described is not None else (known, since or function.at)
            is_over = known is None or (since is not None and function.at - since >= _TERMS.patience)
            judged_by = [*([] if known is None else [known]), *([_NONE] if is_over else [])]
            denied = not all(function.allows(by) for by in judged_by)
        if denied != told[-1]:
            told.append(denied)
        assert function.mailbox.told.get(("i-0a1", 22), []) == told[1:]


def test_nothing_is_read_or_written_more_than_once() -> None:
    """Tags that were read cost nothing; of those that were not, one read has 100 servers, and one write since when."""
    function = Function()
    servers = [f"i-{number:03}" for number in range(100)]
    function(_WEB, *servers)
    function(_WEB, *servers)
    assert function.calls.names.count("batch_get_item") == 1
    function(None, *servers)
    assert [function.calls.names.count(name) for name in ("batch_get_item", "put_item")] == [2, 100]


def test_the_same_failing_look_up_again_costs_no_write() -> None:
    """From the first failure on it is known since when."""
    function = Function()
    function(_WEB)
    function(None)
    function.at += timedelta(hours=1)
    function.date -= 1
    function(None)
    assert function.calls.names.count("put_item") == 0
    assert function.remembered().untagged_since == spelled(BEGINNING)


def test_a_finding_says_by_which_tags_it_is_judged() -> None:
    """It has the name and the tags that were read last, and a note since when they could not be."""
    function = Function()
    function(_WEB)
    [finding] = function(None)
    assert (finding.server.name, finding.server.tags, finding.server.tags_known) == ("web-01", _WEB, True)
    assert finding.notes[-2:] == (
        "it was denied: its tags are unknown",
        "tags of i-0a1 could not be read since 2026-11-24 06:00 UTC: it is judged by those that were read before",
    )


def test_a_report_is_counted_once_however_it_is_judged() -> None:
    """After hours it is judged with and without the tags that were read last, and denied by both."""
    function = Function()
    function(_DATABASE)
    function(None)
    function.at += timedelta(hours=3)
    assert [finding.server.tags for finding in function(None)] == [_DATABASE, {}]
    assert [len(outcome.reports) for outcome in function.judged.outcomes] == [1, 0]


def test_tags_that_were_never_read_are_missed_by_nobody() -> None:
    """It is not said since when they cannot be read again."""
    function = Function()
    function(None)
    assert function.remembered().untagged_since is None


def test_a_table_that_cannot_be_read_is_noise() -> None:
    """The server is judged without tags, and nothing is compared: it alerts as if it were new."""
    function = Function()
    function(_WEB)
    function.calls.refused = 1
    [finding] = function(None)
    assert not finding.server.tags_known
    assert function.mailbox.told["i-0a1", 22] == [True]
    assert function.calls.names == ["batch_get_item"]


def test_a_sweep_does_not_judge_without_a_table_that_can_be_read() -> None:
    """Where the table is required the look-up raises, so that nothing closes for want of tags."""
    function = Function()
    function(_DATABASE)
    function.required, function.calls.refused = True, 1
    with pytest.raises(MemoryUnavailableError, match="refused"):
        function(None)
    assert [finding.server.tags for finding in function(None)] == [_DATABASE, _NONE]
    assert function.mailbox.told["i-0a1", 22] == [True]
