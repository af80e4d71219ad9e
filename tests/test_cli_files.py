"""What `portcullis decide` reads: files of any shape and length, record by record."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from handler.cli import files
from handler.cli.judge import Judge
from handler.cli.progress import Progress
from handler.errors import OpaUnavailableError
from handler.events import Record
from handler.opa import Opa
from handler.process import Process
from handler.settings import ROOT

DETAIL = json.loads((ROOT / "handler" / "cli" / "demo_events" / "05-bastion-ssh.json").read_text())["detail"]


def read(folder: Path, text: str) -> list[Any]:
    """Return the events of a file with this text, or the problems in their places; records are numbered from 1."""
    file = folder / "file.json"
    file.write_text(text)
    records = list(files.read(str(file)))
    assert [record.id for record in records] == [str(number) for number in range(1, len(records) + 1)]
    return [record.problem.problem if record.problem else record.event for record in records]


@pytest.mark.parametrize(
    ("text", "events"),
    [
        pytest.param('{"a": 1}', [{"a": 1}], id="one"),
        pytest.param('{\n "a": 1\n}\n', [{"a": 1}], id="one over lines"),
        pytest.param('[{"a": 1}, [2], 3]', [{"a": 1}, [2], 3], id="array"),
        pytest.param('\n{"a": 1}\n\n[{"b": 2}, 3]\n', [{"a": 1}, {"b": 2}, 3], id="lines, one an array"),
        pytest.param("7", [7], id="number"),
        pytest.param('{"findings": [{"a": 1}, {"b": 2}]}', [{"a": 1}, {"b": 2}], id="answer"),
        pytest.param(
            '{"Findings": [{"a": 1}, {"b": 2}], "NextToken": "x"}',
            [{"a": 1}, {"Findings": [{"b": 2}], "NextToken": "x"}],
            id="page",
        ),
        pytest.param('{"findings": [{"a": 1}, 2]}', [{"findings": [{"a": 1}, 2]}], id="answer with what is none"),
        pytest.param('{"findings": []}', [{"findings": []}], id="answer without any"),
        pytest.param('{"source": "x", "findings": [{}]}', [{"source": "x", "findings": [{}]}], id="event"),
        pytest.param("\ufeff[1]", [1], id="byte order mark"),
    ],
)
def test_each_event_and_each_finding_is_a_record(tmp_path: Path, text: str, events: list[Any]) -> None:
    """A file is an event, an answer, an array of them or JSON lines of them."""
    assert read(tmp_path, text) == events


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        pytest.param("", ["is not JSON: "], id="empty"),
        pytest.param("{broken", ["is not JSON: "], id="broken"),
        pytest.param('{"a": 1}\n{broken\n', [{"a": 1}, "line 2 is not JSON: "], id="broken line"),
        pytest.param('{broken\n\n{"a": 1}\n', ["line 1 is not JSON: ", {"a": 1}], id="broken first line"),
        pytest.param("[" * 100_000, ["is nested too deep to be read"], id="nested"),
    ],
)
def test_what_is_no_json_is_a_problem_with_its_line(tmp_path: Path, text: str, problems: list[Any]) -> None:
    """The rest of the file is read."""
    records = read(tmp_path, text)
    assert len(records) == len(problems)
    for record, problem in zip(records, problems, strict=True):
        assert record == problem if isinstance(problem, dict) else record.startswith(problem)


def test_file_that_grows_is_read_as_it_was_and_says_so(tmp_path: Path) -> None:
    """It ends, even where somebody writes to it for ever, and what was added is not passed over in silence."""
    file = tmp_path / "growing.jsonl"
    file.write_text('{"a": 1}\n{"a": 2}\n')
    records = files.read(str(file))
    first = next(records)
    with file.open("a") as more:
        more.write('{"a": 3}\n')
    second, last = records
    assert (first.event, second.event) == ({"a": 1}, {"a": 2})
    assert last.problem
    assert last.problem.problem.startswith("grew while it was read")


def test_reports_that_opa_has_no_time_for_lose_no_others(opa_path: str) -> None:
    """Each is undecidable, with its server and the reason; the others are decided."""

    class Busy(Opa):
        def decide_parts(self, findings: Any, deadline: float | None = None) -> Any:
            for part in super().decide_parts(findings, deadline):
                yield {**part, **({0: OpaUnavailableError("no time is left to ask OPA")} if 0 in part else {})}

    reports = [{**DETAIL, "resources": [{**DETAIL["resources"][0], "id": f"i-{number}"}]} for number in (1, 2, 1)]
    records = [Record(id=str(number), event=report) for number, report in enumerate(reports, start=1)]
    with Busy(Process(str(ROOT / "policies"), opa_path)) as gate, Progress(shown=False) as progress:
        gate.ready()
        judge = Judge(datetime(2026, 11, 24, tzinfo=UTC), gate, None, progress)
        lines = list(judge.lines("file", records))
    assert [(line.record, line.told.outcome) for line in lines] == [
        ("1", "undecidable"),
        ("3", "repeated"),
        ("2", "decided"),
    ]
    assert lines[0].told.reason == "OPA could not decide: no time is left to ask OPA"
    assert lines[0].told.finding
    assert lines[0].told.finding.server.id == "i-1"
