"""What the memory asks of DynamoDB: counted at the client, request by request."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from mypy_boto3_dynamodb import DynamoDBClient

from handler import alert
from handler.invocation import Judged
from handler.memory.inventory import Inventory
from handler.memory.servers import Terms
from handler.memory.state import spelled
from handler.memory.store import Table
from handler.telling import tell
from tests.memory.invocations import BEGINNING, ENGINE, SETTINGS, Mailbox, Report

READ, WRITE, DELETE = "BatchGetItem", "PutItem", "DeleteItem"
OPEN = Report("a", "i-0a1", 22, 22, is_open=True, date=0)


@pytest.fixture
def requests(dynamodb: DynamoDBClient) -> Iterator[Counter[str]]:
    """Count the requests by their names."""
    counted: Counter[str] = Counter()

    def note(model: Any, **_: object) -> None:
        counted[model.name] += 1

    dynamodb.meta.events.register("before-call.dynamodb", note)
    yield counted
    dynamodb.meta.events.unregister("before-call.dynamodb", note)


class Function:
    """Invocations one after the other, a minute apart, with one table."""

    def __init__(self, dynamodb: Any, table: str, requests: Counter[str]) -> None:
        self._table = Table(dynamodb, table)
        self._requests = requests
        self._at = BEGINNING
        self.mailbox = Mailbox()
        self.policy = ENGINE.policy

    def __call__(self, *reports: Report) -> dict[str, int]:
        """Invoke with these reports; return the requests that it took."""
        self._at += timedelta(minutes=1)
        outcomes = tuple(report.outcome(f"record-{number}") for number, report in enumerate(reports))
        inventory = Inventory(
            self._table,
            Terms(),
            token=spelled(self._at),
            at=spelled(self._at),
            deadline=spelled(self._at + timedelta(seconds=35)),
            policy=self.policy,
        )
        self._requests.clear()
        alerts = alert.Alerts(SETTINGS, ENGINE, self.mailbox, float("inf"))
        assert tell(Judged(outcomes=outcomes, failures={}), alerts, inventory)[0] == {}
        return dict(self._requests)


@pytest.fixture
def function(dynamodb: DynamoDBClient, table: str, requests: Counter[str]) -> Function:
    """Give a function with an empty table."""
    return Function(dynamodb, table, requests)


def test_what_is_told_costs_two_writes_and_its_report(function: Function) -> None:
    """The server with its news as pending, and as told; the report itself is written once beside it."""
    assert function(OPEN) == {READ: 2, WRITE: 3}


def test_the_same_report_costs_one_read(function: Function) -> None:
    """What says the same with the same date writes nothing."""
    function(OPEN)
    assert function(OPEN) == {READ: 1}


def test_a_newer_date_costs_one_write(function: Function) -> None:
    """What says the same with a newer date writes the server, and not its report."""
    function(OPEN)
    assert function(replace(OPEN, date=1)) == {READ: 1, WRITE: 1}


def test_a_closing_costs_two_writes_and_its_episode(function: Function) -> None:
    """The server with the closing as pending, and as told; and the episode. The report is deleted."""
    function(OPEN)
    assert function(replace(OPEN, date=1, is_open=False)) == {READ: 3, WRITE: 3, DELETE: 1}


def test_a_release_of_the_policies_costs_one_write(function: Function) -> None:
    """What other policies say the same of is remembered as judged by them, once."""
    function(OPEN)
    function.policy = "another"
    assert function(OPEN) == {READ: 1, WRITE: 1}
    assert function(OPEN) == {READ: 1}


def test_an_older_report_costs_one_read(function: Function) -> None:
    """It does not take the place of the newer one, and of what has closed since nothing is kept."""
    function(replace(OPEN, date=1, high=25))
    assert function(OPEN) == {READ: 1}
    function(replace(OPEN, date=2, is_open=False))
    assert function(OPEN) == {READ: 1}


def test_a_cause_costs_one_write_more(function: Function) -> None:
    """Where its rule is known it is read before, and read and written after; who joins writes it once for all."""
    assert function(replace(OPEN, rule="sgr-1")) == {READ: 4, WRITE: 4}
    behind = [Report(f"b{number}", f"i-0b{number}", 22, 22, is_open=True, date=0, rule="sgr-1") for number in range(9)]
    assert function(*behind) == {READ: 2, WRITE: 1 + 9 + 9}
    assert function(*behind) == {READ: 1}


def test_100_servers_cost_one_read(function: Function) -> None:
    """All servers of an invocation are read at once."""
    servers = [Report(f"a{number}", f"i-0a{number:03}", 22, 22, is_open=True, date=0) for number in range(100)]
    assert function(*servers)[READ] == 2
    assert function(*servers) == {READ: 1}


def test_one_rule_that_closes_on_100_servers_costs_its_item_once(function: Function) -> None:
    """The cause is left by all of them in one write, and ended by another."""
    servers = [
        Report(f"a{number}", f"i-0a{number:03}", 22, 22, is_open=True, date=0, rule="sgr-1") for number in range(100)
    ]
    function(*servers)
    closed = [replace(report, date=1, is_open=False) for report in servers]
    assert function(*closed) == {
        READ: 4 + 100,
        WRITE: 100 + 1 + 1 + 100 + 100,
        DELETE: 100,
    }
    assert function.mailbox.told["i-0a099", 22] == [True, False]


def test_what_is_open_never_expires(function: Function, dynamodb: DynamoDBClient, table: str) -> None:
    """A server that is open, and its report, have no time to live; what has closed has, and its report is gone."""
    function(OPEN)
    items = dynamodb.scan(TableName=table)["Items"]
    assert {(item["sk"]["S"].partition("#")[0], "expires" in item) for item in items} == {
        ("server", False),
        ("report", False),
    }
    function(replace(OPEN, date=1, is_open=False))
    items = dynamodb.scan(TableName=table)["Items"]
    assert {(item["sk"]["S"].partition("#")[0], "expires" in item) for item in items} == {
        ("server", True),
        ("episode", True),
    }
