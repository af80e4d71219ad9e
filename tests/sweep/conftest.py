"""What the tests of the sweep share: the function with a table in DynamoDB Local."""

from tests.memory.conftest import dynamodb, dynamodb_server, table

__all__ = ["dynamodb", "dynamodb_server", "table"]
