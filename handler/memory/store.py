"""The table: items read and written by their key, each write on condition that nobody else has written meanwhile.

An item is one JSON text beside its `version`. What outgrows DynamoDB's 400 KB is split over several, written and read
as one. What the time to live has passed is not there, whether or not DynamoDB has deleted it.
"""

import logging
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from typing import Any, TypeVar
from uuid import uuid4

import msgspec
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from msgspec import Struct

from handler.errors import MemoryUnavailableError
from handler.finding import Finding
from handler.memory.state import FORMAT, Cause, Episode, Notice, Run, Server, Unused, encode, later, moment

Key = tuple[str, str]
"""Partition key (`ACCOUNT#REGION`) and sort key."""

Kind = TypeVar("Kind", bound=Struct)

_KINDS: dict[str, type[Struct]] = {
    "server": Server,
    "cause": Cause,
    "notice": Notice,
    "episode": Episode,
    "report": Finding,
    "run": Run,
    "unused": Unused,
}
"""By what the sort key begins with."""

_CHARACTERS = 90_000
"""Of an item's text: at four bytes each it stays under 400 KB."""

_KEYS, _ATTEMPTS = 100, 20
_CONDITION_FAILED = "ConditionalCheckFailedException"
_ABSENT: Key = ("start", "start")
"""The key of an item that is never there, by which the start tries what it may do."""

_LOGGER = logging.getLogger(__name__)


class Row(Struct, frozen=True):
    """An item as it was read: its version, 0 where there is none, and nothing where it could not be read.

    `pieces` is over how many it is split.
    """

    version: int = 0
    item: Struct | None = None
    pieces: int = 1


