"""Holds alarms, as CloudWatch describes them, against the sums of metrics in one period."""

import operator
from typing import Any

Key = tuple[str, str, str, str]
"""A metric: its namespace and name, its dimension and the value of that."""

Sums = dict[Key, float]

_COMPARED = {"GreaterThanThreshold": operator.gt, "LessThanThreshold": operator.lt}


def sums(line: dict[str, Any]) -> Sums:
    """Return what CloudWatch makes of a log line with embedded metrics. All of them but the time are counts."""
    [directive] = line["_aws"]["CloudWatchMetrics"]
    [[dimension]] = directive["Dimensions"]
    assert {entry["Unit"] for entry in directive["Metrics"] if entry["Name"] != "ms"} == {"Count"}
    return {
        (directive["Namespace"], entry["Name"], dimension, line[dimension]): line[entry["Name"]]
        for entry in directive["Metrics"]
    }


def keys(alarm: dict[str, Any]) -> list[Key]:
    """Return the metrics that an alarm looks at."""
    return [_key(alarm)] if "MetricName" in alarm else list(_queries(alarm).values())


def _queries(alarm: dict[str, Any]) -> dict[str, Key]:
    return {query["Id"]: _key(query["MetricStat"]["Metric"]) for query in alarm["Metrics"] if "MetricStat" in query}


def _key(metric: dict[str, Any]) -> Key:
    [dimension] = metric["Dimensions"]
    return metric["Namespace"], metric["MetricName"], dimension["Name"], dimension["Value"]


def is_alarming(alarm: dict[str, Any], written: Sums) -> bool:
    """Return whether a period with these sums, and no other data, is beyond the threshold of an alarm."""
    if "MetricName" in alarm:
        value = written.get(_key(alarm))
    else:
        [expression] = [query["Expression"] for query in alarm["Metrics"] if "Expression" in query]
        value = _value(expression, {name: written.get(key) for name, key in _queries(alarm).items()})
    if value is None:
        return bool(alarm["TreatMissingData"] == "breaching")
    return bool(_COMPARED[alarm["ComparisonOperator"]](value, alarm["Threshold"]))


def _value(expression: str, metrics: dict[str, float | None]) -> float:
    """Evaluate the part of CloudWatch's metric math that the module uses: IF, FILL and AND."""
    functions = {
        "IF": lambda condition, then, otherwise: then if condition else otherwise,
        "FILL": lambda value, missing: missing if value is None else value,
    }
    value: float = eval(expression.replace(" AND ", " and "), functions, metrics)  # noqa: S307  it is the module's own
    return value
