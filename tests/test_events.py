"""Every envelope is opened into records, and what cannot be opened is a record that says so."""

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handler.events import Envelope, Kind, Record, unwrap

EVENT = {
    "version": "0",
    "id": "c02b4335",
    "detail-type": "Inspector2 Finding",
    "source": "aws.inspector2",
    "detail": {},
}
TEXT = json.dumps(EVENT)
TOPIC = "arn:aws:sns:eu-west-1:111122223333:findings"


def sqs(body: Any, name: Any = "message-1") -> dict[str, Any]:
    """Make a record as Lambda gets it from SQS."""
    return {"messageId": name, "body": body, "eventSource": "aws:sqs", "receiptHandle": "EXAMPLE"}


def sns(message: Any, name: Any = "notice-1") -> dict[str, Any]:
    """Make a record as Lambda gets it from SNS."""
    return {"EventSource": "aws:sns", "Sns": {"Type": "Notification", "MessageId": name, "Message": message}}


def notification(message: Any) -> str:
    """Make the body that SNS puts into a queue without raw delivery."""
    return json.dumps({"Type": "Notification", "MessageId": "notice-1", "TopicArn": TOPIC, "Message": message})


def batch(*records: Any) -> dict[str, Any]:
    """Make the event that holds records."""
    return {"Records": list(records)}


def problem(envelope: Envelope, index: int = 0) -> tuple[str, str]:
    """Give the field and the problem of an unreadable record."""
    unread = envelope.records[index].problem
    assert unread is not None
    return unread.field, unread.problem


@pytest.mark.parametrize(
    ("event", "kind", "name"),
    [
        pytest.param(EVENT, "direct", "c02b4335", id="EventBridge"),
        pytest.param(batch(sns(TEXT)), "sns", "notice-1", id="SNS"),
        pytest.param(batch(sqs(TEXT)), "sqs", "message-1", id="SQS"),
        pytest.param(batch(sqs(notification(TEXT))), "sqs", "message-1", id="SNS inside SQS"),
    ],
)
def test_event_is_found_in_its_envelope(event: Any, kind: Kind, name: str) -> None:
    """However EventBridge's event travelled, it is the same, under the id by which AWS delivers it again."""
    assert unwrap(event, "request") == Envelope(kind=kind, records=(Record(id=name, event=EVENT),))


@pytest.mark.parametrize(
    ("event", "name"),
    [
        pytest.param({"findings": []}, "request", id="answer of an API"),
        pytest.param({"id": "Recognized port reachable from internet"}, "request", id="an id that is no event's"),
        pytest.param(EVENT | {"id": 7}, "request", id="an id that is no text"),
        pytest.param(EVENT | {"id": ""}, "request", id="an empty id"),
        pytest.param("text", "request", id="text"),
        pytest.param(None, "request", id="null"),
    ],
)
def test_what_is_in_no_envelope_is_one_record(event: Any, name: str) -> None:
    """An answer of an API, or anything else, is passed on under the id of the request."""
    assert unwrap(event, "request") == Envelope(kind="direct", records=(Record(id=name, event=event),))


def test_array_is_one_record_each() -> None:
    """The events of an array are unwrapped alone, and named by their place where they have no id."""
    told = [EVENT, {"findings": []}, batch(sqs(TEXT), sqs("{")), [EVENT]]
    envelope = unwrap(told, "request")
    assert envelope.kind == "direct"
    assert [record.id for record in envelope.records] == [
        "c02b4335",
        "request[1]",
        "message-1",
        "message-1[3]",
        "request[3]",
    ]
    assert [record.event for record in envelope.records] == [EVENT, {"findings": []}, EVENT, None, [EVENT]]


def test_events_of_an_array_that_share_an_id_are_told_apart() -> None:
    """Whatever is said of one record is not said of another."""
    others = [{**EVENT, "detail": {"number": number}} for number in range(2)]
    envelope = unwrap([EVENT, {**EVENT, "id": "c02b4335[2]"}, *others, batch(sqs(TEXT), sqs(TEXT))], "request")
    ids = ["c02b4335", "c02b4335[2]", "c02b4335[2][2]", "c02b4335[3]", "message-1", "message-1[5]"]
    assert [record.id for record in envelope.records] == ids
    assert [record.event for record in envelope.records[2:4]] == others


