"""Reports with parts missing, of the wrong kind or in the wrong place are answered, and nothing is made up."""

import json
import re
from copy import copy, deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import mutations
from tests.mutations import CASES, Place

EVENTS = [event for _, event in CASES]
REPORTERS = sorted({reporter for reporter, _ in CASES})
DAMAGE: tuple[Any, ...] = (None, "x", 7, True, [], {})
AT_ONCE = 10
"""Events that one example of Hypothesis damages in the same way: 2,000 examples are 20,000 damaged events."""

ANY = None
SPEAKING: dict[str, dict[str, set[str] | None]] = {
    "config": {"newEvaluationResult.complianceType": {"COMPLIANT", "NOT_APPLICABLE"}},
    "guardduty": {"service.archived": {"True"}},
    "inspector2": {"status": {"CLOSED", "SUPPRESSED"}},
    "inspector_classic": {"id": ANY},
    "prowler": {"status": {"Suppressed"}, "status_code": {"PASS"}},
    "security_hub": {
        "Compliance.Status": {"PASSED"},
        "ProductFields.aws/inspector/FindingStatus": {"CLOSED", "SUPPRESSED"},
        "ProductFields.aws/inspector/id": ANY,
        "RecordState": {"ARCHIVED"},
        "Workflow.Status": {"NOTIFIED", "RESOLVED", "SUPPRESSED"},
    },
    "security_hub_v2": {},
    "trusted_advisor": {"check-name": ANY, "status": {"OK"}},
}
"""By reporter, the members of a report that can say that it is not for us, and by which words; a name by any text."""

VERDICTS = sorted({word for speaking in SPEAKING.values() for words in speaking.values() for word in words or ()})
EMPTIED = {
    ("Records[]", "removed"),
    ("[]", "removed"),
    ("findings[]", "removed"),
    ("findings", "[]"),
    ("Findings", "[]"),
}
"""Damage that leaves fewer reports, or an answer without any."""

HOLDER = re.compile(r"(\[\]\.)?(detail\.)?([Ff]indings\[\]\.)?")
"""What stands around a report."""

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 70000),
    st.floats(allow_nan=True),
    st.text(max_size=8),
    st.sampled_from(
        ["22", "065536", "22-80", "[[1 - 2]]", "[[2 - 1]]", "[]", "{}", '{"a":', "udp", "\ud800", "0" * 400]
    ),
    st.sampled_from([*VERDICTS, "ACTIVE", "aws.guardduty", "aws.config", "arn:aws:ec2:r:a:instance/i", "sg-1 (vpc-1)"]),
    st.sampled_from([[], {}, [{}, [], "x"], {"Records": []}, {"findings": [None]}]),
)
NUMBER = st.integers(0, 1_000_000).map(lambda number: (number + 1) * 2_654_435_761)
"""Hypothesis prefers small numbers; multiplied, they stand for any place of an event."""

STEP = st.tuples(
    st.sampled_from(("remove", "replace", "exchange", "empty", "wrap", "spell", "parse")), NUMBER, NUMBER, JUNK
)
ENVELOPES = st.one_of(
    st.sampled_from([[], [], [], [], ["sns"], ["sqs"], ["notification", "sqs"], ["array", "sqs"]]),
    st.lists(st.sampled_from(("sns", "sqs", "notification", "array", "event", "spelled")), max_size=3),
)


def excused(name: str, path: Place, damage: Any) -> bool:
    """Say whether this damage may silence a report of this reporter."""
    spelled = "".join("[]" if isinstance(key, int) else f".{key}" for key in path).lstrip(".")
    words = SPEAKING[name].get(HOLDER.sub("", spelled, count=1), set())
    says_so = isinstance(damage, str) and damage != "removed" if words is ANY else str(damage) in words
    return says_so or (spelled, str(damage)) in EMPTIED


@pytest.mark.parametrize("name", REPORTERS)
def test_one_damaged_member(name: str) -> None:
    """Whatever member of a report is damaged, it is answered, and somebody hears of it unless the damage says no."""
    verdicts = {word for words in SPEAKING[name].values() for word in words or ()}
    for event in [deepcopy(event) for reporter, event in CASES if reporter == name]:
        before = mutations.read(event)
        heard = mutations.heard(before)
        for path in mutations.places(event):
            words = verdicts if isinstance(mutations.at(event, path), str) else ()
            for damage in mutations.damaged(event, path, (*DAMAGE, *words)):
                reports = mutations.read(event)
                if reports != before:
                    mutations.check(event, reports)
                silenced = heard and not mutations.heard(reports)
                assert not silenced or excused(name, path, damage), (path, damage, reports)


def stepped(event: Any, steps: list[tuple[str, int, int, Any]]) -> Any:
    """Return an event after the steps of damage; the given one stays as it is."""
    root = {"": event}
    for kind, number, other, junk in steps:
        paths = mutations.places(root)
        *path, key = paths[number % len(paths)]
        member = mutations.at(root, paths[other % len(paths)])
        holder = opened(root, path)
        match kind:
            case "remove" if path:
                del holder[key]
            case "exchange":
                holder[key] = member
            case "empty":
                holder[key] = type(holder[key])() if holder[key] is not None else None
            case "wrap":
                holder[key] = [holder[key]] if other % 2 else {"x": holder[key]}
            case "spell":
                holder[key] = json.dumps(holder[key])
            case "parse" if isinstance(holder[key], str):
                holder[key] = mutations.decoded(holder[key])
            case _:
                holder[key] = junk
    return root[""]


def opened(root: Any, path: list[str | int]) -> Any:
    """Return what is at a path, after putting a copy in place of it and of everything around it but the root."""
    holder = root
    for key in path:
        holder[key] = copy(holder[key])
        holder = holder[key]
    return holder


def enveloped(event: Any, kind: str) -> Any:
    """Put an event into an envelope, one that AWS would use or not."""
    text = json.dumps(event)
    match kind:
        case "sns":
            return {"Records": [{"EventSource": "aws:sns", "Sns": {"MessageId": "m", "Message": text}}]}
        case "sqs":
            return {"Records": [{"eventSource": "aws:sqs", "messageId": "m", "body": text}]}
        case "notification":
            return {"Type": "Notification", "TopicArn": "arn:aws:sns:eu-west-1:111122223333:t", "Message": text}
        case "array":
            return [event, event]
        case "event":
            return {"source": "aws.events", "detail-type": "Scheduled Event", "detail": event}
    return text


@settings(max_examples=2000, deadline=None, derandomize=True)
@given(NUMBER, st.lists(STEP, max_size=4), ENVELOPES, st.lists(STEP, max_size=1))
def test_many_damaged_members(
    number: int, steps: list[Any], envelopes: list[str], steps_of_envelope: list[Any]
) -> None:
    """Reports of every reporter, damaged several times, within envelopes that may be damaged too, are answered."""
    apart = len(EVENTS) // AT_ONCE
    for event in EVENTS[number % apart :: apart]:
        told = stepped(event, steps)
        for envelope in envelopes:
            told = enveloped(told, envelope)
        told = stepped(told, steps_of_envelope) if envelopes else told
        mutations.check(told, mutations.read(told))
