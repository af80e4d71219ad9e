"""The gate judges the policies of a small universe as sets of points do; `make prove` has all of them."""

from itertools import islice
from pathlib import Path

from tests.gate_universe import differences, policies, prepare

EACH = 97
"""So many policies are left out for each that is judged here."""


def test_gate_judges_a_small_universe_by_its_points(tmp_path: Path, opa_path: str) -> None:
    """Each 97th of every pair of allowances, and of every allowance with every prohibition and `except`."""
    prepare(tmp_path, opa_path)
    chosen = list(islice(enumerate(policies()), 0, None, EACH))
    assert len(chosen) > 1_000
    assert differences(chosen, tmp_path, opa_path) == []
