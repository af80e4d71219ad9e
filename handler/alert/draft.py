"""A message before it is fitted, and how it is fitted into what SNS takes."""

import json
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from handler.alert import policies, subjects
from handler.alert.attributes import Attributes
from handler.alert.content import Carried, content, weight
from handler.alert.message import Message, sendable
from handler.alert.text import ROOMS, Room
from handler.outcome import Engine
from handler.settings import Settings

CHAT_CHARACTERS = 8000
"""The longest `description` that Amazon Q Developer takes."""

T = TypeVar("T")


class Draft(Struct, frozen=True, kw_only=True):
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


def fitted(draft: Draft, settings: Settings, engine: Engine) -> Message:
    """Give text and chat a third each of what SNS takes, and the JSON the rest."""
    account = draft.attributes["account"]
    subject = subjects.sendable(draft.subject)
    if isinstance(account, str):
        subject = subjects.with_account_name(subject, account, policies.account(settings.policies_path, account))
    heading = {**draft.attributes, "subject": subject}
    episodes = frozenset(entry["episode"] for entry in draft.carried.news)
    message = Message(records=draft.records, subject=subject, body="", data=heading, episodes=episodes)
    third = (settings.alert_max_bytes - message.size()) // 3
    text = cache(lambda room: sendable(draft.text(room)))
    body = _largest(map(text, draft.rooms), lambda text: _bytes(text) <= third)
    chat = _chat(map(text, draft.rooms), subject, third) if settings.alert_https_format == "amazon-q" else None
    everything = {"findings": len(draft.carried.judged), "reports": len(draft.carried.reports)}
    longest = replace(message, body=body + draft.closing(draft.carried, everything), chat=chat)
    room = settings.alert_max_bytes - longest.size() + weight(heading)
    data = content(draft.carried, heading, engine, room)
    return replace(longest, body=body + draft.closing(draft.carried, data["left_out"]), data=data)


def _chat(texts: Iterable[str], subject: str, room: int) -> dict[str, Any]:
    """Give the first text of the mail that fits as a custom notification of Amazon Q Developer.

    It is set as code, so that no text in it becomes markup.
    https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html
    """
    chats = (
        {
            "version": "1.0",
            "source": "custom",
            "content": {
                "textType": "client-markdown",
                "title": _inert(subject),
                "description": f"```\n{_inert(text)}```",
            },
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
