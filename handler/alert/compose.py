"""Makes the messages of one invocation, each of them small enough for SNS."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from handler.alert import answer, digest, mail, policies, subjects, undecidable
from handler.alert.attributes import Attributes, gather
from handler.alert.case import SEVERITIES, Case, Judged, cases, denials, judgements
from handler.alert.content import Carried, content, weight
from handler.alert.message import Earlier, Message, sendable
from handler.alert.text import DIGEST_ROOMS, ROOMS, Room
from handler.finding import Closed, Ignored
from handler.outcome import Engine, Outcome
from handler.settings import Settings

CHAT_CHARACTERS = 8000
"""The longest `description` that Amazon Q Developer takes."""

T = TypeVar("T")


class _Draft(Struct, frozen=True, kw_only=True):
    """A message before it is fitted: its text for any room, what that ends with, and its JSON.

    The end of the text says what the JSON leaves out, and is longest where that is everything.
    """

    records: frozenset[str]
    subject: str
    attributes: Attributes
    text: Callable[[Room], str]
    rooms: Sequence[Room] = ROOMS
    closing: Callable[[Carried, dict[str, int]], str] = lambda *_: ""
    carried: Carried


def messages(
    outcomes: Sequence[Outcome],
    settings: Settings,
    engine: Engine,
    earlier: Earlier = Earlier(),  # noqa: B008  it is frozen
    *,
    last: bool = True,
) -> list[Message]:
    """Give the messages of one invocation, the worst first; none when nothing was denied and everything could be read.

    One message a server and one a shape of unreadable report; one digest of all of them where they are more than
    `alert_max_messages`, or where the outcomes are a slice: `earlier` went out before, or this is not the `last`. How
    to close a rule can only be said where everything that came with it has been judged. Every record whose finding was
    denied or could not be judged is in one of them. Whoever asked gets one message more, about everything that is not
    in the others.
    """
    judged = judgements(outcomes)
    servers = cases(judged)
    denied = [case for case in servers if case.denied]
    allowed = [case for case in servers if not case.denied]
    shapes, asides = undecidable.by_shape(outcomes), answer.asides(outcomes)
    part = earlier if earlier.messages or not last else None
    if (denied or shapes) and (part or len(denied) + len(shapes) > settings.alert_max_messages):
        drafts = [_digest(denied, shapes, settings, engine, part)]
        allowed = [replace(case, denied=()) for case in servers if case.answered]
    else:
        drafts = [_server(case, judged, settings, engine) for case in denied]
        drafts += [_undecidable(shape, settings, engine) for shape in shapes]
    drafts += [_answer(allowed, asides, settings, engine)] if allowed or asides else []
    return [_fitted(draft, settings, engine) for draft in sorted(drafts, key=_badness)]


def _server(case: Case, judged: Sequence[Judged], settings: Settings, engine: Engine) -> _Draft:
    return _Draft(
        records=case.records,
        subject=subjects.server(case, denials(case)),
        attributes=gather([case], [], settings),
        text=lambda room: mail.body(case, judged, settings, engine, room),
        carried=Carried(kind="server", judged=case.shown, summary=digest.summary([case])),
    )


def _undecidable(shape: undecidable.Shape, settings: Settings, engine: Engine) -> _Draft:
    return _Draft(
        records=shape.records,
        subject=subjects.undecidable(shape.reports),
        attributes=gather([], shape.reports, settings),
        text=lambda room: undecidable.body(shape, settings, engine, room),
        carried=Carried(kind="undecidable", reports=shape.reports, summary=undecidable.summary([shape])),
    )


def _answer(allowed: Sequence[Case], asides: Sequence[Outcome], settings: Settings, engine: Engine) -> _Draft:
    reports = [aside.report for aside in asides if isinstance(aside.report, Closed | Ignored)]
    return _Draft(
        records=frozenset().union(*(case.records for case in allowed), *(aside.records for aside in asides)),
        subject=subjects.answer(allowed, asides),
        attributes=gather(allowed, [], settings, asides),
        text=lambda room: answer.body(allowed, asides, settings, engine, room),
        carried=Carried(
            kind="answer",
            judged=[judged for case in allowed for judged in case.shown],
            reports=reports,
            summary=answer.summary(allowed, asides),
        ),
    )


def _digest(
    denied: Sequence[Case],
    shapes: Sequence[undecidable.Shape],
    settings: Settings,
    engine: Engine,
    part: Earlier | None,
) -> _Draft:
    judged = [entry for case in denied for entry in case.denied]
    reports = [report for shape in shapes for report in shape.reports]
    return _Draft(
        records=frozenset().union(*(entry.records for entry in judged), *(shape.records for shape in shapes)),
        subject=subjects.digest(denied, reports) if denied else subjects.undecidable(reports),
        attributes=gather(denied, reports, settings),
        text=lambda room: digest.body(denied, shapes, settings, engine, room, part),
        rooms=DIGEST_ROOMS,
        closing=digest.closing,
        carried=Carried(
            kind="digest",
            judged=judged,
            reports=reports,
            summary=digest.summary(denied) + undecidable.summary(shapes),
            earlier=part,
        ),
    )


def _badness(draft: _Draft) -> int:
    severity = draft.attributes["severity"]
    return SEVERITIES.index(severity if isinstance(severity, str) else severity[0])


def _fitted(draft: _Draft, settings: Settings, engine: Engine) -> Message:
    """Give text and chat a third each of what SNS takes, and the JSON the rest."""
    account = draft.attributes["account"]
    subject = draft.subject
    if isinstance(account, str):
        subject = subjects.with_account_name(subject, account, policies.account(settings.policies_path, account))
    heading = {**draft.attributes, "subject": subject}
    message = Message(records=draft.records, subject=subject, body="", data=heading)
    third = (settings.alert_max_bytes - message.size()) // 3
    body = _largest((sendable(draft.text(room)) for room in draft.rooms), lambda text: _bytes(text) <= third)
    chat = _chat(draft, subject, third) if settings.alert_https_format == "amazon-q" else None
    everything = {"findings": len(draft.carried.judged), "reports": len(draft.carried.reports)}
    longest = replace(message, body=body + draft.closing(draft.carried, everything), chat=chat)
    room = settings.alert_max_bytes - longest.size() + weight(heading)
    data = content(draft.carried, heading, engine, room)
    return replace(longest, body=body + draft.closing(draft.carried, data["left_out"]), data=data)


def _chat(draft: _Draft, subject: str, room: int) -> dict[str, Any]:
    """Give the mail as a custom notification of Amazon Q Developer, set as code so that no text in it becomes markup.

    https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html
    """
    texts = (f"```\n{_inert(sendable(draft.text(room)))}```" for room in draft.rooms)
    chats = (
        {
            "version": "1.0",
            "source": "custom",
            "content": {"textType": "client-markdown", "title": _inert(subject), "description": text},
        }
        for text in texts
    )
    return _largest(chats, lambda chat: len(chat["content"]["description"]) <= CHAT_CHARACTERS and weight(chat) <= room)


def _inert(text: str) -> str:
    """Replace what could end the code or call people (`<!channel>`), by marks that a shell does not know either."""
    return text.replace("`", "\u02cb").replace("<", "\u2039")


def _largest(candidates: Iterable[T], fits: Callable[[T], bool]) -> T:
    """Give the first that fits, else the last."""
    for candidate in candidates:
        if fits(candidate):
            break
    return candidate


def _bytes(text: str) -> int:
    """Bytes of a text inside the JSON of a message."""
    return len(json.dumps(text, ensure_ascii=False).encode())
