"""Reads README and docs/ for their tests: code blocks and tables."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from handler.settings import ROOT

README = ROOT / "README.md"
DOCS = ROOT / "docs"
PAGES = [README, *sorted(DOCS.glob("*.md"))]

FENCED = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_FILE = re.compile(r"# (policies|policy_tests)(/\w+)+\.(rego|yaml)\n")


class Block(NamedTuple):
    """A code block of a page: its language, the words after it on the fence, and its text."""

    page: Path
    language: str
    words: tuple[str, ...]
    text: str

    @property
    def file(self) -> str:
        """The file that the first line names."""
        name = _FILE.match(self.text)
        assert name, f"{self.page.name} shows an example of no file:\n{self.text}"
        return name[0].removeprefix("# ").rstrip()


def blocks(page: Path, *languages: str) -> list[Block]:
    """Return the code blocks of a page in these languages."""
    found = (Block(page, match[1], tuple(match[2].split()), match[3]) for match in FENCED.finditer(page.read_text()))
    return [block for block in found if block.language in languages]


def table(page: Path, heading: str) -> dict[str, list[str]]:
    """Return the other cells of each row by the first one, of the table with this heading in its first cell."""
    lines = page.read_text().splitlines()
    (start,) = (number for number, line in enumerate(lines) if line.startswith(f"| {heading} |"))
    rows = {}
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        first, *others = line.strip("| ").replace("| |", "|  |").split(" | ")
        rows[first] = others
    return rows


def names(cells: Iterable[str]) -> list[str]:
    """Return everything in code marks, in its order."""
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]
