"""The JSON of an alert: whole where it fits, else less of it and how much was left out."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from handler.alert.case import Judged
from handler.alert.text import first, short
from handler.finding import Undecidable
from handler.outcome import Engine

_STEPS = (1000, 500, 200, 100, 50, 20, 10, 5, 2, 1)
"""How many findings, and how many unreadable reports, to try with; no more than the first can fit into 1 MiB."""

_CUTS = (10_000, 1_000, 100)
"""Characters of a raw event, where not even one fits whole."""


class Carried(Struct, frozen=True, kw_only=True):
    """What an alert carries: what was denied (worst first), what could not be read, and both in a line each."""

    kind: str
    judged: Sequence[Judged] = ()
    reports: Sequence[Undecidable] = ()
    summary: Sequence[str]


def contents(carried: Carried, heading: dict[str, Any], engine: Engine) -> Iterator[dict[str, Any]]:
    """Give the JSON, and then ever less of it."""
    findings = [
        {"finding": plain(entry.finding), "decision": plain(entry.decision)} for entry in carried.judged[: _STEPS[0]]
    ]
    reports = [
        plain(msgspec.structs.replace(report, raw=None)) | {"raw": plain(report.raw)}
        for report in carried.reports[: _STEPS[0]]
    ]
    longest = max(len(findings), len(reports))
    for step in _STEPS:
        if step == _STEPS[-1] or step // 2 < longest:
            yield _content(carried, heading, engine, findings[:step], reports[:step])
    for characters in _CUTS:
        cut = [report | {"raw": short(json.dumps(report["raw"]), characters)} for report in reports[:1]]
        yield _content(carried, heading, engine, [], cut)
    yield _content(carried, heading, engine, [], [])


def plain(value: object) -> Any:
    """Give a value as JSON has it; NaN as text, and a word in place of what JSON cannot say."""
    try:
        built = msgspec.to_builtins(value, str_keys=True, enc_hook=str)
        return json.loads(json.dumps(built), parse_constant=str)
    except (TypeError, ValueError, RecursionError) as error:
        return f"cannot be shown: {type(error).__name__}"


def _content(
    carried: Carried,
    heading: dict[str, Any],
    engine: Engine,
    findings: Sequence[dict[str, Any]],
    reports: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    return {
        "kind": carried.kind,
        **heading,
        "policy": engine.policy,
        "opa": engine.opa,
        "summary": [short(line, 200) for line in first(carried.summary, 10 if findings or reports else 3)],
        "findings": list(findings),
        "reports": list(reports),
        "left_out": {
            "findings": len(carried.judged) - len(findings),
            "reports": len(carried.reports) - len(reports),
        },
    }
