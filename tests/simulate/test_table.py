"""The table of the simulation answers to the memory's calls as DynamoDB does."""

from typing import Any

from botocore.exceptions import ClientError
from mypy_boto3_dynamodb import DynamoDBClient

from simulate.table import Table

_ABSENT = {
    "ConditionExpression": "NOT attribute_type(version, :read)",
    "ExpressionAttributeValues": {":read": {"S": "N"}},
    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
}
_SERVERS = {
    "KeyConditionExpression": "pk = :pk AND sk BETWEEN :after AND :end",
    "ExpressionAttributeValues": {":pk": {"S": "a"}, ":after": {"S": "server#b\0"}, ":end": {"S": "server$"}},
}


def _item(pk: str, sk: str, version: int) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}, "version": {"N": str(version)}}


def _version(number: int) -> dict[str, Any]:
    return {
        "ConditionExpression": "version = :read",
        "ExpressionAttributeValues": {":read": {"N": str(number)}},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def _beginning(*kinds: str) -> dict[str, Any]:
    names = {f":kind{number}": {"S": kind} for number, kind in enumerate(kinds)}
    expression = " OR ".join(f"begins_with(sk, {name})" for name in names)
    return {"FilterExpression": expression, "ExpressionAttributeValues": names}


_CALLS: list[tuple[str, dict[str, Any]]] = [
    ("put_item", {"Item": _item("a", "server#b", 1), **_ABSENT}),
    ("put_item", {"Item": _item("a", "server#b", 2), **_ABSENT}),
    ("put_item", {"Item": _item("a", "server#b", 2), **_version(1)}),
    ("put_item", {"Item": _item("a", "server#b", 3), **_version(1)}),
    ("put_item", {"Item": _item("a", "server#c", 3), **_version(1)}),
    ("put_item", {"Item": {**_item("a", "server#d", 1), "version": {"S": "damaged"}}}),
    ("put_item", {"Item": _item("a", "server#d", 1), **_ABSENT}),
    ("put_item", {"Item": _item("a", "server#c", 1)}),
    ("put_item", {"Item": _item("a", "report#c", 1)}),
    ("put_item", {"Item": _item("b", "server#d", 1)}),
    ("batch_get_item", {"Keys": [{"pk": {"S": "a"}, "sk": {"S": name}} for name in ("server#b", "none", "report#c")]}),
    ("transact_write_items", {"Put": _item("a", "server#b", 9), "Delete": ("b", "server#d"), **_version(1)}),
    ("scan", {}),
    ("transact_write_items", {"Put": _item("a", "server#b", 9), "Delete": ("b", "server#d"), **_version(2)}),
    ("scan", _beginning("server#")),
    ("scan", _beginning("server#", "report#")),
    ("query", _SERVERS),
    ("delete_item", {"Key": {"pk": {"S": "a"}, "sk": {"S": "server#c"}}}),
    ("delete_item", {"Key": {"pk": {"S": "a"}, "sk": {"S": "server#c"}}}),
    ("scan", {}),
]


def test_table_answers_as_dynamodb_does(dynamodb: DynamoDBClient, table: str) -> None:
    """The same calls, in the same order, have the same answers and refusals."""
    stand_in = Table()
    for number, (name, call) in enumerate(_CALLS):
        assert _made(stand_in, table, name, call) == _made(dynamodb, table, name, call), (number, name)


def test_table_has_the_keys_of_the_memory(dynamodb: DynamoDBClient, table: str) -> None:
    """It describes itself as the table that is deployed."""
    for field in ("KeySchema", "AttributeDefinitions"):
        assert (
            Table().describe_table(TableName=table)["Table"][field]
            == dict(dynamodb.describe_table(TableName=table)["Table"])[field]
        )


def _made(client: Any, table: str, name: str, call: dict[str, Any]) -> Any:
    """Make a call, and return what of the answer the memory reads."""
    try:
        match name:
            case "scan" | "query":
                pages = client.get_paginator(name).paginate(TableName=table, ConsistentRead=True, **call)
                items = [item for page in pages for item in page["Items"]]
                return items if name == "query" else sorted(items, key=str)
            case "batch_get_item":
                answer = client.batch_get_item(RequestItems={table: call})
                return sorted(answer["Responses"][table], key=str), answer["UnprocessedKeys"]
            case "transact_write_items":
                pk, sk = call["Delete"]
                put = {"TableName": table, "Item": call["Put"]} | {key: call[key] for key in _version(1) if key in call}
                delete = {"TableName": table, "Key": {"pk": {"S": pk}, "sk": {"S": sk}}}
                client.transact_write_items(TransactItems=[{"Put": put}, {"Delete": delete}])
                return None
            case _:
                getattr(client, name)(TableName=table, **call)
                return None
    except ClientError as error:
        refusal: Any = error.response
        return refusal["Error"]["Code"], refusal.get("Item")
