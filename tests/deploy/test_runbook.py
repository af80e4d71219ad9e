"""The runbook has what to do about each alarm, and the pages have each metric."""

import re

from handler.metrics import UNITS
from handler.settings import ROOT
from tests.pages import DOCS, names, table

ALARMS = ROOT / "deploy" / "modules" / "portcullis" / "alarms.tf"


def alarms() -> set[str]:
    """Return the names of the alarms, without that of the function."""
    return set(re.findall(r"^ {4,}([a-z-]+) += \{(?: metric = .*)?$", ALARMS.read_text(), re.MULTILINE))


def test_every_alarm_has_a_section() -> None:
    """Each says what it means, what to look at and what to do; there is none of an alarm that there is not."""
    sections = re.findall(r"^## (.*)\n\n((?:.+\n)+)", (DOCS / "runbook.md").read_text(), re.MULTILINE)
    assert {heading.lower().replace(" ", "-") for heading, _ in sections} == alarms()
    for heading, text in sections:
        assert re.findall(r"^- \*\*(.+?)\*\*: ", text, re.MULTILINE) == ["It means", "Look at", "Do"], heading


def test_every_metric_is_described() -> None:
    """The table has the metrics that the function writes, in their order."""
    assert names(table(DOCS / "deploy.md", "metric")) == list(UNITS)
