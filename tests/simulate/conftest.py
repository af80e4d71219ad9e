"""DynamoDB Local, as the tests of the memory have it."""

from tests.memory.conftest import dynamodb, dynamodb_server, table

__all__ = ["dynamodb", "dynamodb_server", "table"]
