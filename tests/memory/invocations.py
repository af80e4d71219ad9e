"""Invocations of the function below its events, each a thread that goes on only as far as the test lets it.

Between any two calls to DynamoDB or SNS an invocation can be made to wait, to die, or to have its call refused.
"""

import json
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Literal

from botocore.exceptions import ClientError
from msgspec import UNSET, Struct

from handler import alert
from handler.decision import Decision, Denied
from handler.finding import Closed, Exposure, Finding, Reporter, Server, identity
from handler.invocation import Judged
from handler.memory.flapping import Rules
from handler.memory.inventory import Inventory
from handler.memory.servers import Terms
from handler.memory.state import spelled
from handler.memory.store import Table
from handler.outcome import Engine, Outcome
from handler.settings import Settings
from handler.telling import tell

Fate = Literal["go on", "die", "refuse", "lose"]
"""What becomes of a call: it is made; the function dies before it; it is refused; its answer is lost."""

SETTINGS = Settings(alert_topic_arn="arn:aws:sns:eu-west-1:111122223333:alerts")
ENGINE = Engine(policy="1f2e3d4", opa="1.22.2")
BEGINNING = datetime(2026, 11, 24, 6, tzinfo=UTC)
SECONDS = 30
"""That each invocation has."""

_TERMS = Terms(rules=Rules(changes=1000))
_REFUSAL: Any = {"Error": {"Code": "InternalServerError", "Message": "refused by the test"}}


class Death(BaseException):
    """The function dies: nothing in it may catch this."""


class Report(Struct, frozen=True):
    """What a scanner says: that its report is open, with the ports from `low` to `high`, or that it has closed.

    `date` is the second since the beginning at which it says so; `rule` opens the ports, if it was looked up.
    """

    name: str
    server: str
    low: int
    high: int
    is_open: bool
    date: int
    rule: str = ""
    account: str = "111122223333"

    @property
    def points(self) -> frozenset[tuple[str, int]]:
        """The server's ports."""
        return frozenset((self.server, port) for port in range(self.low, self.high + 1))

    def outcome(self, record: str) -> Outcome:
        """Give what the function has judged of it."""
        server = Server(
            kind="instance",
            id=self.server,
            name=UNSET,
            tags={"Team": "shop"},
            tags_known=True,
            account=self.account,
            region="eu-west-1",
        )
        date = spelled(BEGINNING + timedelta(seconds=self.date))
        reporter = Reporter(name="inspector2", id=f"arn:aws:inspector2:::finding/{self.name}", updated_at=date)
        own = identity(server, "internet", {("tcp", self.low, self.high)})
        if not self.is_open:
            return Outcome(records=(record,), report=Closed(id=own, reporter=reporter, server=server))
        rules = (self.rule,) if self.rule else ()
        exposure = Exposure(
            protocol="tcp",
            from_port=self.low,
            to_port=self.high,
            sources=("0.0.0.0/0",),
            security_group="sg-0a1",
            rules=rules,
        )
        finding = Finding(
            id=own,
            reporters=(reporter,),
            now=date,
            reach="internet",
            reach_known=True,
            server=server,
            exposures=(exposure,),
        )
        return Outcome(records=(record,), report=finding, decision=self._denied(own, rules), claims=(finding,))

    def _denied(self, own: str, rules: tuple[str, ...]) -> Decision:
        denied = Denied(
            protocol="tcp",
            from_port=self.low,
            to_port=self.high,
            source="0.0.0.0/0",
            security_group="sg-0a1",
            rules=rules,
            cause="uncovered",
            prohibition=None,
            nearest=None,
            reason="nothing allows it on this server",
            still_allowed=None,
            severity="high",
        )
        return Decision(
            id=own,
            action="deny",
            severity="high",
            undecidable=False,
            denied=(denied,),
            allowed=(),
            allowances={},
            prohibitions={},
            problems=(),
        )


