"""Reads the data files of the policies, and refuses what OPA reads otherwise than it is written.

Of two equal keys OPA takes the last, an unquoted 012345670123 becomes another number, and a file that is not named
`data.yaml`, `data.yml` or `data.json` is not read at all: in silence.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import yaml
from msgspec import Struct
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from handler.bundle import DATA, Folder
from handler.check.fault import Fault
from handler.check.syntax import READ

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


class Value(Struct, frozen=True, kw_only=True):
    """A value of a data file, and where it was written."""

    file: Path
    line: int
    node: Node


class Data:
    """All values of the data files in a folder of policies by their place, and what was wrong with reading them."""

    def __init__(self, policies: Folder) -> None:
        self.values: dict[Place, Value] = {}
        self.faults: list[Fault] = []
        for name, content in policies.files.items():
            if name.endswith(DATA):
                self._read(policies.path / name, tuple(name.split("/")[:-1]), content)

    def lists(self, *place: str) -> dict[str, list[str]]:
        """Return the texts of each list directly below a place, by its name."""
        places = [step for step, value in self.values.items() if step[:-1] == place and is_list(value.node)]
        return {str(step[-1]): self.texts(step) for step in places}

    def texts(self, place: Place) -> list[str]:
        """Return the texts of the list at a place; none where there is no list."""
        value = self.values.get(place)
        return [item.value for item in value.node.value if is_text(item)] if value and is_list(value.node) else []

    def _read(self, file: Path, place: Place, content: bytes) -> None:
        try:
            text = content.decode()
            if file.suffix == ".json":
                json.loads(text)
                text = _as_yaml(text)
            node = yaml.compose(text, Loader=_LOADER)
            if isinstance(node, MappingNode):
                self._walk(file, place, node)
            else:
                self._refuse(file, 1, "holds no `key: value`, so OPA skips it; write one or remove the file")
        except json.JSONDecodeError as error:
            marked = text.startswith("\ufeff")
            reason = "it begins with a byte order mark; save it as UTF-8 without one" if marked else error.msg
            self._refuse(file, error.lineno, f"cannot be read: {reason}")
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            tab = mark and "".join(text.splitlines()[mark.line : mark.line + 1])[mark.column : mark.column + 1] == "\t"
            reason = ", ".join(filter(None, (error.context, error.problem)))
            problem = "there is a tab; indent with spaces" if tab else reason
            self._refuse(file, mark.line + 1 if mark else None, f"cannot be read: {problem}")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            self._refuse(file, line, "cannot be read: it is not all UTF-8; save it as UTF-8")
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            self._refuse(file, line, f"cannot be read: the character U+{ord(text[error.position]):04X}; remove it")
        except yaml.YAMLError as error:
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
                elif key.value == "<<":
                    self._refuse(file, _line(key), "the key << merges another object into this; write its keys out")
                else:
                    self._refuse(file, _line(key), f"the key {spelled(key)} is not text; write it in quotes")

    def _keep(self, place: Place, value: Value) -> None:
        earlier = self.values.setdefault(place, value)
        if earlier is value or _can_be_joined(earlier, value):
            self._walk(value.file, place, value.node)
            return
        first = f"line {earlier.line}" if earlier.file == value.file else f"{earlier.file}:{earlier.line}"
        problem = f"the key {place[-1]} is repeated (it is on {first} too) and only one counts; join or rename them"
        self._refuse(value.file, value.line, problem, "repeated-key")

    def _refuse(self, file: Path, line: int | None, problem: str, rule: str = "data") -> None:
        self.faults.append(Fault(rule=rule, file=file, line=line, problem=problem))


def unread_files(folder: Folder) -> Iterator[Fault]:
    """Find files that OPA passes over because of their names, and data where nobody asks for any.

    Prose beside the policies is welcome; in the folders of statements it ends in .md, since policies are written there.
    """
    for file in sorted(path for path in folder.path.rglob("*") if path.is_file()):
        *parents, name = file.relative_to(folder.path).parts
        if any(part.startswith(".") for part in (*parents, name)):
            continue
        in_statements = parents[:1] and parents[0] in READ
        if name in DATA:
            if in_statements:
                remedy = "write rows into servers/data.yaml, prohibitions in Rego, constants of your own elsewhere"
                yield Fault(rule="unread-file", file=file, problem=f"nobody asks for data in this folder; {remedy}")
        elif file.suffix not in ({".rego", ".md"} if in_statements else {".rego", ".md", ""}):
            data = file.suffix.lower() in {".yaml", ".yml", ".json"}
            remedy = "make it data.yaml in a folder" if data else "let it end in .rego (or .md), or remove it"
            yield Fault(rule="unread-file", file=file, problem=f"OPA does not read a file of this name; {remedy}")


def _can_be_joined(earlier: Value, value: Value) -> bool:
    both = isinstance(earlier.node, MappingNode) and isinstance(value.node, MappingNode)
    return both and earlier.file != value.file


def is_list(node: Node) -> bool:
    """Tell whether OPA reads a list."""
    return isinstance(node, SequenceNode)


def is_number(node: Node) -> bool:
    """Tell whether OPA reads a number, as it does of 089122223333, 1e3 and 0o17, which are text to PyYAML."""
    plain = isinstance(node, ScalarNode) and not node.style
    return plain and bool(_NUMBER.fullmatch(node.value.replace("_", "")))


def is_misread(node: Node) -> bool:
    """Tell whether OPA reads a number that people would not: 0443 is 291 to it, and 1_000 is 1000."""
    return is_number(node) and not _PLAIN_NUMBER.fullmatch(node.value)


def is_text(node: Node) -> bool:
    """Tell whether OPA reads text."""
    return isinstance(node, ScalarNode) and node.tag == _TEXT and not is_number(node)


def spelled(node: Node) -> str:
    """Spell a value for a message."""
    return str(node.value) if isinstance(node, ScalarNode) else "a list or an object"


def _as_yaml(text: str) -> str:
    """JSON is YAML but for tabs and for characters beyond the first plane, which it escapes in two halves."""
    return _SURROGATES.sub(lambda pair: str(json.loads(f'"{pair[0]}"')), text.replace("\t", " "))


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1
