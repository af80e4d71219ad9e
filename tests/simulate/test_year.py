"""What people are told in a simulated month, exposure by exposure."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from mypy_boto3_dynamodb import DynamoDBClient

from simulate.faults import NONE, Rates
from simulate.report import Figures, figures
from simulate.world import DAY
from simulate.year import Plan, Year

pytestmark = pytest.mark.slow

MINUTE = 1 / 60
FEW = Plan(
    servers=12, days=30, seed=1, opened=400, widened=150, replaced=200, released=24, touched=12 * 122, rates=NONE
)
"""More happens to each server than among many."""


def _run(plan: Plan, folder: Path, opa_path: str, client: object = None, table: str = "portcullis") -> Figures:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OPA_PATH", opa_path)
        year = Year(plan, folder, client, table)
        year.run()
    assert bool(year.faults.count) == (plan.rates != NONE)
    return figures(year.ledger, plan.days * DAY)


def _faultless(found: Figures) -> None:
    """Hold that each exposure was told once, and each closing once, in time."""
    assert found.exposures
    assert found.untold == []
    assert found.twice == []
    assert found.missed == []
    assert found.false == []
    assert max(found.by_event, default=0) < MINUTE
    assert max(found.otherwise, default=0) < 2
    assert max(found.closed, default=0) < 2


def test_without_faults_each_exposure_is_told_once(tmp_path: Path, opa_path: str) -> None:
    """In a month, people hear of each exposure once when it opens and once when it closes."""
    found = _run(FEW, tmp_path, opa_path)
    assert min(map(len, (found.by_event, found.otherwise, found.closed))) > 20
    _faultless(found)


def test_whatever_goes_wrong_nothing_stays_untold(tmp_path: Path, opa_path: str) -> None:
    """In a month in which everything goes wrong at its rate, nothing is left untold, and next to nothing told twice."""
    found = _run(replace(FEW, seed=3, rates=Rates()), tmp_path, opa_path)
    assert found.untold == []
    assert found.missed == []
    assert found.false == []
    assert len(found.twice) <= len(found.exposures) / 100
    assert max(found.by_event + found.otherwise) < 4


def test_dynamodb_itself_remembers_as_its_stand_in_does(
    tmp_path: Path, opa_path: str, dynamodb: DynamoDBClient, table: str
) -> None:
    """Of two days the same becomes with DynamoDB Local."""
    plan = replace(FEW, days=2)
    real, stand_in = (
        _run(plan, tmp_path / name, opa_path, client, table)
        for name, client in (("real", dynamodb), ("stand-in", None))
    )
    _faultless(real)
    assert [exposure.tellings for exposure in real.exposures] == [exposure.tellings for exposure in stand_in.exposures]
