"""The permissions that the modules give are those that the pages describe, and that the code uses."""

import ast
import json
import re
from collections.abc import Iterator

import botocore.session
import pytest
from botocore import xform_name

from handler.settings import ROOT
from tests.pages import DOCS, blocks

PERMISSIONS = json.loads((ROOT / "deploy" / "permissions.json").read_text())
CLIENTS = {"ec2": "ec2", "ecs": "ecs", "elbv2": "elasticloadbalancing"}
"""The services that look-ups ask, and how IAM calls them."""


def described(page: str, heading: str) -> dict[str, set[str]]:
    """Return the actions in a table of a page, by the first column; where that is blank, by that of the row before."""
    table = (DOCS / page).read_text().partition(f"\n| {heading} |")[2].partition("\n\n")[0]
    actions: dict[str, set[str]] = {}
    word = ""
    for row in table.splitlines()[2:]:
        first, second, *_ = row.strip("| ").split(" | ") if not row.startswith("| |") else ["", *row[4:].split(" | ")]
        word = first or word
        actions.setdefault(word, set()).update(re.findall(r"`([a-z0-9]+:[A-Z][A-Za-z]+)`", second))
    return actions


def asked() -> Iterator[str]:
    """Give the action of every operation that the code of the look-ups names."""
    session = botocore.session.get_session()
    operations = {
        xform_name(operation): f"{prefix}:{operation}"
        for service, prefix in CLIENTS.items()
        for operation in session.get_service_model(service).operation_names
    }
    folders = ("lookup", "reachability")
    for file in (file for folder in folders for file in sorted((ROOT / "handler" / folder).glob("*.py"))):
        for node in ast.walk(ast.parse(file.read_text())):
            word = (
                node.attr if isinstance(node, ast.Attribute) else node.value if isinstance(node, ast.Constant) else None
            )
            if word in operations:
                yield operations[word]


@pytest.mark.parametrize("look_up", PERMISSIONS)
def test_look_ups_have_the_permissions_that_are_described(look_up: str) -> None:
    """Each look-up has the actions of its row in docs/look-ups.md, no more and no fewer."""
    rows = described("look-ups.md", "Setting")
    assert set(PERMISSIONS[look_up]) == rows[f"`LOOK_UP_{look_up.upper()}`"]


def test_look_ups_use_the_permissions_that_they_have() -> None:
    """What the code asks AWS is what the look-ups may ask, both ways."""
    assert {action for actions in PERMISSIONS.values() for action in actions} == set(asked())


def test_policy_of_the_page_has_everything_on() -> None:
    """The policy for those who do not use Terraform has every action of the tables, on the same resources."""
    [block] = blocks(DOCS / "deploy.md", "json")
    statements = json.loads(block.text)["Statement"]
    always = {action for actions in described("deploy.md", "what for").values() for action in actions}
    look_ups = {action for actions in described("look-ups.md", "Setting").values() for action in actions}
    fetched = {"inspector2:ListFindings"}
    assert {action for entry in statements for action in entry["Action"]} == always | look_ups | fetched
    on_all = {action for entry in statements if entry["Resource"] == ["*"] for action in entry["Action"]}
    assert on_all == (look_ups - {"sts:AssumeRole"}) | fetched