def test_empty_array_is_not_silence() -> None:
    """An array of nothing is told."""
    assert problem(unwrap([], "request")) == ("", "is an empty list")


def test_rest_of_a_batch_is_read() -> None:
    """One message that is no JSON leaves the others alone, and shows its own text."""
    envelope = unwrap(batch(sqs(TEXT, "a"), sqs('{"truncated": ', "b"), sqs(notification(TEXT), "c")), "request")
    assert [(record.id, record.event) for record in envelope.records] == [("a", EVENT), ("b", None), ("c", EVENT)]
    unread = envelope.records[1].problem
    assert unread is not None
    assert (unread.shape, unread.field, unread.raw) == ("SQS message", "Records[1].body", '{"truncated": ')
    assert unread.problem.startswith("is not JSON: ")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("", "is not JSON", id="empty"),
        pytest.param("Port 22 is open", "is not JSON", id="words"),
        pytest.param('{"begin": NaN}', "is not JSON", id="NaN"),
        pytest.param('{"begin": Infinity}', "is not JSON", id="Infinity"),
        pytest.param('{"begin": 1e999}', "is not JSON", id="a number beyond all"),
        pytest.param('{"id": "\\ud800"}', "is not JSON", id="half a character"),
        pytest.param("{}{}", "is not JSON", id="two values"),
        pytest.param('"Port 22 is open"', "neither an object nor an array", id="text in JSON"),
        pytest.param("22", "neither an object nor an array", id="number"),
        pytest.param("null", "neither an object nor an array", id="null"),
        pytest.param("[" * 100_000, "nested too deep", id="absurd nesting"),
        pytest.param(None, "is absent or no text", id="absent"),
        pytest.param({"version": "0"}, "is absent or no text", id="object"),
    ],
)
def test_unreadable_message_is_a_problem(text: Any, says: str) -> None:
    """What is inside a message is read strictly, by whichever way it came."""
    ways = {
        "Records[0].body": batch(sqs(text)),
        "Records[0].Sns.Message": batch(sns(text)),
        "Records[0].body.Message": batch(sqs(notification(text))),
    }
    for field, event in ways.items():
        envelope = unwrap(event, "request")
        assert len(envelope.records) == 1
        assert problem(envelope)[0] == field
        assert says in problem(envelope)[1]


@pytest.mark.parametrize("event", [batch(sqs('{"id": "\ud800"}')), batch(sns('{"id": "\ud800"}'))], ids=["SQS", "SNS"])
def test_message_with_half_a_character_is_a_problem(event: Any) -> None:
    """What Python can hold and no JSON can carry is not passed on."""
    assert problem(unwrap(event, "request"))[1].startswith("is not JSON: ")


@pytest.mark.parametrize("name", [None, "", 7])
@pytest.mark.parametrize(
    ("make", "field"), [(sqs, "Records[0].messageId"), (sns, "Records[0].Sns.MessageId")], ids=["SQS", "SNS"]
)
def test_message_without_an_id_is_a_problem(make: Any, field: str, name: Any) -> None:
    """A message that AWS could not be told about is named by its place, never dropped."""
    envelope = unwrap(batch(make(TEXT, name)), "request")
    assert problem(envelope) == (field, "is absent or no text, so the record cannot be named")
    assert envelope.records[0].id == "request.Records[0]"
    unread = envelope.records[0].problem
    assert unread is not None
    assert unread.raw == make(TEXT, name)


@pytest.mark.parametrize(
    "records",
    [
        pytest.param([], id="empty"),
        pytest.param("text", id="text"),
        pytest.param(None, id="null"),
        pytest.param({"0": sqs(TEXT)}, id="object"),
        pytest.param([{"eventSource": "aws:s3", "s3": {}}], id="another source"),
        pytest.param([{"body": TEXT, "messageId": "a"}], id="no source"),
        pytest.param(["text", None], id="no objects"),
        pytest.param([{"eventSource": ["aws:sqs"]}], id="source that is no text"),
    ],
)
def test_unknown_records_are_one_problem(records: Any) -> None:
    """Records of nobody known are told once, with the whole event."""
    event = {"Records": records}
    envelope = unwrap(event, "request")
    assert envelope.kind == "direct"
    assert problem(envelope)[0] == "Records"
    unread = envelope.records[0].problem
    assert unread is not None
    assert unread.raw == event


