"""The line of counts adds up, whatever is counted."""

import re

import pytest

from handler.cli.summary import Line, Summary
from handler.decision import Decision
from handler.outcome import Told


def line(outcome: str, severity: str | None = None, *, record: str = "1", reported: bool = True) -> Line:
    """Return the line of an outcome; of a decision with its severity, `none` where it allows."""
    decision = severity and Decision(
        id=None,
        action="allow" if severity == "none" else "deny",
        severity=severity,  # type: ignore[arg-type]
        undecidable=outcome == "undecidable",
        denied=(),
        allowed=(),
        allowances={},
        prohibitions={},
        problems=(),
    )
    told = Told(outcome=outcome, reporter=None, reason="so", finding=None, decision=decision or None)  # type: ignore[arg-type]
    return Line(file="file", record=record, told=told, reported=reported)


@pytest.mark.parametrize(
    ("lines", "status", "counts"),
    [
        pytest.param(
            [line("decided", "none"), line("repeated", record="2")],
            0,
            "2 reports: 1 exposure (1 repeated): 0 denied (0 critical), 1 allowed, 0 could not be judged; "
            "0 closed, 0 ignored",
            id="allowed",
        ),
        pytest.param(
            [line("decided", "critical"), line("decided", "high"), line("closed"), line("ignored")],
            1,
            "4 reports in 1 record: 2 exposures (0 repeated): 2 denied (1 critical), 0 allowed, 0 could not be judged; "
            "1 closed, 1 ignored",
            id="several of one record",
        ),
        pytest.param(
            [line("decided", "medium"), line("decided", "none", reported=False)],
            1,
            "1 report and 1 more server behind a group: 2 exposures (0 repeated): 1 denied (0 critical), 1 allowed, "
            "0 could not be judged; 0 closed, 0 ignored",
            id="servers behind a group",
        ),
        pytest.param(
            [line("undecidable", "high"), line("undecidable", record="2")],
            2,
            "2 reports: 2 exposures (0 repeated): 0 denied (0 critical), 0 allowed, 2 could not be judged; "
            "0 closed, 0 ignored",
            id="not judged",
        ),
        pytest.param(
            [line("ignored", record=str(number)) for number in range(1234)],
            0,
            "1,234 reports: 0 exposures (0 repeated): 0 denied (0 critical), 0 allowed, 0 could not be judged; "
            "0 closed, 1,234 ignored",
            id="thousands",
        ),
    ],
)
def test_counts_add_up(lines: list[Line], status: int, counts: str) -> None:
    """Reports and servers that a look-up added are exposures, repeated, closed or ignored."""
    summary = Summary()
    for each in lines:
        summary.add(each)
    *_, printed = summary.counts()
    assert (summary.status, printed) == (status, counts)
    origin, _, rest = printed.replace(",", "").partition(":")
    numbers = [int(number) for number in re.findall(r"\d+", rest)]
    exposures, repeated, denied, _, allowed, unread, closed, ignored = numbers
    assert len(lines) == exposures + repeated + closed + ignored
    assert exposures == denied + allowed + unread
    assert origin


def test_reasons_are_counted() -> None:
    """What is closed or ignored is said with its reason; however many these are, the counts are the last line."""
    summary = Summary()
    for each in (line("closed"), line("ignored"), line("ignored")):
        summary.add(each)
    *reasons, counts = summary.paragraphs()
    assert reasons == ["1 closed: so", "2 ignored: so"]
    assert counts.startswith("3 reports in 1 record: ")
