"""An invocation: what is decided is given away before anything more is asked, and nothing is lost between slices."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from handler.decision import Allowed, Decision
from handler.errors import OpaRefusedError, OpaUnavailableError, PortcullisError
from handler.events import unwrap
from handler.finding import Finding
from handler.invocation import judge, judge_slices
from handler.opa import Opa
from handler.process import Process
from handler.settings import ROOT
from tests.builders import NOW
from tests.world import bundled, renamed


class Gate:
    """Allows findings two at a time, but for the last two: it refuses one, and dies at the other."""

    def __init__(self, diary: list[str]) -> None:
        self.diary = diary

    def decide_parts(
        self, findings: Sequence[Finding], deadline: float | None
    ) -> Iterator[dict[int, Decision | PortcullisError]]:
        """Note when it is asked."""
        assert deadline is None
        for start in range(0, len(findings) - 2, 2):
            self.diary.append(f"asked {start}")
            yield {place: _allowed(findings[place]) for place in (start, start + 1)}
        yield {len(findings) - 2: OpaRefusedError("refused")}
        yield {len(findings) - 1: OpaUnavailableError("dead")}


def _allowed(finding: Finding) -> Decision:
    entry = Allowed(protocol="tcp", from_port=443, to_port=443, source="::/0", by=("web",))
    return Decision(
        id=finding.id,
        action="allow",
        severity="none",
        undecidable=False,
        denied=(),
        allowed=(entry,),
        allowances={},
        prohibitions={},
        problems=(),
    )


def nobody(*_: Any) -> Any:
    """Fetch nothing."""
    raise AssertionError


EVENTS = [renamed(bundled("01-web-443"), "web-prod-01", number) for number in range(6)]
RECORDS = unwrap([*EVENTS, {"source": "strange"}], "request").records


def test_slices_go_out_before_more_is_asked() -> None:
    """OPA is asked about the next findings only when the slice before them has been taken; the last says so."""
    diary: list[str] = []
    slices = []
    for judged in judge_slices(RECORDS, NOW, Gate(diary), nobody, seconds=0):
        diary.append(f"slice of {len(judged.outcomes)}")
        slices.append(judged)
    assert diary == ["asked 0", "slice of 3", "asked 2", "slice of 2", "slice of 1", "slice of 0"]
    assert [judged.last for judged in slices] == [False, False, False, True]
    assert [list(judged.failures.values()) for judged in slices] == [[], [], [], ["OPA could not decide: dead"]]


def test_slices_together_are_the_whole() -> None:
    """However an invocation is cut, the same becomes of each record: an outcome, or a failure."""
    slices = list(judge_slices(RECORDS, NOW, Gate([]), nobody, seconds=0))
    whole = judge(RECORDS, NOW, Gate([]), nobody)
    assert len(list(judge_slices(RECORDS, NOW, Gate([]), nobody))) == 1
    outcomes = [outcome for judged in slices for outcome in judged.outcomes]
    assert sorted(outcome.records for outcome in outcomes) == [outcome.records for outcome in whole.outcomes]
    told = [record for outcome in whole.outcomes for record in outcome.records]
    assert sorted([*told, *whole.failures]) == sorted(record.id for record in RECORDS)


@pytest.mark.parametrize("dates", [("2026-11-20", "2999-01-01"), ("2999-01-01", "2026-11-20")])
def test_a_deny_wins_where_reports_disagree_on_tags(opa_path: str, dates: tuple[str, str]) -> None:
    """A report with the tags of a web server allows nothing on what another says is none, whichever is dated later."""
    told = []
    for number, (date, name) in enumerate(zip(dates, ("web-prod-01", "stranger"), strict=True)):
        event = renamed(bundled("01-web-443"), name, 1)
        event["detail"] |= {"updatedAt": f"{date}T00:00:00Z", "findingArn": f"{event['detail']['findingArn']}{number}"}
        event["detail"]["resources"][0]["tags"] = {"Name": name}
        told.append(event)
    with Opa(Process(str(ROOT / "policies"), opa_path)) as gate:
        gate.ready()
        allowed, *_ = judge(unwrap(told[:1], "request").records, NOW, gate, nobody).outcomes
        [outcome] = judge(unwrap(told, "request").records, NOW, gate, nobody).outcomes
    assert allowed.decision
    assert allowed.decision.action == "allow"
    assert outcome.decision
    assert outcome.decision.action == "deny"
    assert sorted(outcome.records) == sorted(record.id for record in unwrap(told, "request").records)
    assert isinstance(outcome.report, Finding)
    assert outcome.report.server.name == "stranger"
