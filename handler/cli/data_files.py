"""Reads the data files of the policies, and refuses what OPA reads otherwise than it is written.

Of two equal keys OPA takes the last, an unquoted 012345670123 becomes another number, and a file that is not named
`data.yaml`, `data.yml` or `data.json` is not read at all: in silence.
"""

import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path

import yaml
from msgspec import Struct
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

_NAMES = ("data.yaml", "data.yml", "data.json")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TEXT = "tag:yaml.org,2002:str"
_SURROGATES = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_NUMBER = re.compile(
    r"[-+]?(0[xX][0-9a-fA-F]+|0[oO][-+]?[0-7]+|0[bB][-+]?[01]+|(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?)"
)
"""What OPA's reader of YAML takes for a number, once `_` is removed."""

_PLAIN_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")

Place = tuple[str | int, ...]
"""Where a value stands under `data`: keys of objects and indexes of lists."""


class Fault(Struct, frozen=True, kw_only=True):
    """What is wrong and what to do about it. `line` counts from 1; file and line are null where nobody knows them.

    One that is not `grave` is only a warning.
    """

    file: Path | None = None
    line: int | None = None
    problem: str
    grave: bool = True


class Value(Struct, frozen=True, kw_only=True):
    """A value of a data file, and where it was written."""

    file: Path
    line: int
    node: Node


class Data:
    """All values of the data files in a folder of policies by their place, and what was wrong with reading them."""

    def __init__(self, policies: Path) -> None:
        self.files = 0
        self.values: dict[Place, Value] = {}
        self.faults: list[Fault] = []
        for file in sorted(policies.rglob("*")):
            if file.name in _NAMES:
                self.files += 1
                self._read(file, file.relative_to(policies).parts[:-1])

    def _read(self, file: Path, place: Place) -> None:
        try:
            text = file.read_text(encoding="utf-8")
            node = yaml.compose(_as_yaml(text) if file.suffix == ".json" else text, Loader=_LOADER)
            if isinstance(node, MappingNode):
                self._walk(file, place, node)
            else:
                self._refuse(file, 1, "holds no `key: value`, so OPA skips it; write one or remove the file")
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            tab = mark and "".join(text.splitlines()[mark.line : mark.line + 1])[mark.column : mark.column + 1] == "\t"
            problem = "there is a tab; indent with spaces" if tab else error.problem
            self._refuse(file, mark.line + 1 if mark else None, f"cannot be read: {problem}")
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            self._refuse(file, None, f"cannot be read: {error}")
        except RecursionError:
            self._refuse(file, None, "nests too deep, perhaps an alias within its own anchor; write the value out")

    def _walk(self, file: Path, place: Place, node: Node) -> None:
        if isinstance(node, SequenceNode):
            for index, item in enumerate(node.value):
                self._keep((*place, index), Value(file=file, line=_line(item), node=item))
        elif isinstance(node, MappingNode):
            for key, item in node.value:
                if is_text(key):
                    self._keep((*place, key.value), Value(file=file, line=_line(key), node=item))
                else:
                    self._refuse(file, _line(key), f"the key {spelled(key)} is not text; write it in quotes")

    def _keep(self, place: Place, value: Value) -> None:
        earlier = self.values.setdefault(place, value)
        if earlier is value or _can_be_joined(earlier, value):
            self._walk(value.file, place, value.node)
            return
        where = f"line {earlier.line}" if earlier.file == value.file else f"{earlier.file}:{earlier.line}"
        problem = f"the key {place[-1]} is repeated (it is on {where} too) and only one counts; join or rename them"
        self._refuse(value.file, value.line, problem)

    def _refuse(self, file: Path, line: int | None, problem: str) -> None:
        self.faults.append(Fault(file=file, line=line, problem=problem))


def not_read(folder: Path, teams: Collection[str]) -> Iterator[Fault]:
    """Find files that OPA passes over because of their names, and data where nobody asks for any.

    Prose beside the policies is welcome; in the folders of the teams it ends in .md, since policies are written there.
    """
    for file in sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")):
        of_team = file.relative_to(folder).parts[0] in teams
        if file.name in _NAMES:
            if of_team:
                remedy = "write rows into servers/data.yaml, prohibitions in Rego, constants of your own elsewhere"
                yield Fault(file=file, problem=f"nobody asks for data in this folder; {remedy}")
        elif file.suffix not in ({".rego", ".md"} if of_team else {".rego", ".md", ""}):
            data = file.suffix.lower() in {".yaml", ".yml", ".json"}
            remedy = "make it data.yaml in a folder" if data else "let it end in .rego (or .md), or remove it"
            yield Fault(file=file, problem=f"OPA does not read a file of this name; {remedy}")


def _can_be_joined(earlier: Value, value: Value) -> bool:
    both = isinstance(earlier.node, MappingNode) and isinstance(value.node, MappingNode)
    return both and earlier.file != value.file


def is_number(node: Node) -> bool:
    """Say whether OPA reads a number, as it does of 089122223333, 1e3 and 0o17, which are text to PyYAML."""
    plain = isinstance(node, ScalarNode) and not node.style
    return plain and bool(_NUMBER.fullmatch(node.value.replace("_", "")))


def is_misread(node: Node) -> bool:
    """Say whether OPA reads a number that people would not: 0443 is 291 to it, and 1_000 is 1000."""
    return is_number(node) and not _PLAIN_NUMBER.fullmatch(node.value)


def is_text(node: Node) -> bool:
    """Say whether OPA reads text."""
    return isinstance(node, ScalarNode) and node.tag == _TEXT and not is_number(node)


def spelled(node: Node) -> str:
    """Give a value for a message."""
    return str(node.value) if isinstance(node, ScalarNode) else "a list or an object"


def _as_yaml(text: str) -> str:
    """JSON is YAML but for tabs and for characters beyond the first plane, which it escapes in two halves."""
    return _SURROGATES.sub(lambda pair: str(json.loads(f'"{pair[0]}"')), text.replace("\t", " "))


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1
