"""A report that names a security group and no port is judged by what a look-up tells, and else not judged at all."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from handler.events import unwrap
from handler.finding import Finding, Undecidable
from handler.folding import Folded
from handler.invocation import judge
from handler.opa import Opa
from handler.outcome import Outcome
from handler.process import Process
from handler.settings import ROOT

NOW = "2026-11-24T06:12:00Z"
CASES = Path(__file__).parent / "cases"
CONTROLS = ["security_hub/control-without-rules", "security_hub_v2/control-that-names-no-port"]


@pytest.fixture(scope="module")
def gate(opa_path: str) -> Iterator[Opa]:
    """Give the gate with the shipped policies."""
    with Opa(Process(str(ROOT / "policies"), opa_path)) as gate:
        gate.ready()
        yield gate


def event(case: str) -> Any:
    """Give the event of a case."""
    return json.loads((CASES / case / "event.json").read_text())


def nobody(service: str, region: str) -> Any:
    """Give no client: nothing is to be fetched."""
    raise AssertionError(service, region)


def outcome(case: str, gate: Opa, look_up: Any = None) -> Outcome:
    """Judge the one event of a case."""
    (judged,) = judge(unwrap(event(case), "request").records, NOW, gate, nobody, look_up=look_up).outcomes
    return judged


def rules(*ranges: tuple[int, int], source: str = "0.0.0.0/0", notes: tuple[str, ...] = ()) -> Any:
    """Make a look-up that finds these ranges of tcp open, or none at all."""

    def look_up(folded: Sequence[Folded], _: float | None) -> list[Folded]:
        (group,) = folded
        finding = group.report
        assert isinstance(finding, Finding)
        tcp = finding.exposures[0]
        opened = [
            replace(tcp, from_port=low, to_port=high, sources=(source,), rules=("sgr-1",)) for low, high in ranges
        ]
        found = replace(finding, exposures=tuple(opened) or finding.exposures, notes=(*finding.notes, *notes))
        return [replace(group, report=found)]

    return look_up


@pytest.mark.parametrize(
    ("case", "title"), [*zip(CONTROLS, ["Security groups should not be open", "A title"], strict=True)]
)
def test_without_a_look_up_it_is_undecidable(gate: Opa, case: str, title: str) -> None:
    """It alerts with the event as it came, the reporter's title and what to do; no port is made up."""
    judged = outcome(case, gate)
    report = judged.report
    assert isinstance(report, Undecidable)
    assert report.problem == (
        f"names a security group and no port ({title}); no look-up told what its rules open "
        "(LOOK_UP_SOURCES=true has them read); EC2.18 does not say which port is open"
    )
    assert report.raw == event(case)
    assert (report.server, report.account, report.region) == ("sg-0a1", "111122223333", "eu-west-1")
    assert judged.alerts


@pytest.mark.parametrize("case", CONTROLS)
def test_with_the_rules_of_the_group_it_is_decided(gate: Opa, case: str) -> None:
    """Exactly what is open is denied."""
    judged = outcome(case, gate, rules((22, 22), (8000, 8100)))
    assert judged.kind == "decided"
    assert judged.decision is not None
    denied = [(one.from_port, one.to_port, one.source, one.rules) for one in judged.decision.denied]
    assert denied == [(22, 22, "0.0.0.0/0", ("sgr-1",)), (8000, 8100, "0.0.0.0/0", ("sgr-1",))]


def test_rule_that_opens_every_port_is_decided(gate: Opa) -> None:
    """A rule that is known is no assumption, whoever it lets in."""
    judged = outcome(CONTROLS[0], gate, rules((0, 65535), source="unknown"))
    assert judged.decision is not None
    assert judged.decision.severity == "critical"


def test_look_up_that_failed_is_named(gate: Opa) -> None:
    """The alert says why the ports are not known."""
    denied = "ec2:DescribeSecurityGroupRules was denied in 111122223333"
    report = outcome(CONTROLS[0], gate, rules(notes=(denied,))).report
    assert isinstance(report, Undecidable)
    assert report.problem.endswith(f"; {denied}")


def test_question_about_it_is_answered(gate: Opa) -> None:
    """What a person asked about and nobody can judge is an alert like any other."""
    told = event(CONTROLS[0]) | {"detail-type": "Security Hub Findings - Custom Action"}
    (judged,) = judge(unwrap(told, "request").records, NOW, gate, nobody).outcomes
    assert isinstance(judged.report, Undecidable)
    assert judged.alerts


def test_each_record_is_in_the_alert(gate: Opa) -> None:
    """Several records that tell of one group are one alert, with the event of each."""
    first = event(CONTROLS[0])
    second = json.loads(json.dumps(first)) | {"id": "another"}
    (judged,) = judge(unwrap([first, second], "request").records, NOW, gate, nobody).outcomes
    assert isinstance(judged.report, Undecidable)
    assert sorted(judged.report.raw, key=str) == sorted([first, second], key=str)
