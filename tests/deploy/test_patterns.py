"""What the patterns of the EventBridge rules let through, by AWS's own matcher: all that the handler judges."""

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from handler import reporters
from handler.finding import Ignored
from handler.settings import ROOT
from tests.maven import EVENT_RULER
from tests.test_samples import SAMPLES

pytestmark = pytest.mark.slow

PATTERNS = ROOT / "deploy" / "patterns"
NOW = "2026-11-30T00:00:00Z"
OF_A_SCANNER = {
    "aws.config": "config",
    "aws.guardduty": "guardduty",
    "aws.inspector2": "inspector2",
    "aws.securityhub": "security_hub",
    "aws.trustedadvisor": "trusted_advisor",
}
"""The pattern of each source."""

NEVER_SENT = {
    "tests/cases/inspector2/api-call",
    "tests/cases/inspector2/coverage",
    "tests/cases/inspector2/package-vulnerability",
    "tests/cases/inspector2/scan",
    "tests/cases/security_hub/inspector-vulnerability",
    "tests/cases/security_hub/inspector-vulnerability-by-its-type",
    "tests/cases/security_hub/standard-results",
    "tests/cases/security_hub_v2/inspector-vulnerability",
    "tests/cases/guardduty/api-call",
    "tests/cases/guardduty/brute-force",
    "tests/cases/guardduty/malware-scan",
    "tests/cases/config/bucket",
    "tests/cases/config/configuration-item",
    "tests/cases/trusted_advisor/api-call",
    "handler/cli/demo_events/10-package-vulnerability.json",
}
"""Events that nobody should pay for: CVEs, summaries of scans, what is about another kind of resource."""


def carried(event: Any) -> bool:
    """Say whether EventBridge carries an event: an object from a source of AWS, whose detail is an object."""
    return isinstance(event, dict) and "detail-type" in event and event.get("source") in OF_A_SCANNER


def judged(event: Any) -> bool:
    """Say whether the handler does anything with an event but count it."""
    reports = reporters.normalize(event, NOW)
    return any(not isinstance(report, Ignored) or report.asked for report in reports)


def name(path: Path) -> str:
    """Return what the tests call an event."""
    path = path.parent if path.name == "event.json" else path
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name


@cache
def events() -> dict[Path, Any]:
    """Return the events of the cases, the bundled ones, and the samples where they are there, by their files."""
    cases = sorted((ROOT / "tests" / "cases").glob("*/*/event.json"))
    bundled = sorted((ROOT / "handler" / "cli" / "demo_events").glob("*.json"))
    contents = {path: json.loads(path.read_text()) for path in (*cases, *bundled, *sorted(SAMPLES.glob("*.json")))}
    return {path: event for path, event in contents.items() if carried(event)}


@cache
def matches() -> frozenset[tuple[str, Path]]:
    """Ask AWS's matcher which pattern lets which event through."""
    if missing := EVENT_RULER.missing_programs():
        pytest.skip(f"AWS's event-ruler needs Java 17 or newer and Maven, and PATH has no {' and no '.join(missing)}")
    EVENT_RULER.fetch()
    program = EVENT_RULER.sources / "Match.java"
    patterns = sorted(map(str, PATTERNS.glob("*.json")))
    command = ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{EVENT_RULER.folder}/*", str(program)]
    run = subprocess.run(
        [*command, *patterns, "--", *map(str, events())], capture_output=True, text=True, check=False, timeout=120
    )
    assert run.returncode == 0, run.stderr
    pairs = (line.split("\t") for line in run.stdout.splitlines())
    return frozenset((Path(pattern).stem, Path(event)) for pattern, event in pairs)


def test_every_scanner_has_a_pattern() -> None:
    """A pattern is named for its scanner, and each names its source."""
    sources = {path.stem: json.loads(path.read_text())["source"] for path in PATTERNS.glob("*.json")}
    assert sources == {pattern: [source] for source, pattern in OF_A_SCANNER.items()}


def test_what_is_judged_passes_the_pattern_of_its_scanner() -> None:
    """No event that the handler would judge, close or answer is kept out, and unknown ones are not."""
    kept_out = [
        name(path)
        for path, event in events().items()
        if judged(event) and (OF_A_SCANNER[event["source"]], path) not in matches()
    ]
    assert kept_out == []


def test_what_is_known_and_not_about_ports_is_kept_out() -> None:
    """CVEs, summaries of scans and events about other resources do not invoke the function."""
    let_through = {name(path) for _, path in matches()}
    assert {name(path) for path in events()} >= NEVER_SENT
    assert let_through & NEVER_SENT == set()


def test_no_event_passes_the_pattern_of_another_scanner() -> None:
    """An event is delivered once, however many scanners are on."""
    others = [(pattern, name(path)) for pattern, path in matches() if OF_A_SCANNER[events()[path]["source"]] != pattern]
    assert others == []


@pytest.mark.parametrize("path", sorted(PATTERNS.glob("*.json")), ids=lambda path: path.stem)
def test_a_pattern_fits_into_a_rule(path: Path) -> None:
    """EventBridge takes patterns of up to 2048 characters; Terraform writes them without blanks."""
    assert len(json.dumps(json.loads(path.read_text()), separators=(",", ":"))) <= 2048
