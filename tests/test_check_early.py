"""Folders that cannot be checked to the end: each a sentence with the file and the remedy, never a traceback."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from handler.bundle import helper
from handler.cli import main
from tests.check_driver import compare

ALLOW = """package allow

allowance contains {
	"id": "web",
	"tcp": [443],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Test",
	"expires": "2027-06-30",
} if {
	input.server.account == "111122223333"
}
"""
TEST = "package policy_tests.x\n\ntest_x := true\n"
CONDITION = 'if input.server.id == "i-0aaa"\n'
NETWORKS = "office: [203.0.113.0/24]\n"
LARGE = 8 * 1024 * 1024 + 1


Files = dict[str, str | bytes]


def policies(**files: str | bytes) -> Files:
    """Return a folder of policies with one allowance and these files, named with two underscores for a slash."""
    named = {f"policies/{name.replace('__', '/')}": content for name, content in files.items()}
    return {"policies/allow/web.rego": ALLOW, "policies/networks/data.yaml": NETWORKS, **named}


FOLDERS: dict[str, Files] = {
    "absent": {},
    "empty": {"policies/README.md": "Ours\n"},
    "a file": {"policies": "package allow\n"},
    "only data": {"policies/networks/data.yaml": NETWORKS},
    "only tests": {"policy_tests/x_test.rego": TEST},
    "only tests in the policies": {"policies/x_test.rego": TEST},
    "no tests": policies() | {"policy_tests/README.md": "Ours\n"},
    "no test among the tests": policies() | {"policy_tests/x.rego": "package policy_tests.x\n\nchecks_x := true\n"},
    "a test that adds to the policies": policies() | {"policy_tests/x.rego": "package allow\n\n_x := true\n"},
    "the helper in the tests": policies() | {"policy_tests/x.rego": "package policy_tests\n\nnow := 1\n"},
    "package gate": policies() | {"policies/x.rego": "package gate.extra\n\nx := 1\n"},
    "a test in package gate": policies() | {"policy_tests/x_test.rego": "package gate.mine\n\ntest_x := true\n"},
    "a test in package system": policies() | {"policy_tests/x_test.rego": "package system.x\n\ntest_x := true\n"},
    "data of a test below gate": policies()
    | {"policy_tests/gate/data.yaml": "x: 1\n", "policy_tests/x_test.rego": TEST},
    "a test of the team's in the folder gate": policies() | {"policy_tests/gate/x_test.rego": TEST},
    "a failing test in the folder gate": policies() | {"policy_tests/gate/x_test.rego": TEST.replace("true", "false")},
    "tests taken for those of the engine": policies()
    | {
        "policy_tests/gate/x_test.rego": "package policy_tests.gate.x\n\ntest_x := false\n",
        "policy_tests/gate/helper/verdict.rego": (helper() / "verdict.rego").read_bytes(),
        "policy_tests/x_test.rego": TEST,
    },
    "the helper of another version": policies()
    | {"policy_tests/gate/helper/verdict.rego": "package policy_tests\n\nnow := 1\n", "policy_tests/x_test.rego": TEST},
    "the stranger's test in the tests": policies()
    | {"policy_tests/x_test.rego": "package policy_tests.stranger\n\ntest_x := true\n"},
    "package portcullis": policies() | {"policies/x.rego": "package portcullis.check\n\nx := 1\n"},
    "package system": policies() | {"policies/x.rego": "package system.authz\n\nallow := true\n"},
    "an engine of another version": policies() | {"policies/gate/decision.rego": "package gate\n\ndecision := {}\n"},
    "data of the engine": policies() | {"policies/gate/data.yaml": "batch: 1\n"},
    "large": policies() | {"policies/partners/data.json": b" " * LARGE},
    "large Rego": policies() | {"policies/lib/x.rego": b" " * LARGE},
    "a conflict": policies()
    | {
        "policies/allow/x.rego": 'package allow\n\n_tier := "a"\n\n_tier := "b"\n',
        "policies/allow/y.rego": 'package allow\n\nallowance contains {"id": "x"} if _tier == "a"\n',
    },
    "a function that is none": policies()
    | {
        "policies/allow/x.rego": 'package allow\n\n_x := data.gate.reached_form(["office"])\n',
        "policy_tests/x_test.rego": f"{TEST}\ntest_y if data.policy_tests.verdit({{}})\n\ntest_z if verdit({{}})\n",
    },
    "ports without a protocol": policies()
    | {
        "policy_tests/x_test.rego": "package policy_tests.x\n\nimport data.policy_tests.verdict\n\n"
        'test_x if verdict({}, "443", ["0.0.0.0/0"]) == {"allow tcp 443 from 0.0.0.0/0: web"}\n'
    },
    "NUL in data": policies() | {"policies/partners/data.yaml": "a: 1\nb: \0\n"},
    "a merge in data": policies() | {"policies/partners/data.yaml": "a: &a {x: 1}\nb:\n  <<: *a\n"},
    "Rego of before": policies()
    | {"policies/allow/v0.rego": 'package allow\n\nallowance[x] {\n\tx := {"id": "v0"}\n}\n'},
    "the second Rego": policies() | {"policies/allow/v2.rego": "package allow\n\nimport rego.v2\n"},
    "words of the second Rego": policies() | {"policies/allow/v2.rego": "package allow\n\nimport future.keywords.or\n"},
    "no `contains`": policies() | {"policies/forbid/x.rego": f"package forbid\n\nprohibition {CONDITION}"},
    "no `contains` beside others": policies() | {"policies/allow/x.rego": f"package allow\n\nallowance {CONDITION}"},
    "a statement in place of the set": policies()
    | {"policies/forbid/x.rego": f'package forbid\n\nprohibition := {{"id": "x"}} {CONDITION}'},
    "a statement in brackets": policies()
    | {"policies/forbid/x.rego": f'package forbid\n\nprohibition[{{"id": "x"}}] := true {CONDITION}'},
    "a name with a statement in brackets": policies()
    | {"policies/forbid/x.rego": f'package forbid\n\nforbidden[{{"id": "x"}}] := true {CONDITION}'},
    "data where the gate reads a set": policies() | {"policies/forbid/data.yaml": "prohibition: 1\n"},
    "a package on two lines": policies() | {"policies/lib/x.rego": "package\n\tlib.x\n\ny := 1\n"},
    "no package": policies() | {"policies/allow/x.rego": "allowance contains {}\n"},
    "no Rego": policies() | {"policies/allow/x.rego": "package allow\n\nallowance contains {\n"},
    "an empty file": policies() | {"policies/allow/x.rego": ""},
    "two files that cannot be parsed": policies()
    | {"policies/allow/x.rego": "package allow\n\nx := \n", "policies/forbid/x.rego": "package forbid\n\nx := := 1\n"},
    "a byte order mark": policies() | {"policies/allow/web.rego": b"\xef\xbb\xbf" + ALLOW.encode()},
    "a byte order mark in data": policies() | {"policies/networks/data.yaml": b"\xef\xbb\xbf" + NETWORKS.encode()},
    "a byte order mark in JSON": policies() | {"policies/partners/data.json": b'\xef\xbb\xbf{"a": 1}'},
    "lines that end in CRLF": policies()
    | {
        "policies/allow/web.rego": ALLOW.replace("\n", "\r\n"),
        "policies/networks/data.yaml": NETWORKS.replace("\n", "\r\n"),
    },
    "tabs in data": policies() | {"policies/partners/data.yaml": "a:\n\tb: 1\n"},
    "no YAML": policies() | {"policies/partners/data.yaml": "a: [\n"},
    "no JSON": policies() | {"policies/partners/data.json": '{"a": 1,}'},
    "repeated keys": policies() | {"policies/networks/data.yaml": NETWORKS + NETWORKS},
    "data and a file beside it": policies() | {"policies/data.yaml": "networks: {office: [203.0.113.9/32]}\n"},
    "a rule where data is": policies() | {"policies/networks/x.rego": "package networks\n\noffice := []\n"},
    "no UTF-8": policies() | {"policies/allow/x.rego": b"package allow\n\n# \xfc\n"},
    "no UTF-8 in data": policies() | {"policies/partners/data.yaml": b"a: \xfc\n"},
    "a file that begins with NUL": policies() | {"policies/allow/x.rego": b"\0package allow\n"},
    "annotations that cannot be read": policies()
    | {"policies/allow/x.rego": "# METADATA\n# scope: everywhere\npackage allow\n"},
}


def write(folder: Path, files: Files) -> None:
    """Write files below a folder."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def link_out(folder: Path) -> None:
    """Let a policy be a symbolic link to a file outside, and a folder one to a folder outside."""
    write(folder, policies() | {"elsewhere/x.rego": ALLOW})
    (folder / "policies" / "allow" / "link.rego").symlink_to(folder / "elsewhere" / "x.rego")
    (folder / "policies" / "forbid").symlink_to(folder / "elsewhere")


