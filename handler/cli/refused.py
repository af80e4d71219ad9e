"""What the gate would refuse of the policies, whomever it is for: rows of the table, and what is written in Rego."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from handler.cli.conditions import Conditions
from handler.cli.consent import UNTAGGED, UNTAGGED_QUERY, consent
from handler.cli.data_files import Data, Fault
from handler.cli.data_shapes import INVISIBLE, is_row
from handler.cli.register import QUERY, NotPlainError, statements
from handler.cli.strange import strange
from handler.cli.tool import Tool, complaint, shown
from handler.cli.unread import READ, ids

_REGISTER = {"allowance": "data.gate.allowance[_]", "prohibition": "data.forbid.prohibition[_]"}
"""Where every statement is, by kind: the engine's allowances are those of rules and rows."""

# What the gate says against each statement of the register, as [kind, id, field, problem]. Every port is open to anyone
# where a prohibition is judged, so that one which then forbids nothing never forbids anything.
_AGAINST_STATEMENTS = """array.concat(
    [[found.kind, found.id, found.field, found.problem] |
        some statement in input.allowance
        decision := data.gate.decision with input as {}
            with data.allow.allowance as {statement}
            with data.forbid.prohibition as set()
        some found in decision.problems
        found.kind == "allowance"
    ],
    [["prohibition", id, field, problem] |
        exposures := [{"protocol": protocol, "from_port": 0, "to_port": 65535, "sources": ["unknown"]} |
            some protocol in ["tcp", "udp"]
        ]
        some statement in input.prohibition
        decision := data.gate.decision with input as {"exposures": exposures}
            with data.allow.allowance as set()
            with data.forbid.prohibition as {statement}
        some [id, field, problem] in array.concat(
            [[found.id, found.field, found.problem] | some found in decision.problems; found.kind == "prohibition"],
            [[statement.id, "except", "holds all of its sources, so it forbids nothing"] |
                not "prohibited" in {entry.cause | some entry in decision.denied}
            ],
        )
    ],
)"""

# What the gate says against each row, as [place, id, field, problem]. A row's accounts are not its business.
_AGAINST_ROWS = """[[array.concat(["servers"], place), found.id, found.field, found.problem] |
    walk(data.servers, [place, row])
    count(place) == {"by_name": 3, "by_id": 3, "by_tag": 4}[place[0]]
    is_object(row)
    decision := data.gate.decision with input as {}
        with data.allow.allowance as {object.remove(row, ["accounts"])}
        with data.forbid.prohibition as set()
    some found in decision.problems
    found.kind == "allowance"
]"""


