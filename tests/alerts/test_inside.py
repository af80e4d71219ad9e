"""What is allowed inside of a denied source stays open: the commands run as they stand against moto's EC2."""

import shutil
from pathlib import Path
from typing import Any

import yaml

from handler.opa import Opa
from handler.process import Process
from handler.settings import ROOT
from tests.alerts import OFFICE, finding, server
from tests.alerts.shell import Group, flat, mails, run

BASTION = server("i-0ddd", "bastion-01", tags={"Role": "bastion"})
KEPT = {("tcp", 22, 22, OFFICE[0])}


def test_office_keeps_its_way_in_when_the_internet_loses_it(gate: Opa, ec2: Any, group: Group) -> None:
    """The rule lets in everybody, and the office with them: its own network is authorized first."""
    body = run(ec2, gate, finding(BASTION, group.open(22, 22, "0.0.0.0/0")))
    assert group.opened() == KEPT
    assert f"Then keep what is allowed (tcp 22 from {OFFICE[0]}), and revoke the rest:" in flat(body)


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
    assert "The same is allowed through this rule on i-0ddd: give this server a group of its own." in flat(body)
    assert "aws ec2 revoke" not in body


def test_more_networks_than_a_group_takes_rules_are_not_authorized(group: Group, tmp_path: Path, opa_path: str) -> None:
    """AWS would refuse them, and nobody would know which are missing."""
    policies = Path(shutil.copytree(ROOT / "policies", tmp_path / "policies"))
    networks = yaml.safe_load((policies / "networks" / "data.yaml").read_text())
    networks["office"] = [f"203.0.113.{2 * number}/32" for number in range(61)]
    (policies / "networks" / "data.yaml").write_text(yaml.safe_dump(networks))
    with Opa(Process(str(policies), opa_path)) as gate:
        gate.ready()
        [body] = mails(gate, finding(BASTION, group.open(22, 22, "0.0.0.0/0")))
    assert "than the 60 rules that a security group takes: let it in by a prefix list first." in flat(body)
    assert "aws ec2 revoke" not in body
