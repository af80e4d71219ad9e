"""What has become of a finding of the new Security Hub: a control's verdict, a person's status, a product's activity.

Shape: OCSF 1.6, category Findings; Security Hub user guide, "OCSF findings in Security Hub" (`Close`).
"""

from typing import Any

from handler.reporters import _fields as fields
from handler.reporters import _ocsf as ocsf

_COMPLIANCE = 2003
"""The class of a control's finding."""

_PUT_ASIDE = {
    2: "In Progress in Security Hub: somebody is at it",
    3: "Suppressed in Security Hub",
}
_UNTOUCHED, _ENDED = {0, 1}, {4, 5, 6}
"""Resolved, archived and deleted have ended, by a person's word; a product's is a verdict, or `Close`."""

_CLOSE = 3
"""The activity of a product that tells of a finding no more."""

_PASS, _FAILED = 1, {2, 3}
"""Verdicts of a control; 2 is a warning: Security Hub could not tell."""


def is_control(received: ocsf.Received) -> bool:
    """Say whether a finding is a control's."""
    return received.finding.get("class_uid") == _COMPLIANCE


def ended(received: ocsf.Received, *, inspectors: bool) -> bool | None:
    """Say whether a finding has ended: true when a control passed, false when nothing tells that the port is closed.

    Null where it goes on. Inspector itself is asked about what it closed: it may have been a suppression.
    """
    if is_control(received):
        compliance = fields.mapping(received.finding, "compliance", received.path)
        if _number(compliance, "status_id", f"{received.path}compliance.", {_PASS, *_FAILED}) == _PASS:
            return True
    closed = received.finding.get("activity_id") == _CLOSE and not inspectors and put_aside(received) is None
    return False if closed or _status(received) in _ENDED else None


def put_aside(received: ocsf.Received) -> str | None:
    """Give the reason why somebody has dealt with a finding."""
    return _PUT_ASIDE.get(_status(received))


def _status(received: ocsf.Received) -> int:
    """Read how somebody has dealt with a finding; nobody has where that is absent."""
    if received.finding.get("status_id") is None:
        return min(_UNTOUCHED)
    return _number(received.finding, "status_id", received.path, {*_UNTOUCHED, *_PUT_ASIDE, *_ENDED})


def _number(holder: dict[str, Any], key: str, path: str, known: set[int]) -> int:
    """Read one of the known numbers."""
    value = holder.get(key)
    if type(value) is not int or value not in known:
        raise fields.refusal(holder, key, path, "a number on any list")
    return value
