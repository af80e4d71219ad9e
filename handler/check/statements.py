"""Judges every statement of the register: what the gate would refuse, what never applies, and what opens in silence."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw, Struct

from handler.check.conditions import Conditions
from handler.check.data_files import Data
from handler.check.data_shapes import INVISIBLE
from handler.check.fault import Fault
from handler.check.hints import in_detail
from handler.check.register import KEY_PROBLEM, Way, depends_on_input
from handler.check.syntax import statement_rules, written_ids
from handler.check.workspace import Workspace, complaint, shown
from handler.check.written import Written

_EFFECTS = {"allowance": "covers nothing", "prohibition": "denies whatever it applies to"}

_WHOSE = {("server", field) for field in ("account", "id", "tags", "name")}
"""What an allowance asks for of which one at least says whom it is for."""

READINGS = """{
    "allowance": [[index, networks, reading] |
        some index, statement in input.allowance
        reading := data.gate._allowance(statement)
        reading.problems == []
        networks := {word: listed | some word in reading.words; listed := data.networks[word]}
    ],
    "prohibition": [[index, networks, reading] |
        some index, statement in input.prohibition
        reading := data.gate._prohibition(statement)
        reading.problems == []
        networks := {word: listed | some word in reading.words; listed := data.networks[word]}
    ],
}"""
"""How the gate reads the statements that are the input, by kind, where nothing is wrong with them: [index, networks
that the words name, reading]."""

# What the gate says of the statements of the register: [kind, index, field, problem] of what it would refuse, for each
# allowance whether it is open to all of IPv4 and of IPv6, and the readings. Every port is open to anyone where a
# prohibition is judged, so that one which then forbids nothing never forbids anything.
_JUDGED = """{
    "administrative": {protocol: data.gate._administrative(protocol) | some protocol in ["tcp", "udp"]},
    "open": [[statement.id, families] |
        some statement in input.allowance
        united := data.gate._allowance(statement).networks
        families := [family |
            some [family, everybody] in [["v4", "0.0.0.0/0"], ["v6", "::/0"]]
            everybody in united[family]
        ]
    ],
    "readings": READINGS,
    "problems": array.concat(
        [["allowance", index, problem.field, problem.problem] |
            some index, statement in input.allowance
            some problem in data.gate._allowance(statement).problems
        ],
        [["prohibition", index, field, problem] |
            exposures := [{"protocol": protocol, "from_port": 0, "to_port": 65535, "sources": ["unknown"]} |
                some protocol in ["tcp", "udp"]
            ]
            some index, statement in input.prohibition
            decision := data.gate.decision with input as {"exposures": exposures}
                with data.allow.allowance as set()
                with data.servers as {}
                with data.forbid.prohibition as {statement}
            some [field, problem] in array.concat(
                [[found.field, found.problem] | some found in decision.problems; found.kind == "prohibition"],
                [["except", "holds all of its sources"] |
                    not "prohibited" in {entry.cause | some entry in decision.denied}
                ],
            )
        ],
    ),
}""".replace("READINGS", READINGS)


class _Judged(Struct, frozen=True):
    administrative: dict[str, list[int]]
    open: list[tuple[Any, list[str]]]
    problems: list[tuple[str, int, str, str]]
    readings: dict[str, list[tuple[int, Raw, Raw]]]


class Statements:
    """The register of a folder, judged."""

    def __init__(self, workspace: Workspace, conditions: Conditions, written: Written, data: Data) -> None:
        self._workspace = workspace
        self.written = written
        self.conditions = conditions
        self._networks = sorted(data.lists("networks"))
        self.open: dict[str, set[str]] = {}
        self.administrative: dict[str, list[int]] = {}
        self.readings: dict[str, dict[str, tuple[Any, Raw, Raw]]] = {}
        self._ways: dict[tuple[str, str], list[Way]] = {}
        for way in conditions.ways:
            self._ways.setdefault((way.kind, way.id), []).append(way)
        self._register: dict[str, list[Way]] = {"allowance": [], "prohibition": []}
        for way in self._first_ways():
            self._register[way.kind].append(way)
        self._judged = workspace.pool.submit(self._judge)  # while other things are read

    def not_plain(self, modules: dict[Path, dict[str, Any]]) -> Iterator[Fault]:
        """Find statements whose value is known only with a finding, and those with keys that JSON does not know."""
        keys = [fault for file, module in modules.items() for fault in _keys(file, module)]
        yield from keys
        for way in self.conditions.ways:
            if way.problem and not (keys and way.problem == KEY_PROBLEM):
                yield self.written.fault("depends-on-input", way, way.problem, way.field)

    def refused(self) -> Iterator[Fault]:
        """Find statements that the gate would refuse, whomever they are for, and prohibitions that forbid nothing."""
        done = self._judged.result()
        if done.returncode:
            problem = f"the statements cannot be judged; mend what OPA names:\n{complaint(done)}"
            yield Fault(rule="malformed", file=self._workspace.policies.path, problem=problem)
            return
        judged = msgspec.json.decode(done.stdout, type=_Judged)
        self.open = {name: set(families) for name, families in judged.open}
        self.administrative = judged.administrative
        self.readings = {
            kind: {
                way.id: (way.value, networks, reading)
                for index, networks, reading in readings
                for way in self._register[kind][index : index + 1]
            }
            for kind, readings in judged.readings.items()
        }
        for kind, index, field, problem in judged.problems:
            way = self._register[kind][index]
            if field == "except" and problem.startswith("holds all"):
                nothing = "forbids nothing, since except holds all of its sources; mend or remove it"
                yield self.written.fault("forbids-nothing", way, nothing, field)
            elif not (field == "accounts" and way.id in self.written.rows):  # that of a row is said in `data_shapes`
                effect = "excepts nothing" if field == "except" else _EFFECTS[kind]
                detail = in_detail(way, field, problem, self._networks)
                yield self.written.fault("malformed", way, f"{detail}; it {effect} until this is mended", field)

    def _judge(self) -> subprocess.CompletedProcess[str]:
        values = {kind: [way.value for way in ways] for kind, ways in self._register.items()}
        query = ("eval", "--format", "raw", "--fail", "--stdin-input", _JUDGED)
        return self._workspace.opa(*query, stdin=json.dumps(values), statements=False)

    def shared_ids(self) -> Iterator[Fault]:
        """Find ids that several statements have, which a decision could not tell apart."""
        for (kind, name), ways in self._ways.items():
            different = [way for way in ways if way.value != ways[0].value]
            places = self.written.places(kind, name)
            rows = [place for place in places if place.row]
            if name == "unnamed" or not (different or len(rows) > 1):
                continue
            if len(places) > 1:
                place = f" ({shown(places[0].file)}:{places[0].line})"
                problem = f"another {kind} has the id {name} too{place}; give each its own"
                yield Fault(rule="shared-id", file=places[-1].file, line=places[-1].line, id=name, problem=problem)
            elif different:
                field = next(iter(_differing(ways[0].value, different[0].value)), "")
                yield self.written.fault("depends-on-input", ways[0], depends_on_input(field), field)

    def never_applying(self, modules: dict[Path, dict[str, Any]], explained: set[Path | None]) -> Iterator[Fault]:
        """Find ids that cannot be seen, and statements that are not in the register: they apply to nothing at all.

        `explained` are the files in which something that they ask for is known not to be there.
        """
        for file, module in modules.items():
            for kind, name, line in written_ids(module):
                if not name.isprintable():
                    yield Fault(
                        rule="invisible", file=file, line=line, id=name, problem=f"{kind} {name!a}: {INVISIBLE}"
                    )
                if name.strip() and (kind, name) not in self._ways and file not in explained:
                    problem = f"{kind} {name} never applies: something that it asks for is not there; mend or remove it"
                    yield Fault(rule="never-applies", file=file, line=line, id=name, problem=problem)

    def unconditional(self) -> Iterator[Fault]:
        """Find allowances that do not ask whom they are for, and do not say that this is meant."""
        for way in self._first_ways(every=True):
            everywhere = isinstance(way.value, dict) and way.value.get("everywhere") is True
            if way.kind != "allowance" or everywhere or self._says_whom_it_is_for(way):
                continue
            if any(node.get("value") == "input" for node in self.conditions.nodes(way.expressions)):
                problem = "holds in every account, since it asks for no account, id, tag or name; "
                remedy = (
                    'ask for one, as in `input.server.account in data.accounts.production`, or say "everywhere": true'
                )
            else:
                problem = "holds for every server of every account, since it asks nothing of the finding; "
                remedy = 'add `if { ... }` with the servers it is for, or say "everywhere": true'
            yield self.written.fault("unconditional", way, problem + remedy)

    def _says_whom_it_is_for(self, way: Way) -> bool:
        """Tell whether a way asks for account, id, tags or name, be it in a function that OPA left as it is."""
        return any(
            self.conditions.asked(node)[:2] in _WHOSE
            or self.conditions.asks_for_all(node)
            or (self.conditions.is_closed(node) and {field for _, field in _WHOSE} & self.conditions.texts(node))
            for node in self.conditions.nodes(way.expressions)
        )

    def values(self, kind: str) -> list[Way]:
        """Return a way of each statement of a kind that has a fixed value."""
        return [way for way in self._first_ways() if way.kind == kind and isinstance(way.value, dict)]

    def _first_ways(self, *, every: bool = False) -> list[Way]:
        """Return a way of each different value, or every way, of what has a value."""
        chosen: list[Way] = []
        for ways in self._ways.values():
            values: list[Any] = []
            for way in ways:
                if way.problem is None and (every or way.value not in values):
                    values.append(way.value)
                    chosen.append(way)
        return chosen


def _keys(file: Path, module: dict[str, Any]) -> Iterator[Fault]:
    """Find keys of statements that JSON does not know."""
    for kind, rule in statement_rules(module):
        for key, _ in rule["head"]["key"]["value"]:
            if key["type"] != "string":
                problem = f"a key of this {kind} is no text; write text such as `id` or `tcp`"
                yield Fault(rule="malformed", file=file, line=key["location"]["row"], problem=problem)


def _differing(left: Any, right: Any) -> list[str]:
    """Return the fields in which two statements differ."""
    if not (isinstance(left, dict) and isinstance(right, dict)):
        return []
    return [field for field in left | right if left.get(field) != right.get(field)]
