"""One SNS message: what each protocol gets, the attributes for filter policies, and what all of it weighs."""

import json
import re
from typing import Any

from msgspec import Struct

ATTRIBUTES = ("account", "region", "severity", "server", "action", "team")

ENVELOPE = 1024
"""Bytes kept free for what SNS wraps around a message on its way to a queue: ids, signature, addresses."""

_UNSENDABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Earlier(Struct, frozen=True):
    """What has gone out of the same invocation before: how many messages, with how many findings and reports."""

    messages: int = 0
    findings: int = 0
    reports: int = 0

    def after(self, data: dict[str, Any]) -> "Earlier":
        """Count a message by its JSON; an answer tells nothing that is denied."""
        if data["kind"] == "answer":
            return self
        findings, reports = (len(data[kind]) + data["left_out"][kind] for kind in ("findings", "reports"))
        return Earlier(self.messages + 1, self.findings + findings, self.reports + reports)


class Message(Struct, frozen=True, kw_only=True):
    """An alert. `records` are the ids of the records whose findings it carries, `body` is what a mail reader gets.

    `data` is the JSON for machines: the six attributes (a text, or a list of texts where they differ), `kind`
    (`server`, `digest`, `undecidable` or `answer`), `subject`, `policy`, `opa`, `findings` (each with its decision),
    `reports` (what could not be judged), and `left_out`: how many of each did not fit. A slice has, in its digest,
    `earlier`: how many messages, findings and reports of the invocation went before. `chat` is what HTTPS subscribers
    get in its place, where they are Amazon Q Developer. `episodes` are those that it is about; `data` has under `news`
    those that it had room for.
    """

    records: frozenset[str]
    subject: str
    body: str
    data: dict[str, Any]
    chat: dict[str, Any] | None = None
    episodes: frozenset[str] = frozenset()

    def publish_arguments(self) -> dict[str, Any]:
        """Give the arguments of SNS's Publish, but for the topic.

        Mail and SMS have texts of their own; every other protocol (SQS, Lambda, HTTP, HTTPS, Firehose, JSON mail) gets
        `default`, the JSON, so that it is carried once.
        """
        forms = {"default": to_json(self.data), "email": self.body, "sms": self.subject}
        if self.chat is not None:
            forms["https"] = to_json(self.chat)
        return {
            "Subject": self.subject,
            "MessageStructure": "json",
            "Message": to_json(forms),
            "MessageAttributes": {name: _attribute(self.data[name]) for name in ATTRIBUTES},
        }

    def size(self) -> int:
        """Give the bytes that SNS may count, read at its strictest: UTF-8 of all parts, and the envelope."""
        arguments = self.publish_arguments()
        attributes = [
            text for name, value in arguments["MessageAttributes"].items() for text in (name, *value.values())
        ]
        texts = [arguments["Message"], arguments["Subject"], *attributes]
        return ENVELOPE + sum(len(text.encode()) for text in texts)


def sendable(text: str) -> str:
    """Replace what neither UTF-8 nor SQS can carry: lone surrogates, control characters, non-characters."""
    return _UNSENDABLE.sub("\ufffd", text)


def to_json(value: object) -> str:
    """Spell a value as JSON that every protocol can carry."""
    spelled = json.dumps(value, ensure_ascii=False)
    return spelled if spelled.isascii() else sendable(spelled)  # JSON escapes the control characters


def _attribute(value: str | list[str]) -> dict[str, str]:
    if isinstance(value, str):
        return {"DataType": "String", "StringValue": value}
    return {"DataType": "String.Array", "StringValue": to_json(value)}
