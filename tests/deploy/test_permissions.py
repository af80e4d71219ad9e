"""The permissions that the modules give are those that the pages describe."""

import json
import re

import pytest

from handler.settings import ROOT
from handler.sweep.scanners import SCANNERS
from tests.pages import DOCS, blocks

PERMISSIONS = json.loads((ROOT / "deploy" / "permissions.json").read_text())


def described(page: str, heading: str) -> dict[str, set[str]]:
    """Return the actions in a table of a page, by the first column; where that is blank, by that of the row before."""
    table = (DOCS / page).read_text().partition(f"\n| {heading} |")[2].partition("\n\n")[0]
    actions: dict[str, set[str]] = {}
    word = ""
    for row in table.splitlines()[2:]:
        first, second, *_ = row.strip("| ").split(" | ") if not row.startswith("| |") else ["", *row[4:].split(" | ")]
        word = first or word
        actions.setdefault(word, set()).update(re.findall(r"`([a-z0-9]+:[A-Z][A-Za-z0-9]+)`", second))
    return actions


def listed(scanners: list[str]) -> set[str]:
    """Return the actions that a sweep takes to list scanners, by the page; the first is asked for the accounts."""
    rows = described("sweep.md", "what for")
    actions = {action for name in scanners for action in rows[f"`{name}`"]}
    return actions | {f"{name.partition('-')[0]}:ListMembers" for name in scanners[:1]}


@pytest.mark.parametrize("look_up", PERMISSIONS["look_ups"])
def test_look_ups_have_the_permissions_that_are_described(look_up: str) -> None:
    """Each look-up has the actions of its row in docs/look-ups.md, no more and no fewer."""
    rows = described("look-ups.md", "Setting")
    assert set(PERMISSIONS["look_ups"][look_up]) == rows[f"`LOOK_UP_{look_up.upper()}`"]


@pytest.mark.parametrize("scanner", SCANNERS)
def test_listings_have_the_permissions_that_are_described(scanner: str) -> None:
    """Each scanner of the sweep has the actions of its row in docs/sweep.md, no more and no fewer."""
    assert set(PERMISSIONS["sweep"][scanner]) == described("sweep.md", "what for")[f"`{scanner}`"]


def test_the_memory_has_the_permissions_that_are_described() -> None:
    """The page of the memory names what the table of the deployment has, with what the sweep needs of it."""
    sentence = (DOCS / "memory.md").read_text().partition("The function needs, on the table:")[2].partition("\n\n")[0]
    named = {f"dynamodb:{name.removeprefix('dynamodb:')}" for name in re.findall(r"`([^`]+)`", sentence)}
    rows = described("deploy.md", "what for")
    assert named == rows["the [memory](memory.md)"] | rows["the [sweep](sweep.md)"]


def test_policy_of_the_page_has_everything_on() -> None:
    """The policy for those who do not use Terraform has every action of the tables, on the same resources."""
    [block] = blocks(DOCS / "deploy.md", "json")
    statements = json.loads(block.text)["Statement"]
    always = {action for actions in described("deploy.md", "what for").values() for action in actions}
    look_ups = {action for actions in described("look-ups.md", "Setting").values() for action in actions}
    fetched = {"inspector2:ListFindings", *listed([*SCANNERS]), "securityhub:ListMembers"}
    assert {action for entry in statements for action in entry["Action"]} == always | look_ups | fetched
    on_all = {action for entry in statements if entry["Resource"] == ["*"] for action in entry["Action"]}
    assert on_all == (look_ups - {"sts:AssumeRole"}) | fetched