class Table:
    """A DynamoDB table with the text keys `pk` and `sk`. Raises `MemoryUnavailableError` for whatever AWS refuses."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name
        self._until = math.inf

    def begin(self, until: float) -> None:
        """Ask again, until a time of `time.monotonic()`: after it, and after no answer, nothing is asked any more."""
        self._until = until

    def check(self, *, writes: bool = False) -> None:
        """Raise where the table is missing, has other keys, or may not be read or described, or written with `writes`.

        Nothing is changed. One that does not answer now, or is throttled, may answer later: that is logged.
        """
        try:
            with self._refusals("ResourceNotFoundException", "AccessDeniedException", _CONDITION_FAILED):
                table = self._client.describe_table(TableName=self._name)["Table"]
                keys = {schema["AttributeName"]: schema["KeyType"] for schema in table["KeySchema"]}
                types = {named["AttributeName"]: named["AttributeType"] for named in table["AttributeDefinitions"]}
                fits = keys == {"pk": "HASH", "sk": "RANGE"} and (types["pk"], types["sk"]) == ("S", "S")
                if fits:
                    self._client.batch_get_item(RequestItems={self._name: {"Keys": [_spelled(_ABSENT)]}})
                if fits and writes:
                    self._client.delete_item(TableName=self._name, Key=_spelled(_ABSENT))
                    never: dict[str, Any] = {":read": {"N": "1"}}
                    self._client.put_item(
                        TableName=self._name,
                        Item=_spelled(_ABSENT),
                        ConditionExpression="version = :read",
                        ExpressionAttributeValues=never,
                    )
        except ClientError as error:
            if error.response["Error"]["Code"] != _CONDITION_FAILED:
                raise MemoryUnavailableError(self._name, str(error)) from error
        except MemoryUnavailableError as error:
            _LOGGER.error("memory", extra={"fields": {"problem": f"{error}. The start goes on"}})  # noqa: TRY400
            return
        if not fits:
            raise MemoryUnavailableError(self._name, "it has other keys than pk and sk, both text")

    def check_expiry(self) -> None:
        """Log what to do where DynamoDB deletes nothing by the attribute `expires`, or that nobody may ask whether."""
        try:
            with self._refusals():
                answer = self._client.describe_time_to_live(TableName=self._name)["TimeToLiveDescription"]
        except MemoryUnavailableError as error:
            problem = f"{error}. Nobody knows whether what has expired is deleted"
        else:
            status, attribute = answer.get("TimeToLiveStatus", ""), answer.get("AttributeName", "")
            if status in {"ENABLED", "ENABLING"} and attribute == "expires":
                return
            problem = f"{self._name} keeps for ever what has closed: turn its time to live on, by the attribute expires"
        _LOGGER.error("memory", extra={"fields": {"problem": problem}})

    def read(self, keys: Iterable[Key], at: str) -> dict[Key, Row]:
        """Read items; a `Row` for each key."""
        keys = tuple(dict.fromkeys(keys))
        items = {(item["pk"]["S"], item["sk"]["S"]): item for item in self._get(keys)}
        return {key: self._row(key, items.get(key), at) for key in keys}

    def update(
        self,
        key: Key,
        row: Row,
        at: str,
        change: Callable[[Kind | None], Kind | None],
        *,
        keep: Callable[[Kind], timedelta | None] = lambda _: None,
    ) -> Kind | None:
        """Write what the change makes of an item, of the newer one where somebody else wrote meanwhile; return it.

        `keep` says for how long, where that is not for ever. What the change leaves as it is, is not written.
        """
        for _ in range(_ATTEMPTS):
            item: Any = row.item
            changed = change(item)
            if changed is None or changed == item:
                return changed
            newer = self._put(key, row, changed, at, keep(changed))
            if newer is None:
                return changed
            row = newer
        raise MemoryUnavailableError(self._name, f"others changed {key[1]} of {key[0]} {_ATTEMPTS} times meanwhile")

    def put(self, key: Key, item: Struct, at: str, keep: timedelta | None = None) -> None:
        """Write an item, whatever is there: one that nobody else writes."""
        with self._refusals():
            first, *others = self._items(key, 1, item, at, keep)
            old = self._client.put_item(TableName=self._name, Item=first, ReturnValues="ALL_OLD").get("Attributes", {})
            for piece in others:
                self._client.put_item(TableName=self._name, Item=piece)
            for number in range(len(others) + 1, int(old.get("pieces", {}).get("N", 1))):
                self._client.delete_item(TableName=self._name, Key=_spelled(_piece(key, number)))

    def delete(self, key: Key) -> None:
        """Delete an item, and whatever it was split over."""
        with self._refusals():
            item = next(self._get([key]), {})
            for number in range(int(item.get("pieces", {}).get("N", 1)), 0, -1):
                self._client.delete_item(TableName=self._name, Key=_spelled(_piece(key, number - 1)))

    def scan(self, at: str, kinds: Sequence[str] = (), until: float = math.inf) -> Iterator[tuple[Key, Row]]:
        """Read every item of the table, or those of some kinds.

        `until` is a time of `time.monotonic()`: raises `MemoryUnavailableError` where more is left to read then.
        """
        only: dict[str, Any] = {}
        if kinds:
            names = {f":kind{number}": {"S": f"{kind}#"} for number, kind in enumerate(kinds)}
            only["FilterExpression"] = " OR ".join(f"begins_with(sk, {name})" for name in names)
            only["ExpressionAttributeValues"] = names
        with self._refusals():
            pages = self._client.get_paginator("scan").paginate(TableName=self._name, ConsistentRead=True, **only)
            for page in pages:
                if time.monotonic() >= until:
                    raise MemoryUnavailableError(self._name, "no time was left to read all of it")
                for item in (item for item in page["Items"] if "pieces" in item):
                    key = (item["pk"]["S"], item["sk"]["S"])
                    yield key, self._row(key, item, at)

    def partitions(self) -> set[str]:
        """Return the partition keys under which servers are remembered."""
        only = {
            "FilterExpression": "begins_with(sk, :server)",
            "ExpressionAttributeValues": {":server": {"S": "server#"}},
        }
        with self._refusals():
            pages = self._client.get_paginator("scan").paginate(TableName=self._name, ProjectionExpression="pk", **only)
            return {item["pk"]["S"] for page in pages for item in page["Items"]}

    def servers(self, partition: str, after: str, at: str) -> Iterator[dict[Key, Server]]:
        """Read the servers of a partition in the order of their sort keys, from the one after a key, in pages."""
        condition = {
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :after AND :end",
            "ExpressionAttributeValues": {
                ":pk": {"S": partition},
                ":after": {"S": f"{after or 'server#'}\0"},
                ":end": {"S": "server$"},
            },
        }
        with self._refusals():
            pages = self._client.get_paginator("query").paginate(
                TableName=self._name, ConsistentRead=True, PaginationConfig={"PageSize": _KEYS}, **condition
            )
            for items in ([item for item in page["Items"] if "pieces" in item] for page in pages):
                rows = {key: self._row(key, item, at) for item in items for key in [(partition, item["sk"]["S"])]}
                if rows:
                    yield {key: row.item for key, row in rows.items() if isinstance(row.item, Server)}

    def _get(self, keys: Iterable[Key]) -> Iterator[dict[str, Any]]:
        """Get items as AWS has them; what it leaves unprocessed is asked for again."""
        keys = list(keys)
        for start in range(0, len(keys), _KEYS):
            wanted: list[dict[str, Any]] = [_spelled(key) for key in keys[start : start + _KEYS]]
            for attempt in count():
                if attempt == _ATTEMPTS:
                    raise MemoryUnavailableError(self._name, f"DynamoDB left {len(wanted)} items unread")
                with self._refusals():
                    answer = self._client.batch_get_item(
                        RequestItems={self._name: {"Keys": wanted, "ConsistentRead": True}}
                    )
                yield from answer["Responses"].get(self._name, [])
                wanted = answer.get("UnprocessedKeys", {}).get(self._name, {}).get("Keys", [])
                if not wanted:
                    break

    def _row(self, key: Key, item: Mapping[str, Any] | None, at: str) -> Row:
        """Read an item. One that is damaged, or of a newer format, is as if it had never been written, and logged."""
        if item is None:
            return Row()
        version = int(item.get("version", {}).get("N", 0))
        pieces = int(item.get("pieces", {}).get("N", 1))
        unread = Row(version, pieces=pieces)
        if "expires" in item and float(item["expires"].get("N", math.inf)) <= moment(at).timestamp():
            return unread
        try:
            if item["format"]["N"] == str(FORMAT):
                text = "".join([item["state"]["S"], *self._further(key, version, pieces)])
                return Row(version, msgspec.json.decode(text, type=_KINDS[key[1].partition("#")[0]]), pieces)
            problem = f"its format is {item['format']['N']}, and this version reads {FORMAT}"
        except (KeyError, ValueError) as error:
            problem = f"{type(error).__name__}: {error}"
        fields = {"pk": key[0], "sk": key[1], "problem": f"{problem}. What it knew is told anew"}
        _LOGGER.error("memory item cannot be read", extra={"fields": fields})
        return unread

    def _further(self, key: Key, version: int, pieces: int) -> list[str]:
        """Get the texts of the pieces after the first; those of another version are not of this item."""
        keys = [_piece(key, number) for number in range(1, pieces)]
        texts = {
            item["sk"]["S"]: item["state"]["S"] for item in self._get(keys) if int(item["version"]["N"]) == version
        }
        return [texts[sk] for _, sk in keys]

    def _put(self, key: Key, row: Row, item: Struct, at: str, keep: timedelta | None) -> Row | None:
        """Write an item over the version that was read; return what is there instead, where that is another one.

        boto3 sends a request again that got no answer: the second may meet the write of the first. What has no version
        that can be read is written over, as if it were not there.
        """
        with self._refusals():
            items = self._items(key, row.version + 1, item, at, keep)
        condition: dict[str, Any] = {
            "ConditionExpression": "version = :read" if row.version else "NOT attribute_type(version, :read)",
            "ExpressionAttributeValues": {":read": {"N": str(row.version)} if row.version else {"S": "N"}},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        try:
            with self._refusals(_CONDITION_FAILED, "TransactionCanceledException"):
                if len(items) == row.pieces == 1:
                    self._client.put_item(TableName=self._name, Item=items[0], **condition)
                else:
                    writes: list[dict[str, Any]] = [
                        {"Put": {"TableName": self._name, "Item": piece}} for piece in items
                    ]
                    writes[0]["Put"] |= condition
                    writes += [
                        {"Delete": {"TableName": self._name, "Key": _spelled(_piece(key, number))}}
                        for number in range(len(items), row.pieces)
                    ]
                    self._client.transact_write_items(TransactItems=writes)
        except ClientError as error:
            returned: Any = error.response
            old = returned.get("Item") or next(self._get([key]), None)
            ours = old is not None and old.get("write") == items[0]["write"]
            return None if ours else self._row(key, old, at)
        return None

    def _items(self, key: Key, version: int, item: Struct, at: str, keep: timedelta | None) -> list[dict[str, Any]]:
        text = encode(item)
        pieces = [text[start : start + _CHARACTERS] for start in range(0, len(text), _CHARACTERS)]
        expires = {} if keep is None else {"expires": {"N": str(int(moment(later(at, keep)).timestamp()))}}
        write = {"S": uuid4().hex}
        return [
            {
                **_spelled(_piece(key, number)),
                "format": {"N": str(FORMAT)},
                "version": {"N": str(version)},
                **({} if number else {"pieces": {"N": str(len(pieces))}}),
                "state": {"S": piece},
                "write": write,
                **expires,
            }
            for number, piece in enumerate(pieces)
        ]

    @contextmanager
    def _refusals(self, *passed: str) -> Iterator[None]:
        """Turn what AWS refuses, or no request can carry, into `MemoryUnavailableError`, but for the errors named."""
        if time.monotonic() >= self._until:
            raise MemoryUnavailableError(self._name, "it did not answer in time")
        try:
            yield
        except (BotoCoreError, ClientError, UnicodeEncodeError) as error:
            if isinstance(error, HTTPClientError):
                self._until = 0
            if isinstance(error, ClientError) and error.response["Error"]["Code"] in passed:
                raise
            raise MemoryUnavailableError(self._name, str(error)) from error


def _spelled(key: Key) -> dict[str, Any]:
    return {"pk": {"S": key[0]}, "sk": {"S": key[1]}}


def _piece(key: Key, number: int) -> Key:
    return (key[0], f"{key[1]}~{number}") if number else key
