"""`portcullis decide` in a real shell: its exit status is the verdict's, whatever the reader of its pipe does."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from handler.settings import ROOT

EVENTS = ROOT / "handler" / "cli" / "demo_events"
ALLOWED, DENIED, UNREAD = (EVENTS / f"{name}.json" for name in ("01-web-443", "05-bastion-ssh", "08-reversed-range"))
MEMORY = """
import resource, sys
from handler.cli import main
status = main(sys.argv[1:])
print(status, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""
"""Runs a command and says its status and its memory in KB on Linux; OPA has its own."""


def shell(command: str, folder: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line of bash; `decide` is the command with a time at which the examples' allowances are in force."""
    program = Path(sys.executable).with_name("portcullis")
    decide = f'decide() {{ {program} decide --policies {ROOT}/policies --now 2026-11-24T06:12:00Z "$@"; }}'
    return subprocess.run(
        ["/bin/bash", "-o", "pipefail", "-c", f"{decide}; {command}"],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=os.environ | environment,
    )


def recorded(file: Path, count: int) -> Path:
    """Write so many findings as JSON lines, each of a server of its own."""
    finding = json.dumps(json.loads(DENIED.read_text())["detail"])
    with file.open("w") as lines:
        lines.writelines(f"{finding.replace('i-0aaaaaaaaaaaaaaa5', f'i-{n:017x}')}\n" for n in range(count))
    return file


@pytest.mark.parametrize(
    ("file", "status"),
    [
        pytest.param(ALLOWED, 0, id="allowed"),
        pytest.param(DENIED, 1, id="denied"),
        pytest.param(UNREAD, 2, id="unread"),
    ],
)
@pytest.mark.parametrize("pipe", ["| true", "--json | true", "| cat"])
def test_reader_does_not_change_the_status(file: Path, status: int, pipe: str) -> None:
    """0, 1 and 2 are what they are documented to be, and no word of a broken pipe is said."""
    ran = shell(f"decide {file} {pipe}")
    assert ran.returncode == status
    assert "roken pipe" not in ran.stderr


@pytest.mark.parametrize("options", ["", "--json", "--stream"])
def test_reader_that_leaves_early_changes_nothing(tmp_path: Path, options: str) -> None:
    """More than a pipe holds is still to be written when `head` has read enough."""
    ran = shell(f"decide {options} {recorded(tmp_path / 'many', 600)} | head -2")
    assert (ran.returncode, len(ran.stdout.splitlines())) == (1, 2)
    assert "roken pipe" not in ran.stderr


def test_grep_cut_and_sort_find_whole_verdicts() -> None:
    """A line has the severity, the server and the verdict, so that none of them is lost."""
    ran = shell(f"decide {ALLOWED} {DENIED} {UNREAD} | grep DENY | cut -f 1-6 | sort")
    assert ran.stdout == "critical\ti-0aaaaaaaaaaaaaaa5\tbastion-01\ttcp 22\tunknown\tDENY\n"


def test_json_is_read_line_by_line() -> None:
    """Every line is an object, for `jq` or whatever reads JSON."""
    ran = shell(
        f"decide --json {ALLOWED} {DENIED} {DENIED} | "
        "if command -v jq >/dev/null; then jq -r .decision.action; else "
        f'while read -r line; do {sys.executable} -m json.tool <<<"$line" | grep -oP \'"action": "\\K\\w+\'; done; fi'
    )
    assert (ran.returncode, ran.stdout.split()) == (1, ["allow", "deny", "deny"])


@pytest.mark.parametrize(
    ("command", "message"),
    [
        pytest.param(
            f"decide --json {ALLOWED} >&-", "the output cannot be written: standard output is closed", id="closed"
        ),
        pytest.param(
            f"decide --json {ALLOWED} >/dev/full", "the output cannot be written: No space left on device", id="full"
        ),
        pytest.param(
            "decide --json - <&- >/dev/null", "-: record 1: cannot be read: standard input is closed", id="input"
        ),
        pytest.param("decide --json . >/dev/null", ".: record 1: cannot be read: Is a directory", id="directory"),
        pytest.param(
            "decide --json nothing >/dev/null", "nothing: record 1: cannot be read: No such file", id="absent"
        ),
        pytest.param("decide --json /dev/null >/dev/null", "/dev/null: record 1: is not JSON: ", id="empty"),
        pytest.param(f"decide --json {ALLOWED} >/dev/null 2>/dev/full", "", id="full-errors"),
    ],
)
def test_what_cannot_be_read_or_written_is_said_in_a_line(command: str, message: str) -> None:
    """It is never taken for a denial."""
    ran = shell(command)
    assert (ran.returncode, len(ran.stderr.splitlines())) == ((2, 1) if message else (0, 0))
    assert ran.stderr.startswith(message)


def test_standard_error_that_is_closed_leaves_the_output_clean() -> None:
    """What would go there goes nowhere."""
    ran = shell(f"decide {ALLOWED} 2>&-")
    assert (ran.returncode, ran.stdout.count("\n")) == (0, 1)


def test_ctrl_c_ends_it_in_a_line() -> None:
    """What was judged is printed; nothing is said of where in the program it was."""
    event = json.dumps(json.loads(DENIED.read_text()))
    program = str(Path(sys.executable).with_name("portcullis"))
    ran = subprocess.Popen(
        [program, "decide", "--policies", str(ROOT / "policies"), "--stream", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509  ignored in the background
    )
    with ran:
        assert ran.stdin
        assert ran.stdout
        ran.stdin.write(f"{event}\n" * 501)
        ran.stdin.flush()
        assert ran.stdout.readline()
        ran.send_signal(signal.SIGINT)
        _, said = ran.communicate(timeout=60)
    assert (ran.returncode, said) == (130, "interrupted\n")


def test_no_folder_need_be_writable(tmp_path: Path) -> None:
    """Neither where it runs nor where temporary files go is anything written."""
    (tmp_path / "file").touch()
    ran = shell(f"decide {ALLOWED}", Path("/proc"), TMPDIR=str(tmp_path / "file"))
    assert ran.returncode == 0, ran.stderr


def test_stream_prints_while_it_reads(tmp_path: Path) -> None:
    """All of the first chunk is printed before the second is there; that no more is folded is said."""
    event = json.dumps(json.loads(DENIED.read_text()))
    (tmp_path / "chunk").write_text(f"{event}\n" * 500)
    os.mkfifo(tmp_path / "answered")
    ran = shell(
        "{ cat chunk; read -r line <answered; cat chunk; } | decide --stream - | "
        "{ for ((n = 0; n < 500; n++)); do read -r -t 60 line || break; done; echo >answered; cat; }",
        tmp_path,
    )
    assert ran.returncode == 1
    outcomes = [json.loads(line)["outcome"] for line in ran.stdout.splitlines()]
    assert outcomes == ["decided"] + ["repeated"] * 499
    assert ran.stderr == "Reports are folded within 500 records only: an exposure may come again\n"


@pytest.mark.skipif(sys.platform != "linux", reason="others measure memory in other units")
@pytest.mark.parametrize(("option", "kilobytes"), [("--json", 6), ("--stream", 2)])
def test_memory_grows_by_little_with_each_report(option: str, kilobytes: int, tmp_path: Path, opa_path: str) -> None:
    """Of a report a few KB are kept until the end, and nothing with --stream."""
    used = []
    for count in (1000, 4000):
        file = recorded(tmp_path / f"{count}.jsonl", count)
        command = [sys.executable, "-c", MEMORY, "decide", option, str(file)]
        ran = subprocess.run(
            command, capture_output=True, text=True, check=True, cwd=ROOT, env={**os.environ, "OPA_PATH": opa_path}
        )
        status, memory = ran.stderr.splitlines()[-1].split()
        assert (status, len(ran.stdout.splitlines())) == ("1", count)
        used.append(int(memory))
    print(f"{option}: {used[0]} KB for 1,000 reports, {used[1]} KB for 4,000")  # noqa: T201  the figure
    assert (used[1] - used[0]) / 3000 < kilobytes
