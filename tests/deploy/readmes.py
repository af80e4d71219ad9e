"""The tables in the READMEs of the Terraform modules, in the form of terraform-docs.

`python -m tests.deploy.readmes` writes them anew. The files are read by their layout, which `terraform fmt` keeps: a
block begins at the margin, its attributes two blanks further in.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from handler.settings import ROOT

MODULES = sorted((ROOT / "deploy" / "modules").iterdir())
BEGIN, END = "<!-- BEGIN_TF_DOCS -->", "<!-- END_TF_DOCS -->"

_BLOCK = re.compile(r'^(\w+) ((?:"[\w-]+" ?)*)\{(?:\n(.*?)^)?\}$', re.DOTALL | re.MULTILINE)
_ATTRIBUTE = re.compile(r"^  (\w+) += (.*?)(?=\n  \w|\n\n|\n*\Z)", re.DOTALL | re.MULTILINE)
_REQUIREMENT = re.compile(r'(required_version|version) += "([^"]+)"')


class Block(Struct, frozen=True):
    """A block: what it is (`variable`), its labels, and its attributes as they are written."""

    kind: str
    labels: tuple[str, ...]
    attributes: dict[str, str]
    text: str


def blocks(module: Path) -> list[Block]:
    """Return the blocks of all files of a module."""
    return [block for file in sorted(module.glob("*.tf")) for block in _blocks(file.read_text())]


def _blocks(text: str) -> Iterator[Block]:
    for kind, labels, body in _BLOCK.findall(text):
        attributes = {name: value.strip() for name, value in _ATTRIBUTE.findall(body)}
        yield Block(kind, tuple(re.findall(r'"([\w-]+)"', labels)), attributes, body)


def tables(module: Path) -> str:
    """Return what stands between the marks of a module's README."""
    found = blocks(module)
    terraform, aws = _REQUIREMENT.findall(next(block.text for block in found if block.kind == "terraform"))
    sections = [
        _section("Requirements", "Name | Version", [f"terraform | {terraform[1]}", f"aws | {aws[1]}"]),
        _section("Resources", "Name | Type", sorted(_resources(found))),
        _section("Inputs", "Name | Description | Type | Default | Required", sorted(_inputs(found))),
        _section("Outputs", "Name | Description", sorted(_outputs(found))),
    ]
    return "\n".join(sections)


def _section(title: str, heading: str, rows: list[str]) -> str:
    rule = " | ".join("------" for _ in heading.split(" | "))
    return "\n".join([f"## {title}", "", *(f"| {row} |" for row in (heading, rule, *rows)), ""])


def _resources(found: list[Block]) -> Iterator[str]:
    for block in found:
        if block.kind in {"resource", "data"}:
            yield f"{'.'.join(block.labels)} | {'resource' if block.kind == 'resource' else 'data source'}"


def _inputs(found: list[Block]) -> Iterator[str]:
    for block in found:
        if block.kind == "variable":
            default = block.attributes.get("default")
            cells = [_code(block.attributes["type"]), "n/a" if default is None else _code(default)]
            required = "yes" if default is None else "no"
            yield " | ".join([block.labels[0], block.attributes["description"][1:-1], *cells, required])


def _outputs(found: list[Block]) -> Iterator[str]:
    for block in found:
        if block.kind == "output":
            yield f"{block.labels[0]} | {block.attributes['description'][1:-1]}"


def _code(value: str) -> str:
    if "\n" not in value:
        return f"`{value}`"
    lines = value.replace("\n  ", "\n").splitlines()
    return f"<pre>{'<br/>'.join(lines)}</pre>"


def written(module: Path) -> str:
    """Return a module's README with its tables written anew."""
    before, _, rest = (module / "README.md").read_text().partition(BEGIN)
    return f"{before}{BEGIN}\n{tables(module)}{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    for folder in MODULES:
        (folder / "README.md").write_text(written(folder))