def link_to_nothing(folder: Path) -> None:
    """Let a policy be a symbolic link to a file that is gone."""
    write(folder, policies())
    (folder / "policies" / "allow" / "link.rego").symlink_to("gone.rego")


def fifo(folder: Path) -> None:
    """Let a policy be a named pipe, which nobody writes to."""
    write(folder, policies())
    os.mkfifo(folder / "policies" / "allow" / "pipe.rego")


MADE: dict[str, Callable[[Path], None]] = {
    "symbolic links out of the folder": link_out,
    "a symbolic link to nothing": link_to_nothing,
    "a pipe": fifo,
}


def test_says_why_a_folder_cannot_be_checked(
    tmp_path: Path, opa_path: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each ends in a sentence with the file and what to do, and exit status 1 or 2; what does no harm passes with 0."""
    monkeypatch.setenv("OPA_PATH", opa_path)
    texts = []
    for number, name in enumerate([*FOLDERS, *MADE]):
        folder = tmp_path / str(number)
        folder.mkdir()
        monkeypatch.chdir(folder)
        MADE.get(name, lambda place, name=name: write(place, FOLDERS[name]))(folder)
        status = main(["check", "policies", "--now", "2026-11-24"])
        output = capsys.readouterr()
        assert status == 2 or not output.err
        texts.append(f"# {name}: status {status}\n{output.out}{output.err}")
    text = "\n".join(texts)
    assert "Traceback" not in text
    assert str(tmp_path) not in text
    compare("early.txt", text)


def test_unreadable_files_are_named(
    tmp_path: Path, opa_path: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that the user may not read is a fault with its name: root may read all, so the system says it here."""
    monkeypatch.setenv("OPA_PATH", opa_path)
    monkeypatch.chdir(tmp_path)
    write(tmp_path, policies())
    read_bytes = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.name == "web.rego":
            raise PermissionError(13, "Permission denied", str(path))
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert main(["check", "policies"]) == 1
    said = capsys.readouterr().out
    assert re.match("policies/allow/web.rego: cannot be read .Permission denied.: let it be readable\n", said)
