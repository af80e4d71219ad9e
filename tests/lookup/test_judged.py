"""What is looked up can be judged: many rules are no burden, and the one that is wrong is named."""

from collections.abc import Iterator

import pytest

from handler.decision import Decision
from handler.finding import Exposure, Finding
from handler.opa import CHUNK_SOURCES, Opa, chunks
from handler.process import Process
from handler.settings import ROOT
from tests.builders import finding, server


@pytest.fixture(scope="module")
def gate(opa_path: str) -> Iterator[Opa]:
    """Start OPA with the shipped policies."""
    with Opa(Process(str(ROOT / "policies"), opa_path)) as opa:
        opa.ready()
        yield opa


def opened(number: int, rules: int) -> Finding:
    """Give a bastion whose ssh that many rules let the office in to, and the last one everybody."""
    cidrs = [f"203.0.113.{rule % 256}/32" for rule in range(rules - 1)] + ["0.0.0.0/0"]
    made = [
        Exposure(
            protocol="tcp", from_port=22, to_port=22, sources=(cidr,), security_group="sg-1", rules=(f"sgr-{rule}",)
        )
        for rule, cidr in enumerate(cidrs)
    ]
    return finding(*made, server=server(number, Role="bastion"))


def test_of_a_thousand_rules_the_wrong_one_is_named(gate: Opa) -> None:
    """It alone is denied."""
    [decision] = gate.decide([opened(1, 1000)])
    assert isinstance(decision, Decision)
    assert [(entry.source, entry.rules) for entry in decision.denied] == [("0.0.0.0/0", ("sgr-999",))]


def test_findings_of_many_rules_are_asked_for_in_turn() -> None:
    """No query has more sources than it can answer in time, unless one finding alone has."""
    findings = [opened(number, rules) for number, rules in enumerate((CHUNK_SOURCES + 1, 1, 600, 600, 600, 600))]
    cut = list(chunks(findings))
    assert [one.id for chunk in cut for one in chunk] == [one.id for one in findings]
    assert [[len(one.exposures) for one in chunk] for chunk in cut] == [[CHUNK_SOURCES + 1], [1, 600, 600, 600], [600]]
