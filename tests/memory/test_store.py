"""The table gives back what was written, says what is wrong with it, and takes no partial answer for a whole one."""

import math
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from mypy_boto3_dynamodb import DynamoDBClient

from handler.errors import MemoryUnavailableError
from handler.memory.state import Cause, Claim, Server, later
from handler.memory.store import Key, Row, Table
from tests.memory.story import Faults

AT = "2026-11-24T06:00:00Z"
KEY: Key = ("111122223333#eu-west-1", "server#instance#i-0a1")


def server(characters: int = 0) -> Server:
    """Give a server whose item has at least so many characters."""
    claims = {"claim": Claim(reporter="inspector2", report="x" * characters, since=AT)} if characters else {}
    return Server(kind="instance", id="i-0a1", account="111122223333", region="eu-west-1", claims=claims)


def write(table: Table, item: Server, row: Row | None = None, keep: timedelta | None = None) -> None:
    """Write a server over what was read."""
    table.update(KEY, row or Row(), AT, lambda _: item, keep=lambda _: keep)


@pytest.mark.parametrize("name", ["pk", "sk"])
def test_table_with_other_keys_is_named(dynamodb: DynamoDBClient, name: str) -> None:
    """A table whose keys are not text, or that has one only, is refused with its name."""
    other = f"other-{name}"
    dynamodb.create_table(
        TableName=other,
        KeySchema=[{"AttributeName": name, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    with pytest.raises(MemoryUnavailableError, match=rf"MEMORY_TABLE {other}: .*other keys than pk and sk"):
        Table(dynamodb, other).check()


def test_missing_table_is_named(dynamodb: DynamoDBClient) -> None:
    """A table that is not there is refused with its name."""
    with pytest.raises(MemoryUnavailableError, match=r"MEMORY_TABLE nowhere: .*ResourceNotFoundException"):
        Table(dynamodb, "nowhere").check()


@pytest.mark.parametrize("call", ["describe_table", "batch_get_item", "delete_item", "put_item"])
def test_missing_permission_is_named(dynamodb: DynamoDBClient, table: str, call: str) -> None:
    """A table that may not be described, or read and written as events do, is refused with its name and AWS's word."""
    denied: Any = {"Error": {"Code": "AccessDeniedException", "Message": "not authorized"}}
    error = ClientError(denied, call)
    with (
        patch.object(dynamodb, call, side_effect=error),
        pytest.raises(MemoryUnavailableError, match=f"MEMORY_TABLE {table}: .*AccessDeniedException"),
    ):
        Table(dynamodb, table).check(writes=True)


@pytest.mark.parametrize("call", ["delete_item", "put_item"])
def test_reader_needs_no_permission_to_write(dynamodb: DynamoDBClient, table: str, call: str) -> None:
    """Who only reads may be refused to write, and the check of one who writes leaves nothing in the table."""
    denied: Any = {"Error": {"Code": "AccessDeniedException", "Message": "not authorized"}}
    with patch.object(dynamodb, call, side_effect=ClientError(denied, call)):
        Table(dynamodb, table).check()
    Table(dynamodb, table).check(writes=True)
    assert dynamodb.scan(TableName=table)["Count"] == 0


def test_time_to_live_that_is_off_is_logged(
    dynamodb: DynamoDBClient, table: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Where DynamoDB would delete nothing the log says what to do, and where nobody may ask, that; else nothing."""
    Table(dynamodb, table).check_expiry()
    assert not caplog.records
    off: Any = {"Enabled": False, "AttributeName": "expires"}
    dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=off)
    Table(dynamodb, table).check_expiry()
    refusing = Faults(dynamodb)
    refusing.before["dynamodb"] = lambda: _refuse("AccessDeniedException")
    try:
        Table(dynamodb, table).check_expiry()
    finally:
        refusing.clear()
    problems = [str(vars(record)["fields"]["problem"]) for record in caplog.records]
    assert len(problems) == 2
    assert "turn its time to live on, by the attribute expires" in problems[0]
    assert "Nobody knows whether what has expired is deleted" in problems[1]


@pytest.mark.parametrize("characters", [0, 89_000, 399_000, 409_000, 900_000])
def test_item_of_any_size_is_read_as_it_was_written(dynamodb: DynamoDBClient, table: str, characters: int) -> None:
    """Near and over DynamoDB's 400 KB it is split, scanned once, and leaves no piece behind when it shrinks."""
    store = Table(dynamodb, table)
    write(store, server(characters))
    row = store.read([KEY], AT)[KEY]
    assert row.item == server(characters)
    assert [(key, found.item) for key, found in store.scan(AT)] == [(KEY, row.item)]
    write(store, server(), row)
    assert store.read([KEY], AT)[KEY].item == server()
    assert dynamodb.scan(TableName=table)["Count"] == 1


def test_report_that_shrinks_leaves_no_piece_behind(dynamodb: DynamoDBClient, table: str) -> None:
    """What is written whatever is there takes the place of all pieces of what was there."""
    store = Table(dynamodb, table)
    for characters in (300_000, 100_000, 0, 300_000):
        store.put(KEY, server(characters), AT)
        assert store.read([KEY], AT)[KEY].item == server(characters)
        assert dynamodb.scan(TableName=table)["Count"] == characters // 90_000 + 1
    store.delete(KEY)
    assert dynamodb.scan(TableName=table)["Count"] == 0


def test_rival_change_is_recomputed(dynamodb: DynamoDBClient, table: str) -> None:
    """Who finds that somebody else has written since computes the change anew from that."""
    store = Table(dynamodb, table)
    write(store, server())
    row = store.read([KEY], AT)[KEY]
    write(store, server(10), row)
    seen = []

    def change(item: Server | None) -> Server:
        seen.append(item)
        return server(20)

    assert store.update(KEY, row, AT, change) == server(20)
    assert seen == [server(), server(10)]


def test_own_retry_is_no_rival(dynamodb: DynamoDBClient, table: str) -> None:
    """A request that boto3 has sent twice, because the first answer was lost, meets its own write."""
    store = Table(dynamodb, table)
    put = dynamodb.put_item

    def put_twice(**arguments: Any) -> Any:
        put(**arguments)
        return put(**arguments)

    seen = []

    def change(item: Server | None) -> Server:
        seen.append(item)
        return server()

    with patch.object(dynamodb, "put_item", side_effect=put_twice):
        store.update(KEY, Row(), AT, change)
    assert seen == [None]
    assert store.read([KEY], AT)[KEY].version == 1


def test_unprocessed_keys_are_asked_for_again(dynamodb: DynamoDBClient, table: str) -> None:
    """What DynamoDB leaves out of its answer is not taken for unknown."""
    store = Table(dynamodb, table)
    keys = [("111122223333#eu-west-1", f"server#instance#i-{number}") for number in range(3)]
    for key in keys:
        store.update(key, Row(), AT, lambda _: server())

    def leave_out(parsed: dict[str, Any], **_: object) -> None:
        items = parsed["Responses"][table]
        if len(items) > 1:
            left = [{name: item[name] for name in ("pk", "sk")} for item in items[1:]]
            del items[1:]
            parsed["UnprocessedKeys"] = {table: {"Keys": left, "ConsistentRead": True}}

    dynamodb.meta.events.register("after-call.dynamodb.BatchGetItem", leave_out)
    try:
        rows = store.read(keys, AT)
    finally:
        dynamodb.meta.events.unregister("after-call.dynamodb.BatchGetItem", leave_out)
    assert [rows[key].item for key in keys] == [server()] * 3


def test_time_to_live_is_checked_when_read(dynamodb: DynamoDBClient, table: str) -> None:
    """An item that DynamoDB has not yet deleted is not there any more, and can be written over."""
    store = Table(dynamodb, table)
    write(store, server(), keep=timedelta(days=1))
    assert store.read([KEY], AT)[KEY].item == server()
    expired = store.read([KEY], later(AT, timedelta(days=1)))[KEY]
    assert expired.item is None
    write(store, server(10), expired)
    assert store.read([KEY], AT)[KEY].item == server(10)


@pytest.mark.parametrize("attribute", ["version", "pieces", "format", "state", "expires", "write"])
@pytest.mark.parametrize("damage", [{"NULL": True}, None], ids=["of another type", "missing"])
def test_damaged_item_is_written_over(dynamodb: DynamoDBClient, table: str, attribute: str, damage: Any) -> None:
    """Whatever of it cannot be read is as if it were not there, once: what is written then is read."""
    store = Table(dynamodb, table)
    write(store, server(), keep=timedelta(days=1))
    [item] = dynamodb.scan(TableName=table)["Items"]
    kept = {name: value for name, value in item.items() if name != attribute}
    dynamodb.put_item(TableName=table, Item=kept | ({attribute: damage} if damage else {}))
    write(store, server(10), store.read([KEY], AT)[KEY])
    assert store.read([KEY], AT)[KEY].item == server(10)


def test_scan_reads_the_kinds_that_it_is_asked_for(dynamodb: DynamoDBClient, table: str) -> None:
    """Causes alone, or everything; and where no time is left it says so, instead of giving a part."""
    store = Table(dynamodb, table)
    write(store, server())
    cause: Key = (KEY[0], "cause#1")
    store.put(cause, Cause(), AT)
    assert [key for key, _ in store.scan(AT, ("cause",))] == [cause]
    assert len(list(store.scan(AT))) == 2
    with pytest.raises(MemoryUnavailableError, match="no time was left"):
        list(store.scan(AT, until=0))


def test_text_that_no_request_can_carry_is_refused(dynamodb: DynamoDBClient, table: str) -> None:
    """A lone surrogate is a refusal like AWS's own: what it is about is told as if it were new."""
    store = Table(dynamodb, table)
    odd = Server(kind="instance", id="i-\ud800", account="111122223333", region="eu-west-1")
    with pytest.raises(MemoryUnavailableError):
        write(store, odd)


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalServerError"])
def test_a_table_that_does_not_answer_now_does_not_end_the_start(
    dynamodb: DynamoDBClient, table: str, code: str
) -> None:
    """What may answer later is logged; without it no alert would go out at all."""
    refusing = Faults(dynamodb)
    refusing.before["dynamodb"] = lambda: _refuse(code)
    try:
        Table(dynamodb, table).check()
    finally:
        refusing.clear()


def test_after_no_answer_nothing_is_asked_any_more(dynamodb: DynamoDBClient, table: str) -> None:
    """A table that hangs takes its time from an invocation once, until the next begins."""
    asked = []
    hanging = Faults(dynamodb)

    def hang() -> None:
        asked.append(1)
        raise ReadTimeoutError(endpoint_url="http://127.0.0.1")

    hanging.before["dynamodb"] = hang
    store = Table(dynamodb, table)
    for _ in range(3):
        with pytest.raises(MemoryUnavailableError):
            store.read([KEY], AT)
    assert len(asked) == 1
    hanging.clear()
    store.begin(math.inf)
    assert store.read([KEY], AT)


def _refuse(code: str) -> None:
    raise ClientError({"Error": {"Code": code, "Message": "as the test has it"}}, "DescribeTable")
