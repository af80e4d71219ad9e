"""The tables, commands and links of README and docs/ are held to the code."""

import re
import shlex
from pathlib import Path
from typing import get_args

import pytest
from msgspec.structs import fields

from handler.alert.content import Carried, content
from handler.alert.message import ATTRIBUTES, Earlier
from handler.check.advice import LIMITS
from handler.check.fault import RULES
from handler.check.hints import KEYS
from handler.cli import main
from handler.decision import Cause, Grade
from handler.outcome import Engine
from handler.reporters import REPORTERS
from handler.settings import ROOT, Settings
from tests.pages import DOCS, FENCED, PAGES, README, blocks, names, table


def test_readme_is_short_and_begins_with_the_commands() -> None:
    """It has at most 200 lines; what the two commands need, and they themselves, stand before line 40."""
    lines = README.read_text().splitlines()
    assert len(lines) <= 200
    beginning = "\n".join(lines[:39])
    assert all(text in beginning for text in ("Python 3.11", "apt install", "$ make demo", "$ make test"))


def test_every_page_is_reached_from_the_readme() -> None:
    """The README links every page of docs/."""
    assert sorted(table(README, "page")) == sorted(
        f"[{page.read_text().partition(chr(10))[0].removeprefix('# ')}](docs/{page.name})" for page in PAGES[1:]
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_resolve(page: Path) -> None:
    """Every link within the project names a file that is there, and a heading of it."""
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCED.sub("", page.read_text())):
        path, _, anchor = target.partition("#")
        if path.startswith("https://"):
            continue
        file = page.parent / path if path else page
        assert file.exists(), target
        assert not anchor or anchor in _anchors(file), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_exist(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every command that a page shows is there: make's targets and variables, portcullis's subcommands and options."""
    makefile = (ROOT / "Makefile").read_text() + (ROOT / "tools" / "image").read_text()
    for block in blocks(page, "console"):
        for line in re.findall(r"^\$ (.*)$", block.text, re.MULTILINE):
            program, name, *words = shlex.split(line)
            if program == "make":
                assert f"\n{name}:" in makefile, line
                assert all(f"{word.partition('=')[0]}:-" in makefile for word in words if "FLAGS" not in word), line
            elif program == "portcullis":
                assert set(re.findall(r"--[a-z-]+", line)) <= set(re.findall(r"--[a-z-]+", _help(name, capsys))), line
            else:
                assert program in {"aws", "docker", "opa", "python3", "terraform"}, line


@pytest.mark.parametrize(
    ("command", "heading"),
    [
        ("check", "`--tests DIR`"),
        ("allowed", "`--expiring DAYS`"),
        ("decide", "`--denied`"),
        ("baseline", "`--by-tag TAG`"),
    ],
)
def test_every_option_is_described(command: str, heading: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The table of a command's options has all of them, and no others."""
    pages = "".join(page.read_text() for page in PAGES)
    tables = re.findall(r"(?<=^\| option \| meaning \|\n).*?(?=^$)", pages, re.DOTALL | re.MULTILINE)
    (described,) = (rows for rows in tables if heading in rows)
    assert set(re.findall(r"^\| `(--[a-z-]+)", described, re.MULTILINE)) == set(
        re.findall(r"--[a-z-]+", _help(command, capsys))
    ) - {"--help"}


def test_every_check_is_described() -> None:
    """The two tables of the guide have every id of a check, in the order of the code, and no other."""
    page = DOCS / "policies.md"
    refused, warned = re.findall(r"\| id \| (what is refused|what is warned of) \|", page.read_text())
    assert (refused, warned) == ("what is refused", "what is warned of")
    rows = re.findall(r"^\| `([a-z-]+)` \|", _guide().partition("\n## What the check refuses")[2], re.MULTILINE)
    assert rows == list(RULES)


@pytest.mark.parametrize("kind", KEYS)
def test_every_field_of_a_statement_is_described(kind: str) -> None:
    """The guide has a row for each field of an allowance and of a prohibition."""
    assert (
        set(names(table(DOCS / "policies.md", f"field of {'an' if kind == 'allowance' else 'a'} {kind}"))) == KEYS[kind]
    )


def test_limits_are_those_of_the_check() -> None:
    """The guide has the limits of the check with their defaults."""
    rows = table(DOCS / "policies.md", "limit")
    assert {name.strip("`"): int(default) for name, (default, _) in rows.items()} == LIMITS


def test_causes_and_severities_are_those_of_the_gate() -> None:
    """The guide has a row for each cause and each severity that a decision can have."""
    assert names(table(DOCS / "policies.md", "cause of a denied range")) == list(get_args(Cause))
    assert names(table(DOCS / "policies.md", "severity")) == [*get_args(Grade), "none"]


def test_every_setting_is_described() -> None:
    """A setting has a row with its name and its default, and no row is of another."""
    rows = table(DOCS / "settings.md", "variable")
    defaults = {field.name.upper(): "" if field.required else field.default for field in fields(Settings)}
    assert sorted(names(rows)) == sorted(defaults)
    described = {name.strip("`"): cells[0].strip() for name, cells in rows.items()}
    assert described | {"POLICIES_PATH": ""} == {
        name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in defaults.items()
    } | {"POLICIES_PATH": ""}


def test_every_reporter_is_described() -> None:
    """A reporter has a row: what it understands, with which permission, and what it cannot see."""
    rows = table(DOCS / "scanners.md", "reporter")
    assert names(rows) == [reporter.NAME for reporter in REPORTERS]
    assert {len(cells) for cells in rows.values()} == {3}


def test_every_attribute_of_a_message_is_described() -> None:
    """The attributes are those that a message carries."""
    assert tuple(names(table(DOCS / "alerts.md", "attribute"))) == ATTRIBUTES


def test_every_key_of_the_json_is_described() -> None:
    """The table of the JSON has every key of a message, and no other."""
    heading = dict.fromkeys([*ATTRIBUTES, "subject"], "")
    frame = content(
        Carried(kind="digest", summary=[], earlier=Earlier(), news=[{"episode": "8f2c"}]),
        heading,
        Engine(policy="3f2a1c9", opa="1.22.2"),
        10_000,
    )
    assert set(names(table(DOCS / "alerts.md", "key"))) == set(frame)


def test_every_room_is_described() -> None:
    """The architecture has every module and folder of the product, and none that is not there."""
    rooms = {f"{path.name}/" if path.is_dir() else path.name for path in (ROOT / "handler").iterdir()}
    rooms -= {"__init__.py", "__pycache__/"}
    assert set(names(table(DOCS / "architecture.md", "room"))) == rooms


def _guide() -> str:
    return (DOCS / "policies.md").read_text()


def _help(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0, command
    return capsys.readouterr().out


def _anchors(file: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", FENCED.sub("", file.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
