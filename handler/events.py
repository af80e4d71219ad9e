"""Envelopes: EventBridge, SNS, SQS, SNS inside SQS, or an API's answer as it is -> records.

Knows queues and buses, and nothing of findings. Shapes: AWS Lambda developer guide, "Using AWS Lambda with Amazon SQS"
and "... with Amazon SNS"; the notification that SNS puts into a queue: SNS developer guide, "Fanout to SQS".
"""

from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from handler.errors import UnreadableError
from handler.finding import Undecidable

Kind = Literal["direct", "sns", "sqs"]
_QUEUED: tuple[Kind, ...] = ("sqs", "sns")


class Record(Struct, frozen=True, kw_only=True):
    """One unit of an envelope: it succeeds or fails alone.

    `id` is SQS's or SNS's message id, EventBridge's event id, else the id of the request; in an array one that comes
    again is numbered. `event` is what was inside, decoded. Where that could not be read, `event` is null and `problem`
    says why.
    """

    id: str
    event: Any = None
    problem: Undecidable | None = None


class Envelope(Struct, frozen=True, kw_only=True):
    """How the records came, which decides how a failure is told: `sqs` by batchItemFailures, the others by raising."""

    kind: Kind
    records: tuple[Record, ...]


def unwrap(event: Any, request_id: str) -> Envelope:
    """Give the records of a Lambda event. Never raises: what cannot be read is a record with a problem.

    A list is an array of events, each unwrapped alone. What stands beside `Records` is an event of its own, since AWS
    sends nothing there. `request_id` names the records that have no id of their own.
    """
    if isinstance(event, list):
        return Envelope(kind="direct", records=_array(event, request_id))
    if isinstance(event, dict) and "Records" in event:
        envelope = _records(event, request_id)
        beside = {key: value for key, value in event.items() if key != "Records"}
        name = f"{request_id}.event"
        others = (replace(_direct(beside, name), id=name),) if beside else ()
        return replace(envelope, records=envelope.records + others)
    return Envelope(kind="direct", records=(_direct(event, request_id),))


def _array(events: list[Any], request_id: str) -> tuple[Record, ...]:
    """Unwrap each event of an array; one inside another is left to the reporters. No two records share an id."""
    if not events:
        return (_unreadable(request_id, "an array of events", UnreadableError("", "is an empty list"), events),)
    record_by_id: dict[str, Record] = {}
    for index, event in enumerate(events):
        name = f"{request_id}[{index}]"
        for record in (_direct(event, name),) if isinstance(event, list) else unwrap(event, name).records:
            name = record.id
            while name in record_by_id:
                name = f"{name}[{len(record_by_id)}]"
            record_by_id[name] = replace(record, id=name)
    return tuple(record_by_id.values())


def _direct(event: Any, request_id: str) -> Record:
    """Take the event as it is, if it is JSON that can be passed on."""
    event_id = event.get("id") if isinstance(event, dict) and "detail-type" in event else None
    name = event_id if isinstance(event_id, str) and event_id.strip() and event_id.isprintable() else request_id
    try:
        msgspec.json.encode(event)
    except (UnicodeEncodeError, RecursionError, TypeError) as error:
        return _unreadable(name, "an event", UnreadableError("", f"cannot be passed on as JSON: {error}"), None)
    return Record(id=name, event=event)


def _records(event: dict[str, Any], request_id: str) -> Envelope:
    """Read `Records`: all from SQS or all from SNS; one from elsewhere is unreadable alone."""
    records = event["Records"]
    sources = [_source(record) for record in records] if isinstance(records, list) else []
    for kind in _QUEUED:
        if f"aws:{kind}" in sources:
            read = (_message(kind, record, f"Records[{index}]", request_id) for index, record in enumerate(records))
            return Envelope(kind=kind, records=tuple(read))
    problem = "are neither from aws:sqs nor from aws:sns" if sources else "is no list with at least one record"
    error = UnreadableError("Records", problem)
    return Envelope(kind="direct", records=(_unreadable(request_id, "Records", error, event),))


def _source(record: Any) -> str | None:
    """Spell where a record came from: SQS writes `eventSource`, SNS `EventSource`."""
    source = record.get("eventSource", record.get("EventSource")) if isinstance(record, dict) else None
    return source if isinstance(source, str) else None


def _message(kind: Kind, record: Any, path: str, request_id: str) -> Record:
    """Decode one message, and the notification inside it if it came through SNS to SQS without raw delivery."""
    name, raw = f"{request_id}.{path}", record
    try:
        holder, at, id_key, text_key = _holder(kind, record, path)
        name = _own_id(holder, id_key, at)
        raw = holder.get(text_key, record)
        event = _decode(holder.get(text_key), f"{at}.{text_key}")
        if kind == "sqs" and isinstance(event, dict) and event.get("Type") == "Notification" and "TopicArn" in event:
            event = _decode(event.get("Message"), f"{at}.{text_key}.Message")
    except UnreadableError as error:
        return _unreadable(name, f"{kind.upper()} message", error, raw)
    return Record(id=name, event=event)


def _holder(kind: Kind, record: Any, path: str) -> tuple[Any, str, str, str]:
    """Give what holds the message, its path, and the keys of its id and its text."""
    if _source(record) != f"aws:{kind}":
        raise UnreadableError(path, f"is no record from aws:{kind} like the others")
    if kind == "sqs":
        return record, path, "messageId", "body"
    return record.get("Sns"), f"{path}.Sns", "MessageId", "Message"


def _own_id(holder: Any, key: str, path: str) -> str:
    """Give the id under which AWS knows the message."""
    if not isinstance(holder, dict):
        raise UnreadableError(path, "is absent or no object")
    text = holder.get(key)
    if not isinstance(text, str) or not text or not text.isprintable():
        raise UnreadableError(f"{path}.{key}", "is absent or no text, so the record cannot be named")
    return text


def _decode(text: Any, path: str) -> Any:
    """Decode the JSON object or array inside a message; NaN and Infinity are no JSON."""
    if not isinstance(text, str):
        raise UnreadableError(path, "is absent or no text")
    try:
        event = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise UnreadableError(path, f"is not JSON: {error}") from error
    except RecursionError as error:
        raise UnreadableError(path, "is nested too deep to be read") from error
    if not isinstance(event, (dict, list)):
        raise UnreadableError(path, "is JSON, but neither an object nor an array")
    return event


def _unreadable(name: str, shape: str, error: UnreadableError, raw: Any) -> Record:
    """Make a record of what could not be read."""
    problem = Undecidable(shape=shape, field=error.field, problem=error.problem, raw=raw)
    return Record(id=name, problem=problem)
