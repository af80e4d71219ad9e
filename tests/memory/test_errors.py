"""An error in the memory that nobody foresaw: what was judged is told, what closes is given back, and it is logged."""

from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from msgspec.structs import replace
from mypy_boto3_dynamodb import DynamoDBClient

from handler import alert
from handler.alert import story
from handler.finding import Undecidable
from handler.invocation import Judged
from handler.memory import news
from handler.memory.inventory import Inventory
from handler.memory.servers import Terms
from handler.memory.state import spelled
from handler.memory.store import Table
from handler.outcome import Outcome
from handler.telling import tell
from tests.memory.invocations import BEGINNING, ENGINE, SETTINGS, Mailbox, Report

OPEN = Report("a", "i-0a1", 22, 22, is_open=True, date=0)
CLOSED = Report("b", "i-0b2", 22, 22, is_open=False, date=0)
UNREAD = Outcome(records=("unread",), report=Undecidable(shape="new", field="", problem="on no list", raw={}))


@pytest.mark.parametrize(
    ("room", "broken", "messages", "given_back"),
    [(news, "compare", 1, {"closed"}), (story, "data", 1, {"closed"}), (news, "mark", 2, {"open"})],
    ids=["comparing", "composing", "remembering"],
)
def test_an_unforeseen_error_is_noise(  # noqa: PLR0913, PLR0917  fixtures and parameters
    dynamodb: DynamoDBClient,
    table: str,
    caplog: pytest.LogCaptureFixture,
    room: Any,
    broken: str,
    messages: int,
    given_back: set[str],
) -> None:
    """What is open or could not be judged alerts, what closes comes again, and the log has the traceback."""
    deadline = spelled(BEGINNING + timedelta(minutes=1))
    at = spelled(BEGINNING)
    inventory = Inventory(Table(dynamodb, table), Terms(), token="a", at=at, deadline=deadline, policy="1")  # noqa: S106
    mailbox = Mailbox()
    alerts = alert.Alerts(replace(SETTINGS, memory_table=table), ENGINE, mailbox, float("inf"))
    outcomes = (OPEN.outcome("open"), CLOSED.outcome("closed"), UNREAD)
    with patch.object(room, broken, side_effect=ZeroDivisionError("unforeseen")):
        failures, quiet = tell(Judged(outcomes=outcomes, failures={}), alerts, inventory)
    assert mailbox.told == {("i-0a1", 22): [True]}
    assert mailbox.messages == messages
    assert failures.keys() == given_back
    assert not {id(outcomes[0]), id(UNREAD)} & quiet
    [record] = caplog.records
    assert record.exc_info
    assert "unforeseen" in str(record.exc_info[1])
