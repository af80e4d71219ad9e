"""The runbook has what to do about each alarm, and the pages have each metric."""

import re

from handler.metrics import UNITS
from handler.settings import ROOT
from tests.pages import DOCS, names, table

ALARMS = ROOT / "deploy" / "modules" / "portcullis" / "alarms.tf"


def alarms() -> set[str]:
    """Return the names of the alarms, without that of the function."""
    text = ALARMS.read_text()
    listed = re.findall(r"^    ([a-z-]+) = \{$", text, re.MULTILINE)
    alone = re.findall(r'alarm_name += "\$\{var\.name\}-([a-z-]+)"', text)
    described = re.findall(r'alarm_description += "docs/runbook\.md#([a-z-]+)"', text)
    assert alone == described
    return {*listed, *alone}


def test_every_alarm_has_a_section() -> None:
    """Each says what it means, what to look at and what to do; there is none of an alarm that there is not."""
    sections = re.findall(r"^## (.*)\n\n((?:.+\n)+)", (DOCS / "runbook.md").read_text(), re.MULTILINE)
    assert {heading.lower().replace(" ", "-") for heading, _ in sections} == alarms()
    for heading, text in sections:
        assert re.findall(r"^- \*\*(.+?)\*\*: ", text, re.MULTILINE) == ["It means", "Look at", "Do"], heading


def test_every_metric_is_described() -> None:
    """The table has the metrics that the function writes, in their order."""
    assert names(table(DOCS / "deploy.md", "metric")) == list(UNITS)


def test_own_metrics_of_the_modules_are_those_of_the_function() -> None:
    """The dashboard and the alarms name no metric that the function does not write."""
    dashboard = ALARMS.with_name("dashboard.tf").read_text()
    listed = {
        name
        for names in re.findall(r"for name in \[([^\]]+)\] : \[\"Portcullis\"", dashboard)
        for name in re.findall(r'"(\w+)"', names)
    }
    single = set(re.findall(r'\["Portcullis", "(\w+)"', dashboard))
    watched = set(re.findall(r'namespace += "Portcullis"\n +metric(?:_name)? += "(\w+)"', ALARMS.read_text()))
    assert watched == {"alerts", "decided", "heartbeats", "received"}
    assert listed | single | watched <= set(UNITS)


def test_metrics_of_aws_are_those_of_the_page() -> None:
    """The page says where AWS describes each metric that an alarm looks at."""
    watched: dict[str, set[str]] = {}
    for namespace, name in re.findall(
        r'namespace += "(AWS/\w+)"\n +metric(?:_name)? += "([\w-]+)"', ALARMS.read_text()
    ):
        watched.setdefault(f"`{namespace}`", set()).add(name)
    rows = table(DOCS / "deploy.md", "AWS's metric")
    assert {namespace: set(names([cell])) for cell, (namespace, _) in rows.items()} == watched
