"""The gate is exactly what the design says: held against a plain reading of it, over random policies and findings."""

import json
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from functools import cache, reduce
from operator import or_
from pathlib import Path
from pprint import pformat
from random import Random
from typing import NamedTuple

import msgspec
import pytest

from handler.check.statements import READINGS
from handler.decision import Decision
from tests.gate_cases import Case, Json, case, networks
from tests.gate_policies import Problem, World, read_allowance, read_prohibition
from tests.gate_reading import decision
from tests.gate_words import Address, bits, span

SEED = 20261124
WORLDS, CASES = 4, 450
POLICIES = Path(__file__).parent.parent / "policies"
ADMINISTRATIVE = {"tcp": [3, 22, 23, 65534], "udp": [8]}

APPLYING = """
package allow

allowance contains lists_as(value, data.cases[input.case].sets) if some value in data.cases[input.case].allowances

lists_as(value, false) := value

lists_as(value, true) := value if not is_object(value)

lists_as(value, true) := {key: as_set(key, inner) | some key, inner in value} if is_object(value)

as_set(key, inner) := {one | some one in inner} if {
	key in {"tcp", "udp", "sources", "except"}
	is_array(inner)
} else := inner
"""
FORBIDDEN = """
package forbid

prohibition contains data.allow.lists_as(value, data.cases[input.case].sets) if {
	some value in data.cases[input.case].prohibitions
}
"""
QUERY = """answer := [data.gate.batch.decisions, {format_int(index, 10): decided |
	some index in %s
	finding := input.findings[index]
	decided := data.gate.decision with input as finding
}, [value |
	some key, kind in {"allowances": "allowance", "prohibitions": "prohibition"}
	some _, named in data.cases
	some value in named[key]
	data.gate._registered(kind, value)
]]"""

Span = tuple[str, int, int]
"""The family of a network, and its first and last address."""


