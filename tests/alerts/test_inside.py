"""What is allowed inside of a denied source stays open: the commands run as they stand against moto's EC2."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from handler.opa import Opa
from handler.process import Process
from handler.settings import ROOT
from tests.alerts import OFFICE, finding, server
from tests.alerts.shell import Group, flat, mails, part, run

BASTION = server("i-0ddd", "bastion-01", tags={"Role": "bastion"})
KEPT = {("tcp", 22, 22, OFFICE[0])}


def test_office_keeps_its_way_in_when_the_internet_loses_it(gate: Opa, ec2: Any, group: Group) -> None:
    """The rule lets in everybody, and the office with them: its own network is authorized first."""
    body = run(ec2, gate, finding(BASTION, group.open(22, 22, "0.0.0.0/0")))
    assert group.opened() == KEPT
    assert f"Then keep what is allowed (tcp 22 from {OFFICE[0]}), and revoke the rest of sgr-" in flat(body)


def test_only_the_ports_that_are_allowed_inside_stay(gate: Opa, ec2: Any, group: Group) -> None:
    """Of a wider range nothing else is opened to the office."""
    run(ec2, gate, finding(BASTION, group.open(20, 25, "0.0.0.0/0")))
    assert group.opened() == KEPT


def test_what_both_servers_of_a_group_allow_inside_stays(gate: Opa, ec2: Any, group: Group) -> None:
    """Each mail keeps the office's way in, whichever is run."""
    ssh = group.open(22, 22, "0.0.0.0/0")
    other = server("i-0eee", "bastion-02", tags={"Role": "bastion"})
    run(ec2, gate, finding(BASTION, ssh), finding(other, ssh))
    assert group.opened() == KEPT


def test_what_only_the_other_server_allows_inside_is_not_revoked(gate: Opa, group: Group) -> None:
    """Nobody may come to this server from the office, and somebody must come to the other."""
    ssh = group.open(22, 22, "0.0.0.0/0")
    told = mails(gate, finding(server("i-0bad", "nobody-01"), ssh), finding(BASTION, ssh))
    [body] = [body for body in told if body.startswith("nobody-01")]
    assert "Some of it is allowed through this rule on i-0ddd: give this server a group of its own." in flat(body)
    assert "aws ec2 revoke" not in body


ONE_ADDRESS = """package allow

allowance contains {
	"id": "one-address",
	"tcp": [22],
	"sources": ["203.0.113.7/32"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2999-12-31",
} if input.server.id == "i-0eee"
"""


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    """Give a copy of the shipped policies to change."""
    return Path(shutil.copytree(ROOT / "policies", tmp_path / "policies"))


def test_what_the_other_server_allows_of_what_is_allowed_here_stays(
    policies: Path, opa_path: str, ec2: Any, group: Group
) -> None:
    """One address of the office may come to the other server, and all of the office to this one."""
    (policies / "allow" / "one.rego").write_text(ONE_ADDRESS)
    ssh = group.open(22, 22, "0.0.0.0/0")
    with Opa(Process(str(policies), opa_path)) as gate:
        gate.ready()
        run(ec2, gate, finding(BASTION, ssh), finding(server("i-0eee", "nobody-01"), ssh))
    assert group.opened() == KEPT


TOO_MANY = [
    ("[22]", 61, "Part of what comes in by this rule is allowed and cannot be listed:"),
    ("[22, 24]", 30, "More is to stay open of this rule than the 60 rules that a security group takes:"),
]


@pytest.mark.parametrize("case", TOO_MANY, ids=["networks", "permissions"])
def test_more_than_a_group_takes_rules_is_not_authorized(
    case: tuple[str, int, str], group: Group, policies: Path, opa_path: str
) -> None:
    """AWS would refuse it, and nobody would know what is missing."""
    ports, addresses, said = case
    networks = yaml.safe_load((policies / "networks" / "data.yaml").read_text())
    networks["office"] = [f"203.0.113.{2 * number}/32" for number in range(addresses)]
    (policies / "networks" / "data.yaml").write_text(yaml.safe_dump(networks))
    bastion = policies / "allow" / "bastion.rego"
    bastion.write_text(bastion.read_text().replace("[22]", ports))
    wider = group.open(22, 30, "0.0.0.0/0")
    with Opa(Process(str(policies), opa_path)) as gate:
        gate.ready()
        [body] = mails(gate, finding(BASTION, part(wider, 22, 24)))
    assert said in flat(body)
    assert "aws ec2 revoke" not in body


NOT_FROM = """package forbid

prohibition contains {
	"id": "not-from-there",
	"tcp": [22],
	"sources": ["%s"],
	"reason": "Test",
}
"""


@pytest.mark.parametrize("source", ["203.0.113.128/25", "198.51.100.0/24"])
def test_what_a_prohibition_leaves_of_a_network_is_not_closed(
    source: str, group: Group, policies: Path, opa_path: str
) -> None:
    """The office may come in but for a part of it, or everybody is kept out who is on a list: neither is a network."""
    (policies / "forbid" / "there.rego").write_text(NOT_FROM % source)
    ssh = group.open(22, 22, "0.0.0.0/0")
    with Opa(Process(str(policies), opa_path)) as gate:
        gate.ready()
        [body] = mails(gate, finding(BASTION, ssh))
    assert "Part of what comes in by this rule is allowed and cannot be listed: revoke nothing before you" in flat(body)
    assert "aws ec2 revoke" not in body
