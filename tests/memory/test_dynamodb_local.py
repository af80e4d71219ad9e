"""DynamoDB Local does what the memory relies on, and says why where it does not run."""

from pathlib import Path
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient
from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, PutTypeDef

from tests.maven import DYNAMODB_LOCAL, Jars, JarsError
from tests.memory.dynamodb_local import DynamoDBLocalError, Server

pytestmark = pytest.mark.slow
needs_java = pytest.mark.skipif("java" in DYNAMODB_LOCAL.missing_programs(), reason="PATH has no java")


def item(server: str, version: int = 1) -> dict[str, AttributeValueTypeDef]:
    """Return an item of a server."""
    return {**key(server), "version": {"N": str(version)}}


def key(server: str) -> dict[str, AttributeValueTypeDef]:
    """Return the key of a server's item."""
    return {"pk": {"S": "111122223333#eu-west-1"}, "sk": {"S": server}}


def put_new(table: str, server: str, version: int = 1) -> PutTypeDef:
    """Return a put on the condition that there is no item, which gives back the one that there is."""
    return {
        "TableName": table,
        "Item": item(server, version),
        "ConditionExpression": "attribute_not_exists(pk)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def test_a_failed_condition_gives_the_old_item_back(dynamodb: DynamoDBClient, table: str) -> None:
    """A put on the condition that there is no item fails where there is one, which the error carries."""
    dynamodb.put_item(**put_new(table, "i-1"))
    with pytest.raises(dynamodb.exceptions.ConditionalCheckFailedException) as error:
        dynamodb.put_item(**put_new(table, "i-1", version=2))
    response: Any = error.value.response  # its type knows no items
    assert response["Item"] == item("i-1")
    assert dynamodb.get_item(TableName=table, Key=key("i-1"))["Item"] == item("i-1")


def test_a_transaction_with_a_failed_condition_writes_nothing(dynamodb: DynamoDBClient, table: str) -> None:
    """All items of a transaction are written or none; the reasons stand in the order of the items."""
    dynamodb.transact_write_items(TransactItems=[{"Put": put_new(table, "i-1")}])
    puts = [put_new(table, "i-2"), put_new(table, "i-1", version=2)]
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException) as error:
        dynamodb.transact_write_items(TransactItems=[{"Put": put} for put in puts])
    absent, present = error.value.response["CancellationReasons"]
    assert absent == {"Code": "None"}
    assert (present["Code"], present["Item"]) == ("ConditionalCheckFailed", item("i-1"))
    assert dynamodb.scan(TableName=table)["Items"] == [item("i-1")]


def test_a_batch_of_100_keys_is_read_in_one_request(dynamodb: DynamoDBClient, table: str) -> None:
    """Items that are there come back, in any order; those that are not are left out."""
    servers = [f"i-{number}" for number in range(99)]
    dynamodb.transact_write_items(TransactItems=[{"Put": put_new(table, name)} for name in servers])
    keys = [key(name) for name in [*servers, "i-absent"]]
    answer = dynamodb.batch_get_item(RequestItems={table: {"Keys": keys, "ConsistentRead": True}})
    assert sorted(row["sk"]["S"] for row in answer["Responses"][table]) == sorted(servers)
    assert answer["UnprocessedKeys"] == {}


def test_a_table_lets_items_expire(dynamodb: DynamoDBClient, table: str) -> None:
    """The table's TTL attribute is `expires`."""
    description = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    assert description == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}


def test_jars_that_are_not_those_listed_are_refused(tmp_path: Path) -> None:
    """A jar of other content, one too many and those missing are named, with what to do."""
    (tmp_path / "jars").mkdir()
    changed = DYNAMODB_LOCAL.sums.read_text().split()[1]
    for name in (changed, "additional.jar"):
        (tmp_path / "jars" / name).write_bytes(b"other content")
    with pytest.raises(JarsError, match=rf"in {changed}, .*additional\.jar, .*Remove that folder"):
        Jars(DYNAMODB_LOCAL.sources, tmp_path / "jars").fetch()


@needs_java
def test_a_server_that_ends_at_its_start_fails_with_its_log(tmp_path: Path) -> None:
    """A Java that ends is an error with Java's own message."""
    with pytest.raises(DynamoDBLocalError, match=r"(?s)ended with status 1: .*ClassNotFoundException"):
        Server(tmp_path, jars=tmp_path).__enter__()