class Mailbox:
    """What SNS has taken, in its order: by server and port whether it was told as open (true) or as closed.

    `words` has that by server, of all servers in one order.
    """

    def __init__(self) -> None:
        self.told: dict[tuple[str, int], list[bool]] = {}
        self.words: list[tuple[str, bool]] = []
        self.messages = 0

    def publish(self, **arguments: Any) -> dict[str, str]:
        """Take a message."""
        self.messages += 1
        message = json.loads(json.loads(arguments["Message"])["default"])
        for entry in message.get("news", ()):
            self._note(entry["server"], entry["opened"], is_open=True)
            self._note(entry["server"], entry["closed"], is_open=False)
        if not message.get("news"):
            for judged in message["findings"]:
                self._note(judged["finding"]["server"]["id"], judged["decision"]["denied"], is_open=True)
        return {"MessageId": f"message-{self.messages}"}

    def _note(self, server: str, parts: Sequence[dict[str, Any]], *, is_open: bool) -> None:
        if parts:
            self.words.append((server, is_open))
        for port in {port for part in parts for port in range(part["from_port"], part["to_port"] + 1)}:
            self.told.setdefault((server, port), []).append(is_open)


class Invocation:
    """One invocation with one record, that waits before each of its calls until `step` lets it make it."""

    _numbers = count()

    def __init__(self, reports: dict[str, Report], at: datetime, dynamodb: Any, table: str, mailbox: Mailbox) -> None:
        self.reports = reports
        self.failures: dict[str, str] | None = None
        """By record why it is given back; nothing where it died, or is not at its end."""
        self.calls: list[str] = []
        self.is_over = False
        self._fate: Fate = "go on"
        self._error: BaseException | None = None
        self._may_go, self._waits = threading.Semaphore(0), threading.Semaphore(0)
        token = f"request-{next(self._numbers)}"
        inventory = Inventory(
            Table(_Stepping(dynamodb, self), table),
            _TERMS,
            token=token,
            at=spelled(at),
            deadline=spelled(at + timedelta(seconds=SECONDS)),
            policy=ENGINE.policy,
        )
        publisher: Any = _Stepping(mailbox, self)
        alerts = alert.Alerts(SETTINGS, ENGINE, publisher, float("inf"))
        outcomes = tuple(report.outcome(record) for record, report in reports.items())
        self._work: Callable[[], dict[str, str]] = lambda: tell(
            Judged(outcomes=outcomes, failures={}), alerts, inventory
        )[0]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._waits.acquire()

    def step(self, fate: Fate = "go on") -> None:
        """Let it make its next call, with this fate, and go on to the one after it, or to its end."""
        self._fate = fate
        self._may_go.release()
        self._waits.acquire()
        if self.is_over:
            self._thread.join()
            if self._error is not None:
                raise self._error

    def call(self, name: str, make: Callable[[], Any]) -> Any:
        """Wait, and make the call or not, as its fate is."""
        self._waits.release()
        self._may_go.acquire()
        fate, self._fate = self._fate, "go on"
        if fate == "die":
            raise Death
        self.calls.append(name)
        if fate == "refuse":
            raise ClientError(_REFUSAL, name)
        answer = make()
        if fate == "lose":
            raise ClientError(_REFUSAL, name)
        return answer

    def _run(self) -> None:
        try:
            failures = self._work()
            self.call("acknowledge", lambda: None)
            self.failures = failures
        except Death:
            pass
        except ClientError:
            self.failures = dict.fromkeys(self.reports, "the answer was lost")
        except BaseException as error:  # noqa: BLE001  the test's thread raises it
            self._error = error
        self.is_over = True
        self._waits.release()


class _Stepping:
    """A client that has its calls made by an invocation."""

    def __init__(self, client: Any, invocation: Invocation) -> None:
        self._client = client
        self._invocation = invocation

    def __getattr__(self, name: str) -> Any:
        make = getattr(self._client, name)
        return lambda **arguments: self._invocation.call(name, lambda: make(**arguments))
