"""What a check found, as text for people, as JSON, as SARIF 2.1.0, and as annotations of GitHub Actions.

Sources: OASIS "Static Analysis Results Interchange Format (SARIF) Version 2.1.0"; GitHub documentation, "Workflow
commands for GitHub Actions", whose escapes are those of actions/toolkit.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import quote

from msgspec.structs import asdict

from handler import __version__
from handler.check import Checked
from handler.check.fault import RULES, Fault
from handler.check.workspace import shown

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def text(checked: Checked) -> str:
    """Return a line or more for each fault, and a last line with the sum."""
    return "\n".join([*map(line, checked.faults), _sum(checked)]) + "\n"


def as_json(checked: Checked, root: Path) -> str:
    """Return one JSON object: `faults`, each a `Fault`, and how many errors, warnings, statements and tests."""
    faults = [{**asdict(fault), "file": _path(fault, root)} for fault in checked.faults]
    return json.dumps({"version": __version__, **_counts(checked), **checked.counts, "faults": faults}, indent=2) + "\n"


def github(checked: Checked, root: Path) -> str:
    """Return a workflow command for each fault, and the sum."""
    return "\n".join([*(_command(fault, root) for fault in checked.faults), _sum(checked)]) + "\n"


def sarif(checked: Checked, root: Path) -> str:
    """Return a SARIF log of one run; paths are relative to the root of the repository."""
    used = [rule for rule in RULES if any(fault.rule == rule for fault in checked.faults)]
    driver = {
        "name": "portcullis",
        "version": __version__,
        "rules": [{"id": rule, "shortDescription": {"text": RULES[rule]}} for rule in used],
    }
    results = [
        {
            "ruleId": fault.rule,
            "ruleIndex": used.index(fault.rule),
            "level": fault.level,
            "message": {"text": fault.problem},
            "locations": [{"physicalLocation": _location(fault, root)}],
            "partialFingerprints": {"fault/v1": f"{fault.rule}:{fault.id or ''}:{_path(fault, root)}"},
        }
        for fault in checked.faults
    ]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def line(fault: Fault) -> str:
    """Return what is wrong, behind its place."""
    place = ":".join(str(part) for part in (fault.file and shown(fault.file), fault.line) if part)
    level = "" if fault.level == "error" else "warning: "
    return f"{place}: {level}{fault.problem}" if place else f"{level}{fault.problem}"


def _sum(checked: Checked) -> str:
    over = ", ".join(_many(count, name.removesuffix("s")) for name, count in checked.counts.items())
    counts = _counts(checked)
    counted = ", ".join(_many(counts[level], level.removesuffix("s")) for level in counts if counts[level])
    if not counts["errors"]:
        return f"ok: {over}{counted and f'; {counted}'}"
    return f"failed: {counted}{over and f'; checked {over}'}"


def _many(count: int, name: str) -> str:
    return f"{count:,} {name}{'s' * (count != 1)}"


def _counts(checked: Checked) -> dict[str, int]:
    levels = Counter(fault.level for fault in checked.faults)
    return {"errors": levels["error"], "warnings": levels["warning"]}


def _path(fault: Fault, root: Path) -> str:
    """Return the path of a fault from the root of the repository; that of the root where nobody knows it."""
    file = (fault.file or root).absolute()
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else file.as_posix()


def _location(fault: Fault, root: Path) -> dict[str, Any]:
    path = _path(fault, root)
    artifact = {"uri": quote(path)} if path.startswith("/") else {"uri": quote(path), "uriBaseId": "%SRCROOT%"}
    return {"artifactLocation": artifact, "region": {"startLine": fault.line or 1}}


def _command(fault: Fault, root: Path) -> str:
    place = {"file": _path(fault, root), "line": str(fault.line or 1), "title": f"portcullis {fault.rule}"}
    properties = ",".join(f"{name}={_escaped(value, ':,')}" for name, value in place.items())
    return f"::{fault.level} {properties}::{_escaped(fault.problem)}"


def _escaped(value: str, more: str = "") -> str:
    for character in f"%\r\n{more}":
        value = value.replace(character, f"%{ord(character):02X}")
    return value
