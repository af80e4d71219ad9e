"""DynamoDB Local, one for all workers of a run, and tables in it, for whichever tests have to do with the memory."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import pytest
from msgspec.structs import astuple
from mypy_boto3_dynamodb import DynamoDBClient

from tests.maven import DYNAMODB_LOCAL, JarsError
from tests.memory.dynamodb_local import Address, DynamoDBLocalError, Server


def make_table(dynamodb: DynamoDBClient) -> str:
    """Make an empty table as the memory's is deployed; return its name."""
    name = f"memory-{uuid4()}"
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"})
    return name


_SHARED = pytest.StashKey[Server]()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Start DynamoDB Local with the first worker of pytest-xdist, for all of them.

    Where that fails, the tests that need it say why.
    """
    if DYNAMODB_LOCAL.missing_programs():
        return
    if _SHARED not in node.config.stash:
        try:
            DYNAMODB_LOCAL.fetch()
        except JarsError:
            return
        folder = TemporaryDirectory()
        node.config.add_cleanup(folder.cleanup)
        node.config.stash[_SHARED] = server = Server(Path(folder.name))
        node.config.add_cleanup(server.stop)  # before the folder goes
    node.workerinput["dynamodb"] = astuple(node.config.stash[_SHARED].address)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodeready(node: Any) -> None:
    """Wait until DynamoDB Local accepts connections, as it mostly does by then."""
    if server := node.config.stash.get(_SHARED, None):
        with suppress(DynamoDBLocalError):
            server.__enter__()


@pytest.fixture(scope="session")
def dynamodb_address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    """Give where DynamoDB Local listens; start it where no other process has."""
    if missing := DYNAMODB_LOCAL.missing_programs():
        pytest.skip(f"DynamoDB Local needs Java 17 or newer and Maven, and PATH has no {' and no '.join(missing)}")
    if shared := getattr(request.config, "workerinput", {}).get("dynamodb"):
        address = Address(*shared)
        address.check()
        yield address
        return
    DYNAMODB_LOCAL.fetch()
    with Server(tmp_path_factory.mktemp("dynamodb-local")) as server:
        yield server.address


@pytest.fixture(scope="session")
def dynamodb(dynamodb_address: Address) -> Iterator[DynamoDBClient]:
    """Give a client of DynamoDB Local; its `meta.endpoint_url` is for AWS_ENDPOINT_URL_DYNAMODB."""
    client = dynamodb_address.client()
    yield client
    client.close()


@pytest.fixture
def table(dynamodb_address: Address, dynamodb: DynamoDBClient) -> str:
    """Give the name of an empty table; fail with the server's log where it has died."""
    dynamodb_address.check()
    return make_table(dynamodb)


@pytest.fixture(scope="module")
def shared_table(dynamodb: DynamoDBClient) -> str:
    """Give the name of a table for all tests of a module, each of which has keys of its own."""
    return make_table(dynamodb)
