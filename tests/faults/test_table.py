"""The table of faults in the documentation is the list of what is tested."""

import re

from handler.settings import ROOT
from tests.faults import test_opa, test_surroundings, test_topic
from tests.faults.ledger import FAULTS


def test_every_row_has_a_test_and_every_test_a_row() -> None:
    """Nothing is promised that is not proven, and nothing is proven that users are not told."""
    assert all((test_opa, test_surroundings, test_topic))
    section = (ROOT / "docs" / "failures.md").read_text().partition("## Faults and outcomes")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \| ", section, re.MULTILINE)
    assert rows[0] == "fault"
    assert sorted(rows[2:] if rows[1].startswith("-") else rows[1:]) == sorted(FAULTS)
