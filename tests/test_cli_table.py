"""What `portcullis decide` shows: golden outputs in terminals of some widths and in a pipe.

`python -m tests.test_cli_table` writes them anew.
"""

import re
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from handler.cli import main
from handler.settings import ROOT
from tests import terminal

FOLDER = ROOT / "tests" / "decided"
COMMAND = ("decide", "--policies", "policies", "--now", "2026-11-24T06:12:00Z", "reports.jsonl")
WIDTHS = (60, 80, 100, 160)
IDENTIFIER = re.compile(r"(?:i|sg)-0[0-9a-f]{16}|2001:db8:[0-9a-f:]+/48|203\.0\.113\.0/24")
SUMMARY = (
    "13 reports in 11 records: 10 exposures (1 repeated): 6 denied (4 critical), 3 allowed, 1 could not be judged; "
)


@cache
def shown(columns: int, *options: str, **environment: str) -> str:
    """Return what a terminal shows, by itself without colours; the exit status is that of something unreadable."""
    command = [str(Path(sys.executable).with_name("portcullis")), *COMMAND, *options]
    status, text, _ = terminal.run(command, columns, FOLDER, {"NO_COLOR": "1", **environment})
    assert status == 2
    return text


@cache
def piped(*options: str) -> tuple[str, str]:
    """Return what the command writes where no terminal is, to standard output and to standard error."""
    with (
        redirect_stdout(StringIO()) as output,
        redirect_stderr(StringIO()) as errors,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.chdir(FOLDER)
        patch.setenv("COLUMNS", "40")
        assert main([*COMMAND, *options]) == 2
    return output.getvalue(), errors.getvalue()


def test_every_terminal_and_pipe_has_its_form() -> None:
    """Golden outputs: a table from 100 columns on, below a block a server, and in a pipe a line a verdict."""
    for width in WIDTHS:
        assert shown(width) == (FOLDER / f"{width}.txt").read_text(), width
    assert piped()[0] == (FOLDER / "piped.txt").read_text()


@pytest.mark.parametrize("columns", [20, 99, 130])
def test_identifiers_are_never_broken(columns: int) -> None:
    """Whatever the width, what is copied from a terminal is whole, and no line is longer than it unless a word is."""
    text = shown(columns)
    whole = IDENTIFIER.findall((FOLDER / "piped.txt").read_text())
    assert {*IDENTIFIER.findall(text)} == {*whole}
    assert [line for line in text.splitlines() if cell_len(line) > columns and len(line.split()) > 1] == []


def test_columns_overrule_the_terminal() -> None:
    """COLUMNS says how wide the terminal is, a dumb one too."""
    assert shown(60, COLUMNS="160") == shown(60, COLUMNS="160", TERM="dumb") == (FOLDER / "160.txt").read_text()


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [
        pytest.param({"NO_COLOR": ""}, True, id="terminal"),
        pytest.param({}, False, id="no-color"),
        pytest.param({"NO_COLOR": "", "TERM": "dumb"}, False, id="dumb"),
    ],
)
def test_colours_are_for_terminals_that_want_them(environment: dict[str, str], coloured: bool) -> None:  # noqa: FBT001
    """NO_COLOR and a dumb terminal get plain text, and it is the same text."""
    text = shown(160, **environment)
    assert ("\x1b[" in text) == coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", text) == (FOLDER / "160.txt").read_text()


def test_summary_adds_up() -> None:
    """The reports are the exposures, those repeated, closed and ignored; the exposures are denied, allowed or neither.

    In a pipe it goes to standard error, and so does how long it took, everywhere.
    """
    output, errors = piped()
    assert SUMMARY + "1 closed, 1 ignored\n" in errors
    total, _, exposures, repeated, denied, _, allowed, unread, closed, ignored = map(
        int, re.findall(r"\d+", SUMMARY + "1 1")
    )
    assert total == exposures + repeated + closed + ignored
    assert exposures == denied + allowed + unread
    assert re.search(r"^Policy [0-9a-f]{7}, OPA [0-9.]+, [0-9,]+ ms$", errors, re.MULTILINE)
    assert " ms" not in output + shown(160)


def test_fields_of_a_pipe_are_stable() -> None:
    """Each line has the same ten fields, whatever the names hold."""
    lines = piped()[0].splitlines()
    assert {line.count("\t") for line in lines} == {9}
    assert all(field.isprintable() and field for line in lines for field in line.split("\t"))


def test_denied_leaves_out_what_is_allowed() -> None:
    """What could not be judged stays, for nobody knows; the summary counts everything."""
    every = (FOLDER / "piped.txt").read_text().splitlines()
    output, errors = piped("--denied")
    assert output.splitlines() == [line for line in every if "\tallow\t" not in line]
    assert SUMMARY in errors
    assert "allow " not in shown(60, "--denied").replace("office-admin allows", "")


@pytest.mark.parametrize(
    ("sort", "key"),
    [
        pytest.param("severity", lambda row: ["critical", "high", "medium", "-"].index(row[0]), id="severity"),
        pytest.param("server", lambda row: row[2] if row[2] != "-" else row[1], id="server"),
        pytest.param("input", lambda row: int(row[9].rpartition(":")[2]), id="input"),
    ],
)
def test_sort_says_what_comes_first(sort: str, key: Callable[[list[str]], Any]) -> None:
    """The worst comes first unless something else is asked for."""
    lines = [line.split("\t") for line in piped("--sort", sort)[0].splitlines()]
    assert lines == sorted(lines, key=key)
    assert sorted(lines) == sorted(line.split("\t") for line in (FOLDER / "piped.txt").read_text().splitlines())


if __name__ == "__main__":
    for width in WIDTHS:
        (FOLDER / f"{width}.txt").write_text(shown(width))
    (FOLDER / "piped.txt").write_text(piped()[0])