def test_stranger_in_a_batch_is_a_problem_alone() -> None:
    """A record from elsewhere does not spoil a batch, nor change how its failure is told."""
    envelope = unwrap(batch(sns(TEXT), sqs(TEXT), "text", {"eventSource": "aws:s3"}), "request")
    assert envelope.kind == "sqs"
    assert [record.event for record in envelope.records] == [None, EVENT, None, None]
    assert problem(envelope, 0) == ("Records[0]", "is no record from aws:sqs like the others")
    assert problem(envelope, 2) == ("Records[2]", "is no record from aws:sqs like the others")


def test_sns_record_without_its_notice_is_a_problem() -> None:
    """SNS's own part is needed."""
    assert problem(unwrap(batch({"EventSource": "aws:sns"}), "request")) == (
        "Records[0].Sns",
        "is absent or no object",
    )


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"Type": "SubscriptionConfirmation", "TopicArn": TOPIC, "Message": "Confirm"}, id="subscription"),
        pytest.param({"Type": "Notification", "Message": TEXT}, id="a Type of somebody else"),
        pytest.param(EVENT | {"Type": "Other"}, id="an event with a Type"),
    ],
)
def test_body_that_is_no_notification_is_the_event(body: dict[str, Any]) -> None:
    """Only SNS's notification is opened; the rest is for the reporters to know or not."""
    assert unwrap(batch(sqs(json.dumps(body))), "request").records[0].event == body


def test_direct_event_that_is_no_json_is_a_problem() -> None:
    """Half a character would fail every finding of the invocation later on."""
    envelope = unwrap(EVENT | {"detail": {"title": "\ud800"}}, "request")
    field, says = problem(envelope)
    assert field == ""
    assert says.startswith("cannot be passed on as JSON: ")
    assert envelope.records[0].id == "c02b4335"


def test_id_with_half_a_character_names_no_record() -> None:
    """A name that no log line and no answer could hold is not taken; the request's, or the place, stands for it."""
    assert unwrap(EVENT | {"id": "x\ud800"}, "request").records[0].id == "request"
    envelope = unwrap(batch(sqs(TEXT, "x\ud800")), "request")
    assert problem(envelope)[0] == "Records[0].messageId"
    assert envelope.records[0].id == "request.Records[0]"


@pytest.mark.parametrize("make", [sqs, sns], ids=["SQS", "SNS"])
def test_what_stands_beside_records_is_an_event(make: Any) -> None:
    """Neither the records nor what came with them is lost; it comes again only with the whole batch."""
    envelope = unwrap({**EVENT, **batch(make(TEXT))}, "request")
    assert [record.event for record in envelope.records] == [EVENT, EVENT]
    assert envelope.records[1].id == "request.event"
    assert envelope.kind in {"sqs", "sns"}


def nested(depth: int) -> Any:
    """Make lists inside lists."""
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


def test_absurdly_nested_direct_event_is_a_problem() -> None:
    """Nesting that nothing after us could follow stops at the door."""
    assert "cannot be passed on as JSON" in problem(unwrap({"findings": nested(100_000)}, "request"))[1]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.just(TEXT),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["Records", "eventSource", "EventSource", "Sns", "Message", "MessageId", "messageId", "body", "id"]
            ),
            inner | st.sampled_from(["aws:sqs", "aws:sns", notification(TEXT), notification(notification(TEXT))]),
            max_size=5,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=500, deadline=None, derandomize=True)
@given(VALUES | st.lists(VALUES, max_size=3).map(lambda records: {"Records": records}))
def test_whatever_comes_has_records(event: Any) -> None:
    """Envelopes nested wrongly never raise and never vanish; each record has a name, and an event or a problem."""
    envelope = unwrap(deepcopy(event), "request")
    assert envelope.records
    for record in envelope.records:
        assert record.id
        assert record.problem is None or record.event is None
