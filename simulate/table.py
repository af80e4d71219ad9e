"""A DynamoDB client for a year in minutes: one table in this process, with the calls and conditions of the memory.

`tests/simulate/test_table.py` holds it to DynamoDB Local.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

Item = dict[str, Any]


class Table:
    """The client. Of the names of tables it takes no notice: there is one."""

    def __init__(self) -> None:
        self._items: dict[tuple[str, str], Item] = {}
        self._keys: list[tuple[str, str]] = []
        """In their order."""

    def describe_table(self, **_: Any) -> Any:
        """Say what its keys are."""
        keys = {"pk": "HASH", "sk": "RANGE"}
        return {
            "Table": {
                "KeySchema": [{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
                "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in keys],
            }
        }

    def describe_time_to_live(self, **_: Any) -> Any:
        """Say that what has expired is deleted."""
        return {"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}}

    def batch_get_item(self, **call: Any) -> Any:
        """Get items, those that are there."""
        [(table, asked)] = call["RequestItems"].items()
        items = [item for key in asked["Keys"] if (item := self._items.get(_key(key))) is not None]
        return {"Responses": {table: items}, "UnprocessedKeys": {}}

    def put_item(self, **call: Any) -> Any:
        """Write an item, on a condition; what is there instead comes with the refusal."""
        old = self._items.get(_key(call["Item"]))
        if not _holds(call, old):
            raise _refusal("ConditionalCheckFailedException", "PutItem", {"Item": old} if old is not None else {})
        self._put(call["Item"])
        return {}

    def delete_item(self, **call: Any) -> Any:
        """Delete an item, if it is there."""
        self._delete(_key(call["Key"]))
        return {}

    def transact_write_items(self, **call: Any) -> Any:
        """Write and delete several items, or none where a condition does not hold."""
        puts = [write["Put"] for write in call["TransactItems"] if "Put" in write]
        if not all(_holds(put, self._items.get(_key(put["Item"]))) for put in puts):
            raise _refusal("TransactionCanceledException", "TransactWriteItems", {})
        for put in puts:
            self._put(put["Item"])
        for write in call["TransactItems"]:
            if "Delete" in write:
                self.delete_item(**write["Delete"])
        return {}

    def get_paginator(self, name: str) -> Any:
        """Return what gives all items that are looked for in one page, in the order of their keys."""
        answer = {"scan": self._scanned, "query": self._queried}[name]
        return SimpleNamespace(paginate=lambda **call: iter([{"Items": answer(call)}]))

    def _scanned(self, call: Mapping[str, Any]) -> list[Item]:
        """Return all items; of filters, only that of sort keys that begin with something is known."""
        expression, values = call.get("FilterExpression", ""), call.get("ExpressionAttributeValues", {})
        if expression != " OR ".join(f"begins_with(sk, {name})" for name in values):
            raise NotImplementedError(expression)
        beginnings = tuple(value["S"] for value in values.values()) or ""
        return [self._items[key] for key in self._keys if key[1].startswith(beginnings)]

    def _queried(self, call: Mapping[str, Any]) -> list[Item]:
        """Return a part of a partition: there is one query."""
        if call["KeyConditionExpression"] != "pk = :pk AND sk BETWEEN :after AND :end":
            raise NotImplementedError(call["KeyConditionExpression"])
        partition, after, end = (call["ExpressionAttributeValues"][name]["S"] for name in (":pk", ":after", ":end"))
        first, last = bisect_left(self._keys, (partition, after)), bisect_right(self._keys, (partition, end))
        return [self._items[key] for key in self._keys[first:last]]

    def _put(self, item: Item) -> None:
        if (key := _key(item)) not in self._items:
            insort(self._keys, key)
        self._items[key] = item

    def _delete(self, key: tuple[str, str]) -> None:
        if self._items.pop(key, None) is not None:
            self._keys.remove(key)

    def expire(self, timestamp: float) -> None:
        """Delete what has expired, as DynamoDB does in the course of days."""
        for key, item in [*self._items.items()]:
            if "expires" in item and int(item["expires"]["N"]) <= timestamp:
                self._delete(key)


def _key(item: Mapping[str, Any]) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


def _holds(call: Mapping[str, Any], old: Item | None) -> bool:
    version = (old or {}).get("version", {})
    match call.get("ConditionExpression"):
        case None:
            return True
        case "NOT attribute_type(version, :read)":
            return call["ExpressionAttributeValues"][":read"]["S"] not in version
        case "version = :read":
            return bool(version == call["ExpressionAttributeValues"][":read"])
        case condition:
            raise NotImplementedError(condition)


def _refusal(code: str, operation: str, more: Mapping[str, Any]) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": "the condition does not hold"}, **more}
    return ClientError(answer, operation)
