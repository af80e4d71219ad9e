"""Several reports of one exposure become one, and nothing that is still open is silenced by what is closed."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from handler.finding import Closed, Exposure, Finding, Listener, Reporter, Server
from handler.folding import Folded, fold, reunite

OLD, NEW = "2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z"


def server(**fields: Any) -> Server:
    """Make a server of which little is known."""
    known: dict[str, Any] = {"tags": {}, "tags_known": False, "account": "111122223333", "region": "eu-west-1"}
    return Server(**{"kind": "instance", "id": "i-0aaa", **known, **fields})


def reporter(report: str = "arn-1", updated_at: str | None = OLD, name: str = "inspector2") -> Reporter:
    """Make who told it."""
    return Reporter(name=name, id=report, updated_at=updated_at)


def exposure(group: str | None = "sg-1", source: str = "unknown") -> Exposure:
    """Make an exposure of port 22."""
    return Exposure(protocol="tcp", from_port=22, to_port=22, sources=(source,), security_group=group)


def opened(report: str = "arn-1", updated_at: str | None = OLD, name: str = "inspector2", **fields: Any) -> Finding:
    """Make an open finding."""
    made: dict[str, Any] = {
        "id": "exposure-1",
        "now": NEW,
        "reach": "internet",
        "reach_known": True,
        "server": server(),
    }
    told = {"reporters": (reporter(report, updated_at, name),), "exposures": (exposure(),)}
    return Finding(**{**made, **told, **fields})


def closed(report: str = "arn-1", updated_at: str | None = OLD, name: str = "inspector2", **fields: Any) -> Closed:
    """Make a closed one."""
    made: dict[str, Any] = {"id": "exposure-1", "server": server()}
    return Closed(reporter=reporter(report, updated_at, name), **{**made, **fields})


def orders(*reports: Finding | Closed) -> list[tuple[Finding | Closed, ...]]:
    """Give reports in every order in which they may arrive."""
    return list(permutations(reports))


def fold_one(*reports: Finding | Closed) -> Folded:
    """Fold reports of one exposure; their records are named by their place."""
    (folded,) = fold((f"record-{index}", report) for index, report in enumerate(reports))
    return folded


def fold_beside(*reports: Finding | Closed) -> tuple[Folded, list[Folded]]:
    """Fold reports of one exposure of which one is open: what that becomes, and what is handed on beside it."""
    folded, *others = fold((f"record-{index}", report) for index, report in enumerate(reports))
    assert isinstance(folded.report, Finding)
    return folded, others


def test_nothing_is_nothing() -> None:
    """Without reports there is nothing."""
    assert fold([]) == []


def test_report_of_its_own_is_handed_on_with_its_record() -> None:
    """What no other report is about stays as it is; one that is open holds a claim."""
    told = Folded(records=("record-0",), report=closed(), reports=("record-0",))
    assert fold_one(closed()) == told
    assert fold_one(opened()) == replace(told, report=opened(), claims=(opened(),))


def test_exposures_keep_their_order() -> None:
    """Each exposure is one, in the order in which they were first told, with the records that told it."""
    first, second = opened(), opened("arn-2", id="exposure-2")
    folded = fold([("a", first), ("b", second), ("c", first), ("a", second)])
    assert [(one.records, one.report) for one in folded] == [(("a", "c"), first), (("b", "a"), second)]


@pytest.mark.parametrize(
    ("open_at", "closed_at", "kind"),
    [
        pytest.param(OLD, NEW, Closed, id="closed later"),
        pytest.param(NEW, OLD, Finding, id="open later"),
        pytest.param(NEW, NEW, Finding, id="at once"),
        pytest.param(None, NEW, Finding, id="open at an unreadable date"),
        pytest.param(OLD, None, Finding, id="closed at an unreadable date"),
        pytest.param(None, None, Finding, id="no date at all"),
    ],
)
def test_newest_of_one_report_wins(open_at: str | None, closed_at: str | None, kind: type) -> None:
    """Whatever their order of arrival, the newest counts; in doubt the exposure is open."""
    for reports in orders(opened(updated_at=open_at), closed(updated_at=closed_at)):
        folded = fold_one(*reports)
        assert isinstance(folded.report, kind)
        winner = next(index for index, report in enumerate(reports) if isinstance(report, kind))
        assert folded.records == (f"record-{winner}", f"record-{1 - winner}")


@pytest.mark.parametrize(
    ("first_at", "second_at"),
    [
        pytest.param(NEW, NEW, id="at once"),
        pytest.param(None, None, id="no date at all"),
        pytest.param(NEW, None, id="one at an unreadable date"),
    ],
)
def test_open_tellings_of_which_none_is_the_newer_are_merged(first_at: str | None, second_at: str | None) -> None:
    """What either of them tells to be open is judged, whatever their order and though it was closed in between."""
    office = opened(updated_at=first_at, exposures=(exposure(source="203.0.113.0/24"),))
    world = opened(updated_at=second_at, exposures=(exposure(source="0.0.0.0/0"),))
    for reports in orders(office, world, closed(updated_at=OLD)):
        folded = fold_one(*reports)
        assert isinstance(folded.report, Finding)
        assert {*folded.report.exposures} == {*office.exposures, *world.exposures}
        assert folded.report.reporters == (reporter(updated_at=folded.report.reporters[0].updated_at),)
        assert sorted(folded.records) == ["record-0", "record-1", "record-2"]


def test_older_telling_of_a_report_is_gone() -> None:
    """What only the older of two dated tellings says is no longer so."""
    older = opened(updated_at=OLD, exposures=(exposure(source="0.0.0.0/0"),))
    newer = opened(updated_at=NEW, exposures=(exposure(source="203.0.113.0/24"),))
    for reports in orders(older, newer):
        assert fold_one(*reports).report == newer


def test_reopened_report_is_open() -> None:
    """Open, closed and open again, out of order, is open."""
    middle = closed(updated_at="2026-11-20T12:00:00Z")
    for reports in orders(opened(updated_at=OLD), middle, opened(updated_at=NEW)):
        folded = fold_one(*reports)
        assert isinstance(folded.report, Finding)
        assert folded.report.reporters[0].updated_at == NEW


@pytest.mark.parametrize("at", [OLD, NEW, None])
def test_closed_path_says_nothing_about_another(at: str | None) -> None:
    """Of two paths to one port the one that is closed, however late, leaves the other open, and is handed on."""
    for reports in orders(opened("arn-1", OLD), closed("arn-2", at)):
        folded, others = fold_beside(*reports)
        assert folded.report == opened("arn-1", OLD)
        assert folded.records == (f"record-{reports.index(folded.report)}",)
        (other,) = others
        assert (other.report, other.records) == (closed("arn-2", at), (f"record-{reports.index(other.report)}",))


def test_closed_by_one_reporter_says_nothing_about_another() -> None:
    """Two reporters may use one id; they are two."""
    told = opened(name="security_hub")
    folded, others = fold_beside(told, closed(updated_at=NEW))
    assert folded.report == told
    assert [other.report for other in others] == [closed(updated_at=NEW)]


def test_each_closed_report_is_handed_on() -> None:
    """Each closes what it has reported itself; of one report the newest does, and its records are named."""
    told = [closed("arn-1", OLD), closed("arn-2", NEW), closed("arn-1", NEW)]
    first, second = fold((f"record-{index}", report) for index, report in enumerate(told))
    records = ("record-2", "record-0")
    assert first == Folded(records=records, report=closed("arn-1", NEW), reports=records)
    assert second == Folded(records=("record-1",), report=closed("arn-2", NEW), reports=("record-1",))


def test_one_record_may_tell_an_exposure_twice() -> None:
    """A record is named once, and each of its reports is counted."""
    (folded,) = fold([("a", opened("arn-1")), ("a", opened("arn-2"))])
    assert (folded.records, folded.reports) == (("a",), ("a", "a"))


def test_open_reports_are_merged() -> None:
    """The newest leads; exposures, notes, listeners, groups and reporters of all are there, without repeats."""
    listener = Listener(protocol="tcp", port=22, task="sshd:1")
    first = opened("arn-1", OLD, notes=("a", "b"), listeners=(listener,), server=server(security_groups=("sg-1",)))
    second = opened(
        "arn-2",
        NEW,
        now="2026-11-24T06:12:00Z",
        notes=("b", "c"),
        exposures=(exposure("sg-2"), exposure("sg-1")),
        listeners=(listener,),
        server=server(security_groups=("sg-2",)),
    )
    assert fold_one(first, second) == Folded(
        records=("record-1", "record-0"),
        reports=("record-1", "record-0"),
        claims=(second, first),
        report=opened(
            now="2026-11-24T06:12:00Z",
            reporters=(reporter("arn-2", NEW), reporter("arn-1", OLD)),
            exposures=(exposure("sg-2"), exposure("sg-1")),
            notes=("b", "c", "a"),
            listeners=(listener,),
            server=server(security_groups=("sg-2", "sg-1")),
        ),
    )


def test_other_sources_are_another_exposure() -> None:
    """The same port by the same group, but from elsewhere, is kept beside it."""
    told = (opened("arn-1", exposures=(exposure(source="10.0.0.0/8"),)), opened("arn-2", exposures=(exposure(),)))
    report = fold_one(*told).report
    assert isinstance(report, Finding)
    assert report.exposures == (exposure(source="10.0.0.0/8"), exposure())


def test_what_the_newest_does_not_know_comes_from_the_others() -> None:
    """Tags, name and place are those of the newest report that has them; one that knows from where is believed."""
    bare = opened("arn-3", NEW, reach_known=False)
    old = opened("arn-1", None, server=server(vpc="vpc-1", subnet="s-1"))
    mid = opened("arn-2", OLD, server=server(tags={"Role": "web"}, tags_known=True, name="mid", vpc="vpc-2"))
    report = fold_one(old, mid, bare).report
    assert isinstance(report, Finding)
    assert report.reach_known
    assert report.server == server(tags={"Role": "web"}, tags_known=True, name="mid", vpc="vpc-2", subnet="s-1")


WEB = server(tags={"Role": "web"}, tags_known=True, vpc="vpc-1")
BARE = server(tags={}, tags_known=True)
NAMED = server(tags={"Role": "web", "Name": "web-01"}, tags_known=True, name="web-01")


@pytest.mark.parametrize(("first", "second"), [(WEB, BARE), (WEB, NAMED), (BARE, NAMED)])
@pytest.mark.parametrize(
    ("name", "at"),
    [("arn-2", "2999-01-01T00:00:00Z"), ("arn-2", None), ("arn-2", OLD), ("arn-1", OLD), ("arn-1", None)],
)
def test_tags_of_one_report_do_not_soften_another(first: Server, second: Server, name: str, at: str | None) -> None:
    """Where reports disagree on tags or name, whatever their dates, all that they open is there by the tags of each."""
    told = [
        opened("arn-1", OLD, server=first, exposures=(exposure("sg-1"),)),
        opened(name, at, server=second, exposures=(exposure("sg-2"),)),
    ]
    for reports in (told, told[::-1]):
        folded = fold((f"record-{index}", report) for index, report in enumerate(reports))
        findings = [one.report for one in folded if isinstance(one.report, Finding)]
        assert sorted(str(one.server.tags) for one in findings) == sorted([str(first.tags), str(second.tags)])
        for finding in findings:
            assert {*finding.exposures} == {exposure("sg-1"), exposure("sg-2")}
            assert any("disagree on the tags or the name" in note for note in finding.notes)
        assert all(sorted(one.records) == ["record-0", "record-1"] for one in folded)
        assert reunite(folded) == folded


def test_newer_tags_of_the_same_report_replace_its_older() -> None:
    """A report that is told again with other tags is judged by the newer."""
    for reports in orders(opened(updated_at=OLD, server=BARE), opened(updated_at=NEW, server=WEB)):
        assert fold_one(*reports).report == opened(updated_at=NEW, server=WEB)


def test_what_has_come_to_agree_is_reunited() -> None:
    """Where a look-up has put the same tags in the place of those that disagreed, the exposure is one again."""
    folded = fold([("a", opened("arn-1", server=WEB)), ("b", opened("arn-2", server=BARE))])
    same = [replace(one, report=replace(one.report, server=WEB)) for one in folded]
    assert len(reunite(same)) == 1


DATES = st.sampled_from([None, OLD, "2026-11-20T12:00:00Z", NEW])
TOLD = st.tuples(st.booleans(), st.sampled_from(["arn-1", "arn-2"]), DATES)


@settings(max_examples=500, deadline=None, derandomize=True)
@given(st.lists(TOLD, min_size=1, max_size=6))
def test_order_of_arrival_does_not_matter(told: list[tuple[bool, str, str | None]]) -> None:
    """Open or closed follows from the reports alone: closed only if each report was closed after it was last open."""
    reports = [(opened if is_open else closed)(report, at) for is_open, report, at in told]
    gone = []
    for name in {report for _, report, _ in told}:
        ends = [at for is_open, report, at in told if report == name and not is_open]
        begins = [at for is_open, report, at in told if report == name and is_open]
        last = max((at for at in ends if at), default="")
        gone.append(bool(ends) and all(at is not None and at < last for at in begins))
    for order in (reports, reports[::-1]):
        folded = list(fold((f"record-{index}", report) for index, report in enumerate(order)))
        assert sum(isinstance(one.report, Closed) for one in folded) == sum(gone)
        assert sum(isinstance(one.report, Finding) for one in folded) == (not all(gone))
        assert sum(len(one.records) for one in folded) == len(reports)


def test_who_asked_is_answered_whichever_report_wins() -> None:
    """The question may be the older telling, about a path that is closed, or passed on by somebody else."""
    asking = Reporter(name="security_hub", id="arn-2", updated_at=OLD, asked=True)
    passed_on = opened(reporters=(reporter("arn-1", OLD), asking))
    for told in orders(passed_on, opened("arn-1", NEW)):
        report = fold_one(*told).report
        assert isinstance(report, Finding)
        assert report.reporters == (reporter("arn-1", NEW), asking)
    for told in orders(Closed(id="exposure-1", server=server(), reporter=asking), opened("arn-1", NEW)):
        folded, others = fold_beside(*told)
        assert not any(isinstance(other.report, Closed) and other.report.reporter.asked for other in others)
        report = folded.report
        assert isinstance(report, Finding)
        assert report.reporters == (reporter("arn-1", NEW), asking)
    for told in orders(opened(reporters=(asking,)), closed("arn-2", NEW, name="security_hub")):
        report = fold_one(*told).report
        assert isinstance(report, Closed)
        assert report.reporter.asked


def test_question_about_what_is_told_anyway_is_one_reporter() -> None:
    """An event and a question about one report, whose date is the same, name it once, as asked for."""
    asking = Reporter(name="inspector2", id="arn-1", updated_at=OLD, asked=True)
    for told in orders(opened(), opened(reporters=(asking,))):
        report = fold_one(*told).report
        assert isinstance(report, Finding)
        assert report.reporters == (asking,)


def test_who_passed_a_report_on_is_named() -> None:
    """The same report, told by its reporter and passed on by another, names both."""
    other = reporter("arn-2", NEW, name="security_hub")
    for told in orders(opened("arn-1", NEW), opened(reporters=(reporter("arn-1", OLD), other))):
        report = fold_one(*told).report
        assert isinstance(report, Finding)
        assert report.reporters == (reporter("arn-1", NEW), other)
