"""Every policy of a small universe, judged by real OPA and by sets of points: `make prove` runs all of it.

It has four ports; of addresses two neighbours, their /31, both families, a group and `unknown`. A point is a port and
an address. Policies are every pair of allowances, each in force or expired, and every allowance with every prohibition
and `except`. Each is judged on all four ports for all sources at once, and on one range for one source.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations, product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from handler.bundle import engine
from handler.check.statements import READINGS
from handler.cli import executable

Json = Any

V4 = frozenset({"first", "second", "other IPv4"})
V6 = frozenset({"one IPv6", "other IPv6"})
EVERY = V4 | V6 | {"sg-1", "other group", "prefix list"}
SOURCES = {
    "198.51.100.0/32": frozenset({"first"}),
    "198.51.100.1/32": frozenset({"second"}),
    "198.51.100.0/31": frozenset({"first", "second"}),
    "0.0.0.0/0": V4,
    "2001:db8::1/128": frozenset({"one IPv6"}),
    "::/0": V6,
    "sg-1": frozenset({"sg-1"}),
    "unknown": EVERY,
}
"""The sources of findings, and the addresses that each may be."""

WORDS = {source: points for source, points in SOURCES.items() if source not in {"unknown", "2001:db8::1/128"}}
WORDS |= {"anywhere": EVERY, "sg-*": frozenset({"sg-1", "other group"})}
EXCEPT = [[], *([word] for word in WORDS), ["198.51.100.0/32", "198.51.100.1/32"]]
RANGES = [(low, high) for low in range(4) for high in range(low, 4)]
TODAY = "2026-11-24"

FOLDER = {
    "allow.rego": "package allow\n\nallowance contains data.statements[id] if some id in input.allowances\n",
    "forbid.rego": "package forbid\n\nprohibition contains data.statements[id] if some id in input.prohibitions\n",
}
SIZE = 2000
"""The policies of one query."""


class Policy(NamedTuple):
    """The ids of the statements that apply."""

    allowances: tuple[str, ...]
    prohibitions: tuple[str, ...]


def _allowances() -> dict[str, Json]:
    every = product(RANGES, WORDS, ("2026-11-24", "2026-11-23"))
    return {
        f"a{number}": {"id": f"a{number}", "tcp": [_ports(*ends)], "sources": [word], "owner": "x", "reason": "y"}
        | {"expires": expires}
        for number, (ends, word, expires) in enumerate(every)
    }


def _prohibitions() -> dict[str, Json]:
    return {
        f"p{number}": {"id": f"p{number}", "tcp": [_ports(*ends)], "sources": [word], "except": words, "reason": "y"}
        for number, (ends, word, words) in enumerate(product(RANGES, WORDS, EXCEPT))
    }


def _ports(low: int, high: int) -> int | str:
    return low if low == high else f"{low}-{high}"


ALLOWANCES, PROHIBITIONS = _allowances(), _prohibitions()


def policies() -> Iterator[Policy]:
    """Give every policy."""
    yield Policy((), ())
    for number in (1, 2):
        yield from (Policy(ids, ()) for ids in combinations(ALLOWANCES, number))
    yield from (Policy((), (stop,)) for stop in PROHIBITIONS)
    yield from (Policy((allowance,), (stop,)) for allowance, stop in product(ALLOWANCES, PROHIBITIONS))


def verdicts(policy: Policy, source: str, low: int, high: int) -> dict[int, str]:
    """Say by sets of points what becomes of each port: `allowed`, or the cause."""
    allowances = [ALLOWANCES[name] for name in policy.allowances]
    return {port: _verdict(allowances, policy, SOURCES[source], port) for port in range(low, high + 1)}


def _verdict(allowances: list[Json], policy: Policy, addresses: frozenset[str], port: int) -> str:
    for stop in (PROHIBITIONS[name] for name in policy.prohibitions):
        if _has(stop, port) and addresses & (_points(stop["sources"]) - _points(stop["except"])):
            return "prohibited"
    opened = [allowance for allowance in allowances if _has(allowance, port)]
    if addresses <= _points([allowance["sources"][0] for allowance in opened if allowance["expires"] >= TODAY]):
        return "allowed"
    if addresses <= _points([allowance["sources"][0] for allowance in opened]):
        return "expired"
    return "short" if allowances else "uncovered"


def _has(statement: Json, port: int) -> bool:
    low, _, high = str(statement["tcp"][0]).partition("-")
    return int(low) <= port <= int(high or low)


def _points(words: list[str]) -> frozenset[str]:
    """Unite words. Both families together are every address there is."""
    points = frozenset[str]().union(*(WORDS[word] for word in words))
    return EVERY if points >= V4 | V6 else points


def differences(chosen: list[tuple[int, Policy]], folder: Path, opa: str) -> list[Json]:
    """Judge policies, each with its number, and give what OPA says otherwise than the sets of points."""
    asked = [
        (policy, sources, low, high)
        for number, policy in chosen
        for sources, (low, high) in (
            (list(SOURCES), (0, 3)),
            ([list(SOURCES)[number % len(SOURCES)]], RANGES[number % len(RANGES)]),
        )
    ]
    findings = [
        {
            "id": str(place),
            "now": f"{TODAY}T06:12:00Z",
            "exposures": [{"protocol": "tcp", "from_port": low, "to_port": high, "sources": sources}],
            **policy._asdict(),
        }
        for place, (policy, sources, low, high) in enumerate(asked)
    ]
    wrong = []
    decisions = _eval(opa, folder, "x := data.gate.batch.decisions", {"findings": findings})
    for (policy, sources, low, high), decision in zip(asked, decisions, strict=True):
        expected = {source: verdicts(policy, source, low, high) for source in sources}
        told: dict[str, dict[int, str]] = {source: {} for source in sources}
        for entry in [*decision["allowed"], *decision["denied"]]:
            cause = entry.get("cause", "allowed")
            told[entry["source"]] |= dict.fromkeys(range(entry["from_port"], entry["to_port"] + 1), cause)
        causes = {cause for ports in expected.values() for cause in ports.values()}
        action = "allow" if causes == {"allowed"} else "deny"
        if told != expected or decision["action"] != action or decision["undecidable"]:
            statements = [(ALLOWANCES | PROHIBITIONS)[name] for names in policy for name in names]
            wrong.append({"policy": statements, "expected": expected, "decision": decision})
    return wrong


def prepare(folder: Path, opa: str) -> None:
    """Write the policies of the universe; two of four statements are in the register."""
    networks = {"anywhere": ["0.0.0.0/0", "::/0"]}
    for name, text in FOLDER.items():
        (folder / name).write_text(text)
    data = {"statements": ALLOWANCES | PROHIBITIONS, "networks": networks}
    (folder / "data.json").write_text(json.dumps(data))
    kept = {
        kind: [statement for number, statement in enumerate(statements.values()) if number // 2 % 2 == 0]
        for kind, statements in (("allowance", ALLOWANCES), ("prohibition", PROHIBITIONS))
    }
    register = {
        kind: {kept[kind][index]["id"]: [kept[kind][index], words, reading] for index, words, reading in readings}
        for kind, readings in _eval(opa, folder, f"x := {READINGS}", kept).items()
    }
    (folder / "data.json").write_text(json.dumps({**data, "_portcullis": {"register": register}}))


def _eval(opa: str, folder: Path, query: str, given: Json) -> Json:
    command = [opa, "eval", "--strict-builtin-errors", "--format", "json", "--stdin-input"]
    command += ["-d", str(folder), "-d", str(engine()), query]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)["result"][0]["bindings"]["x"]


def main() -> int:
    """Judge all of it, two processes at a time, and print the first differences; return the exit status."""
    opa, judged, wrong = executable(), 0, 0
    with TemporaryDirectory() as name, ThreadPoolExecutor(2) as pool:
        prepare(Path(name), opa)
        numbered = list(enumerate(policies()))
        batches = [numbered[at : at + SIZE] for at in range(0, len(numbered), SIZE)]
        results = pool.map(lambda batch: differences(batch, Path(name), opa), batches)
        for batch, found in zip(batches, results, strict=True):
            judged, wrong = judged + len(batch), wrong + len(found)
            for difference in found[: max(0, 5 - wrong + len(found))]:
                print(json.dumps(difference))
            print(f"\r{judged:,} policies, {wrong:,} differences", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