class Refused:
    """The gate's own word on a folder of policies. The rows come first: what is said of one is not said again."""

    def __init__(self, policies: Path, data: Data, opa: Tool) -> None:
        self._policies = policies
        self._data = data
        self._opa = opa
        self._said_of_rows: set[tuple[str, str, str]] = set()

    def rows(self) -> Iterator[Fault]:
        """Find rows of the table that the gate would refuse."""
        done = self._opa.run("eval", "--format", "raw", "--fail", "--bundle", self._policies, _AGAINST_ROWS)
        if done.returncode:
            yield Fault(problem=f"the rows of the table cannot be judged; mend what OPA names:\n{complaint(done)}")
            return
        for place, name, field, problem in json.loads(done.stdout):
            self._said_of_rows.add((name, field, problem))
            written = self._data.values.get((*place, field)) or self._data.values.get(tuple(place))
            said = f"{field} {problem}; the row covers nothing until this is mended"
            yield Fault(problem=said, file=written.file if written else None, line=written.line if written else None)

    def statements(self, modules: dict[Path, dict[str, Any]]) -> Iterator[Fault]:
        """Find allowances and prohibitions in Rego that the gate would refuse, whomever they are for, or never sees."""
        register = {}
        for kind, query in _REGISTER.items():
            done = self._opa.run("eval", *QUERY, "--bundle", self._policies, f"x := {query}")
            if done.returncode:
                yield Fault(problem=f"{query} cannot be printed; mend what OPA names:\n{complaint(done)}")
                return
            answer = json.loads(done.stdout)
            try:
                register[kind] = list(statements(answer))
            except NotPlainError as error:
                package = next(name for name, read in READ.items() if read == kind)
                yield Fault(problem=f"a value of data.{package}.{kind}: {error}")
                return
            yield from self._shared_ids(kind, register[kind])
            conditions = Conditions(answer)
            yield from self._said(kind, strange(conditions))
            if kind == "allowance":
                yield from self._consenting(conditions)
        yield from _written_ids(register, modules)
        arguments = ("eval", "--format", "raw", "--fail", "--stdin-input", "--bundle", self._policies)
        done = self._opa.run(*arguments, _AGAINST_STATEMENTS, given=json.dumps(register))
        if done.returncode:
            yield Fault(problem=f"the policies cannot be judged; mend what OPA names:\n{complaint(done)}")
            return
        for kind, name, field, problem in json.loads(done.stdout):
            if (name, field, problem) in self._said_of_rows:
                continue
            effect = "covers nothing" if kind == "allowance" else "denies whatever it applies to"
            remedy = "mend or remove it" if field == "except" else f"it {effect} until this is mended"
            said = f"{kind} {name}: {field} {problem}; {remedy}"
            file, line = self._written(name)
            yield Fault(problem=said, file=file, line=line)

    def _consenting(self, conditions: Conditions) -> Iterator[Fault]:
        """Find allowances for which it is enough that nobody knows the server's tags."""
        known = ("--stdin-input", "--bundle", self._policies)
        done = self._opa.run(
            "eval", *UNTAGGED_QUERY, *known, f"x := {_REGISTER['allowance']}", given=json.dumps(UNTAGGED)
        )
        if done.returncode:
            yield Fault(
                problem=f"no allowance can be judged where no tags are known; mend what OPA names:\n{complaint(done)}"
            )
        else:
            yield from self._said("allowance", consent(conditions, Conditions(json.loads(done.stdout))))

    def _said(self, kind: str, found: Iterator[tuple[str, str]]) -> Iterator[Fault]:
        for name, problem in dict.fromkeys(found):
            file, line = self._written(name)
            yield Fault(problem=f"{kind} {name} {problem}", file=file, line=line)

    def _shared_ids(self, kind: str, found: list[Any]) -> Iterator[Fault]:
        first: dict[str, Any] = {}
        for statement in found:
            name = statement.get("id") if isinstance(statement, dict) else None
            if isinstance(name, str) and first.setdefault(name, statement) != statement:
                *others, last = self._places(name) or [(None, None)]
                where = "".join(f" ({shown(file)}:{line})" for file, line in others[:1] if file)
                problem = f"another {kind} has the id {name} too{where}; give each its own"
                yield Fault(problem=problem, file=last[0], line=last[1])

    def _written(self, name: str) -> tuple[Path | None, int | None]:
        """Find where an id is written."""
        return next(iter(self._places(name)), (None, None))

    def _places(self, name: str) -> list[tuple[Path | None, int | None]]:
        """Find where an id is written, in Rego and then in the table."""
        spelled = f'"id": {json.dumps(name, ensure_ascii=False)}'
        files = {file: file.read_text(encoding="utf-8", errors="replace") for file in self._policies.rglob("*.rego")}
        lines = [(file, *one) for file in sorted(files) for one in enumerate(files[file].splitlines(), start=1)]
        rows = [value for place, value in self._data.values.items() if place[-1] == "id" and is_row(place[:-1])]
        in_rego = [(file, number) for file, number, line in lines if spelled in line]
        return [*in_rego, *((row.file, row.line) for row in rows if row.node.value == name)]


def _written_ids(register: dict[str, list[Any]], modules: dict[Path, dict[str, Any]]) -> Iterator[Fault]:
    """Find ids that cannot be read, and those that are not in the register: they apply to nothing at all."""
    listed = {(kind, found.get("id")) for kind in register for found in register[kind] if isinstance(found, dict)}
    for file, module in modules.items():
        for kind, name, line in ids(module):
            if not name.isprintable():
                yield Fault(file=file, line=line, problem=f"{kind} {name!a}: {INVISIBLE}")
            if (kind, name) not in listed:
                problem = f"{kind} {name} never applies: something that it asks for is not there; mend or remove it"
                yield Fault(file=file, line=line, problem=problem)