class Opa:
    """Real OPA with the real gate, and cases as data."""

    def __init__(self, path: str, folder: Path) -> None:
        self.path = path
        self.folder = folder
        self.registered: Json = {}
        self.hits: list[Json] = []
        shutil.copytree(POLICIES / "gate", folder / "policies" / "gate")
        (folder / "policies" / "allow.rego").write_text(APPLYING)
        (folder / "policies" / "forbid.rego").write_text(FORBIDDEN)

    def register(self, cases: list[Case], named: Json) -> None:
        """Keep how the gate reads the statements of the cases with these networks; of each id the first."""
        statements: dict[str, list[Json]] = {"allowance": [], "prohibition": []}
        for one in cases:
            statements["allowance"] += one.allowances
            statements["prohibition"] += one.prohibitions
        (self.folder / "policies" / "data.json").write_text(spelled({"networks": named}))
        (self.folder / "input.json").write_text(spelled(statements))
        register: dict[str, Json] = {}
        for kind, readings in self._query(f"answer := {READINGS}").items():
            for index, words, reading in readings:
                value = statements[kind][index]
                register.setdefault(kind, {}).setdefault(value["id"], [value, words, reading])
        self.registered = {"register": register}

    def decide(self, cases: list[Case], named: Json) -> list[Json]:
        """Give the decisions on the cases as one batch. Every ninth is also decided alone, and has to be the same.

        The statements whose reading comes out of the register are counted as `hits`.
        """
        data = {
            "cases": {str(index): one._asdict() | {"finding": None} for index, one in enumerate(cases)},
            "networks": named,
            "ports": {"administrative": ADMINISTRATIVE},
            "_portcullis": self.registered,
        }
        findings = [marked(one.finding, index) for index, one in enumerate(cases)]
        alone = list(range(0, len(cases), 9))
        (self.folder / "policies" / "data.json").write_text(spelled(data))
        (self.folder / "input.json").write_text(spelled({"findings": findings}))
        answer = self._query(QUERY % alone)
        batch: list[Json] = answer[0]
        assert len(batch) == len(cases)
        assert answer[1] == {str(index): batch[index] for index in alone}
        self.hits = answer[2]
        return batch

    def _query(self, query: str) -> Json:
        arguments = ["--strict-builtin-errors", "--format", "json", "-d", "policies", "-i", "input.json", query]
        ran = subprocess.run([self.path, "eval", *arguments], cwd=self.folder, capture_output=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return json.loads(ran.stdout)["result"][0]["bindings"]["answer"]


def marked(finding: Json, index: int) -> Json:
    """Tie a finding to its case; what is no object stays as it is, and nothing applies to it."""
    return finding | {"case": str(index)} if isinstance(finding, dict) else finding


def spelled(value: Json) -> str:
    """Write JSON, with a number that no float holds where Python has infinity."""
    return json.dumps(value).replace("Infinity", "1e400")


@pytest.fixture(scope="module")
def opa(opa_path: str, tmp_path_factory: pytest.TempPathFactory) -> Opa:
    """Give OPA with the gate."""
    return Opa(opa_path, tmp_path_factory.mktemp("gate"))


def read(one: Case, named: Json) -> Json:
    """Read a case plainly."""
    applying = (one.allowances, one.prohibitions) if isinstance(one.finding, dict) else ([], [])
    return decision(one.finding, *applying, World(named, ADMINISTRATIVE))


def comparable(decided: Json, expected: Json) -> Json:
    """Leave out of a decision what is said to people, after a look at its form."""
    msgspec.convert(decided, Decision)
    keys = [(entry["field"], entry["id"] or "", entry["kind"], entry["problem"]) for entry in decided["problems"]]
    assert keys == sorted(keys)
    assert all(decided["denied"].count(entry) == 1 for entry in decided["denied"])
    denied = [{key: value for key, value in entry.items() if key != "reason"} for entry in decided["denied"]]
    denied = [entry for index, entry in enumerate(denied) if index == 0 or entry != denied[index - 1]]
    if len(denied) == len(expected["denied"]):
        denied = [by_address(entry, read) for entry, read in zip(denied, expected["denied"], strict=True)]
    return decided | {
        "denied": denied,
        "problems": {(entry["kind"], entry["id"], entry["field"]) for entry in decided["problems"]},
    }


def by_address(entry: Json, read: Json) -> Json:
    """Give a denied entry with what each address alone may reach, if the gate could list it."""
    if entry["still_allowed"] is None and (entry["source"] == "unknown" or entry["cause"] == "prohibited"):
        return entry | {"still_allowed": read["still_allowed"]}
    parts = [(part, span(part["source"])) for part in entry["still_allowed"]]
    assert all(inside(network, span(entry["source"])) for _, network in parts)
    told = {
        address: reduce(
            or_,
            (bits(part["from_port"], part["to_port"]) for part, network in parts if lies(address, network)),
            0,
        )
        for address in read["still_allowed"]
    }
    return entry | {"still_allowed": told}


def inside(network: Span | None, other: Span | None) -> bool:
    """Say whether a network lies in another."""
    if network is None or other is None:
        return False
    return network[0] == other[0] and other[1] <= network[1] <= network[2] <= other[2]


def lies(address: Address, network: Span | None) -> bool:
    """Say whether an address lies in a network."""
    return network is not None and address[0] == network[0] and network[1] <= int(address[1]) <= network[2]


def differences(
    opa: Opa, cases: list[Case], named: Json, readings: Iterable[Json] | None = None
) -> Iterator[tuple[Case, Json, Json]]:
    """Give the cases that OPA and the plain reading (made here unless given) judge differently, with both decisions."""
    readings = readings or (read(one, named) for one in cases)
    for one, decided, expected in zip(cases, opa.decide(cases, named), readings, strict=True):
        if comparable(decided, expected) != expected:
            yield one, decided, expected


def smaller(one: Case) -> Iterator[Case]:
    """Give the case with one thing less."""
    yield from (one._replace(allowances=less) for less in less_of(one.allowances))
    yield from (one._replace(prohibitions=less) for less in less_of(one.prohibitions))
    yield from (one._replace(finding=less) for less in less_of(one.finding))


def less_of(value: Json) -> Iterator[Json]:
    """Give a JSON value with one key or element less, at any depth."""
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield [*value[:index], *value[index + 1 :]]
            yield from ([*value[:index], less, *value[index + 1 :]] for less in less_of(inner))
    if isinstance(value, dict):
        for key, inner in value.items():
            yield {name: other for name, other in value.items() if name != key}
            yield from (value | {key: less} for less in less_of(inner))


def shrunk(opa: Opa, found: tuple[Case, Json, Json], named: Json) -> tuple[Case, Json, Json]:
    """Take from a case whatever can be taken while the two still differ."""
    while (less := next(differences(opa, list(smaller(found[0])), named), None)) is not None:
        found = less
    return found


def with_own_ids(cases: list[Case]) -> list[Case]:
    """Give the cases with ids that no other case has, as statements of one folder have."""

    def own(value: Json, index: int) -> Json:
        named = isinstance(value, dict) and isinstance(value.get("id"), str)
        return value | {"id": f"{value['id']}{index}"} if named else value

    return [
        one._replace(
            allowances=[own(value, index) for value in one.allowances],
            prohibitions=[own(value, index) for value in one.prohibitions],
        )
        for index, one in enumerate(cases)
    ]


def readable(cases: list[Case], named: Json) -> list[Json]:
    """Give the statements of the cases that a register can hold: well-formed, and the first of their id."""
    world = World(named, ADMINISTRATIVE)
    first: dict[tuple[str, str], Json] = {}
    values = []
    for one in cases:
        kinds = {"allowance": one.allowances, "prohibition": one.prohibitions}
        for kind, value in ((kind, value) for kind, values in kinds.items() for value in values):
            problems: set[Problem] = set()
            if kind == "allowance":
                read_allowance(value, {}, world, problems)
            else:
                read_prohibition(value, world, problems)
            if not problems and first.setdefault((kind, value["id"]), value) == value:
                values.append(value)
    return values


class Drawn(NamedTuple):
    """Random cases and networks, other networks, the plain readings of the cases, and how many a register can hold."""

    cases: list[Case]
    named: Json
    others: Json
    readings: list[Json]
    readable: int


@cache
def drawn(world: int) -> Drawn:
    """Draw the cases of a world; they are read once for all registers."""
    random = Random(SEED + world)  # noqa: S311  a seed is what is wanted
    named = networks(random)
    cases = with_own_ids([case(random, named) for _ in range(CASES)])
    readings = [read(one, named) for one in cases]
    return Drawn(cases, named, networks(random), readings, len(readable(cases, named)))


@pytest.mark.parametrize("register", ["none", "these networks", "other networks"])
@pytest.mark.parametrize("world", range(WORLDS))
def test_gate_is_the_plain_reading(opa: Opa, world: int, register: str) -> None:
    """OPA decides every random finding exactly as the plain reading of the design does, whatever the register holds.

    What is well-formed is read out of the register where it was made with these networks.
    """
    cases, named, others, readings, most = drawn(world)
    opa.registered = {}
    if register != "none":
        opa.register(cases, named if register == "these networks" else others)
    assert_same(opa, cases, named, readings)
    hits = len(opa.hits)
    assert most > CASES
    assert {"none": hits == 0, "these networks": hits == most, "other networks": 0 < hits < most}[register]


def assert_same(opa: Opa, cases: list[Case], named: Json, readings: list[Json]) -> None:
    """Fail with the smallest case that OPA and the plain reading judge differently, if there is one."""
    found = next(differences(opa, cases, named, readings), None)
    if found is not None:
        one, decided, expected = shrunk(opa, found, named)
        shown = {"case": one._asdict(), "opa": comparable(decided, expected), "reading": expected}
        pytest.fail(pformat(shown, sort_dicts=False))
