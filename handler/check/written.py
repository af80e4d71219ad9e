"""Where statements are written: in Rego, in the table, or in data of the team's own."""

from pathlib import Path
from typing import Any

from msgspec import Struct
from yaml.nodes import MappingNode

from handler.check.data_files import Data
from handler.check.data_shapes import is_row
from handler.check.fault import Fault
from handler.check.register import NotPlainError, Way, plain
from handler.check.syntax import READ, package

_OF_A_FIELD = {"malformed", "depends-on-input"}


class Place(Struct, frozen=True):
    """Where a statement is written: its file, the line of its id, and the lines of its fields by name.

    `rule` is the line at which its rule begins, `row` its place in the table; one of them is null. `value` is the
    statement as it is written out, null where a part of it is not.
    """

    file: Path
    line: int
    fields: dict[str, int]
    rule: int | None = None
    row: tuple[str | int, ...] | None = None
    value: Any = None


class Written:
    """Where statements are written, by kind and id; those without an id that is written out are `unnamed`."""

    def __init__(self, modules: dict[Path, dict[str, Any]], data: Data) -> None:
        self._places: dict[tuple[str, str], list[Place]] = {}
        for file, module in modules.items():
            kind = READ.get(package(module), "")
            for rule in module.get("rules", []):
                if rule["head"]["ref"][0]["value"] == kind:
                    name, place = _of_rule(file, rule)
                    self._places.setdefault((kind, name), []).append(place)
        self.rows: set[str] = set()
        for step, value in data.values.items():
            if step[-1] == "id" and isinstance(value.node.value, str):
                row = step[:-1] if is_row(step[:-1]) else None
                place = Place(value.file, value.line, _lines(data, step[:-1]), row=row)
                for kind in ("allowance",) if row else READ.values():
                    self._places.setdefault((kind, value.node.value), []).append(place)
                self.rows |= {value.node.value} if row else set()

    def places(self, kind: str, name: str) -> list[Place]:
        """Return every place at which the id of a statement is written."""
        return self._places.get((kind, name), [])

    def fault(self, rule: str, way: Way, problem: str, field: str = "", level: Any = "error") -> Fault:
        """Return what is wrong with a statement, at the line of the field or of its id, or of a rule without one."""
        places = self.places(way.kind, way.id) or self.places(way.kind, "unnamed")
        place = next((place for place in places if place.value == way.value), next(iter(places), None))
        line = place.fields.get(field, place.line) if place else None
        file = place.file if place else None
        name = f"{way.kind} {way.id}{':' * (rule in _OF_A_FIELD)}"
        return Fault(rule=rule, file=file, line=line, id=way.id, problem=f"{name} {problem}", level=level)


def _of_rule(file: Path, rule: dict[str, Any]) -> tuple[str, Place]:
    """Return the id and the place of the statement that a rule is."""
    head = rule["head"]
    statement = head.get("key") or {"type": "none", "value": None}
    entries = statement["value"] if statement["type"] == "object" else []
    fields = {key["value"]: key["location"]["row"] for key, _ in entries if key["type"] == "string"}
    ids = [value for key, value in entries if key["value"] == "id" and value["type"] == "string"]
    name = ids[0]["value"] if ids and ids[0]["value"].strip() else "unnamed"
    try:
        value = plain(statement)
    except NotPlainError:
        value = None
    line = head["location"]["row"]
    return name, Place(file, ids[0]["location"]["row"] if ids else line, fields, rule=line, value=value)


def _lines(data: Data, place: tuple[str | int, ...]) -> dict[str, int]:
    """Return the lines of the fields of an object in a data file, by name."""
    node = data.values[place].node if place in data.values else None
    entries = node.value if isinstance(node, MappingNode) else []
    return {str(key.value): key.start_mark.line + 1 for key, _ in entries}
