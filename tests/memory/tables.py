"""DynamoDB Local, one for each process of pytest, and tables in it, for whichever tests have to do with the memory."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.maven import DYNAMODB_LOCAL
from tests.memory.dynamodb_local import Server


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


@pytest.fixture(scope="session")
def dynamodb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start DynamoDB Local once."""
    if missing := DYNAMODB_LOCAL.missing_programs():
        pytest.skip(f"DynamoDB Local needs Java 17 or newer and Maven, and PATH has no {' and no '.join(missing)}")
    DYNAMODB_LOCAL.fetch()
    with Server(tmp_path_factory.mktemp("dynamodb-local")) as server:
        yield server


@pytest.fixture(scope="session")
def dynamodb(dynamodb_server: Server) -> Iterator[DynamoDBClient]:
    """Give a client of DynamoDB Local; its `meta.endpoint_url` is for AWS_ENDPOINT_URL_DYNAMODB."""
    client = dynamodb_server.client()
    yield client
    client.close()


@pytest.fixture
def table(dynamodb_server: Server, dynamodb: DynamoDBClient) -> str:
    """Give the name of an empty table; fail with the server's log where it has died."""
    dynamodb_server.check()
    return make_table(dynamodb)
