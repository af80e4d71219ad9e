"""What the function tells CloudWatch of itself: metrics, embedded in the last log line of an invocation.

Format: CloudWatch user guide, "Specification: Embedded metric format". The values are fields of the line.
"""

import os
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

from handler.outcome import Outcome

NAMESPACE = "Portcullis"
DIMENSION = "function"
UNITS = {
    "received": "Count",
    "heartbeats": "Count",
    "decided": "Count",
    "denied": "Count",
    "closed": "Count",
    "ignored": "Count",
    "undecidable": "Count",
    "problems": "Count",
    "look_up_failures": "Count",
    "opa_restarts": "Count",
    "alerts": "Count",
    "failed": "Count",
    "sweeps": "Count",
    "sweep_problems": "Count",
    "ms": "Milliseconds",
}
"""The metrics, as CloudWatch calls them and the log line does."""

COUNTED: Counter[str] = Counter()
"""What has happened since the last line, deep inside of the function: failures of look-ups, restarts of OPA, sweeps."""


def of_outcomes(outcomes: Iterable[Outcome]) -> Counter[str]:
    """Count outcomes by what became of them, those that are denied, and the problems of policies."""
    counts = Counter[str]()
    for outcome in outcomes:
        counts[outcome.kind] += 1
        if outcome.decision is not None:
            counts["denied"] += outcome.decision.action == "deny"
            counts["problems"] += len(outcome.decision.problems)
    return counts


def embedded(values: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a log line from which CloudWatch makes metrics; what is not among the values is 0.

    What was `COUNTED` goes into them, and is counted from 0 again.
    """
    values = {**dict.fromkeys(UNITS, 0), **COUNTED, **values}
    COUNTED.clear()
    definitions = [{"Name": name, "Unit": unit} for name, unit in UNITS.items()]
    directive = {"Namespace": NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": definitions}
    described = {"Timestamp": round(1000 * time.time()), "CloudWatchMetrics": [directive]}
    return {**values, DIMENSION: os.environ.get("AWS_LAMBDA_FUNCTION_NAME", ""), "_aws": described}
