"""Data files that OPA would read otherwise than they are written, or the engine cannot use, are refused."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from handler.bundle import Folder, engine
from handler.check import formats, read_otherwise
from handler.check.data_files import Data, unread_files
from handler.check.fault import Fault
from tests.check_driver import CASES, compare

FOLDERS = sorted(folder.name for folder in (CASES / "data").iterdir())


def faults(name: str) -> list[Fault]:
    """Return what is wrong with the data of a folder, before OPA is asked."""
    folder = Folder(name)
    found = [*read_otherwise(Data(folder)), *unread_files(folder)]
    return sorted(dict.fromkeys(found), key=lambda fault: (str(fault.file), fault.line or 0))


def test_data_that_is_read_otherwise_than_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each folder holds one mistake, or none if it is named so, which is said where it is, with its remedy."""
    monkeypatch.chdir(CASES / "data")
    lines = {name: [formats.line(fault) for fault in faults(name)] for name in FOLDERS}
    compare("data.txt", "\n".join(line for name in FOLDERS for line in lines[name]) + "\n")
    assert {name for name in FOLDERS if not lines[name]} == {name for name in FOLDERS if name.endswith("_passes")}


KEYS = [
    *(
        "1e3",
        "12E4",
        "-1e5",
        "1e-2",
        ".5e3",
        "5.",
        "0o17",
        "0O17",
        "0o_-7",
        "0b11",
        "0x1F",
        "007",
        "089",
        "+_1",
        "0E8_",
    ),
    *("web-1", "1e3-web", "0x", "5e", "0b12", "0o8", "e3", "-", "._", "1.2.3", "2027-6-30", "+1x", "i-0abc", "w_1"),
]

READABLE = [
    *("0.0.0.0/0", "203.0.113.0/24", "203.0.113.9/32", "::/0", "2001:DB8::/32", "fc00::/7", "::203.0.113.0/120"),
    *("sg-0b1b", "222233334444/sg-0b1b", "pl-0c1c", "sg-*"),
]

UNREADABLE = [
    *("", " ", "203.0.113.0", "203.0.113.1/24", "::1/64", "203.0.113.0/33", "::/129", "203.0.113.0/024", "1.2.3/24"),
    *("203.0.113.0/255.255.255.0", "0203.0.113.0/24", "::ffff:203.0.113.0/120", "::ffff:0:0/96", "fe80::%eth0/64"),
    *("203.0.113.0/-1", "203.0.113.0/ 24", "unknown", "sg-", "sg-0b1b ", "1234/sg-0b1b", "222233334444/sg-*", "pl-*"),
    *("anywhere", "203.0.113.256/32", "/24"),
]


def evaluate(opa_path: str, query: str, folder: Path, given: Any = None) -> Any:
    """Return what a query is with the data and the Rego of a folder."""
    command = [opa_path, "eval", "--format", "raw", "--stdin-input", "--data", str(folder), query]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def refused_lines(folder: Path) -> set[int]:
    """Return the lines of the data of a folder with which something is wrong."""
    return {fault.line or 0 for fault in read_otherwise(Data(Folder(folder)))}


def test_reads_numbers_as_opa_does(tmp_path: Path, opa_path: str) -> None:
    """A key without quotes that OPA reads as a number is refused: its rows would be another server's."""
    (tmp_path / "servers").mkdir()
    (tmp_path / "servers" / "data.yaml").write_text("by_name:\n" + "".join(f"  {key}: []\n" for key in KEYS))
    texts = evaluate(opa_path, "object.keys(data.servers.by_name)", tmp_path)
    assert {KEYS[line - 2] for line in refused_lines(tmp_path)} == set(KEYS) - set(texts)


def test_reads_addresses_as_the_gate_does(tmp_path: Path, opa_path: str) -> None:
    """What passes as a member of a network is what the gate can read, and nothing else."""
    members = [*READABLE, *UNREADABLE]
    (tmp_path / "networks").mkdir()
    text = "".join(f"n{number}: [{json.dumps(member)}]\n" for number, member in enumerate(members))
    (tmp_path / "networks" / "data.yaml").write_text(text)
    query = "{member | some member in input; data.gate._literal(member)}"
    read_by_the_gate = set(evaluate(opa_path, query, engine(), members))
    assert {members[line - 1] for line in refused_lines(tmp_path)} == set(UNREADABLE)
    assert read_by_the_gate == set(READABLE)
