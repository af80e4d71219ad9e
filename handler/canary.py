"""The function's own events: by some of them others notice that it has gone deaf or dumb.

A sweep is handed on. A heartbeat is only counted. The canary is a server that no policy should allow: it is judged and
alerted like any other, with an attribute by which its message goes to a queue of its own and to nobody else.
"""

import logging
from collections.abc import Sequence

from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from handler import alert
from handler.decision import Decision
from handler.events import Record
from handler.finding import Exposure, Finding, Reporter, Server, identity
from handler.invocation import Gate
from handler.outcome import Engine, Outcome
from handler.settings import Settings

HEARTBEAT, CANARY, SWEEP = "portcullis.heartbeat", "portcullis.canary", "portcullis.sweep"
"""The sources of the events that the schedules put on the bus."""

ATTRIBUTE = "canary"
"""Is on no other message, so a filter policy with `{"exists": false}` keeps the canary away."""

_LOGGER = logging.getLogger(__name__)


class Parted(Struct, frozen=True):
    """The records of an invocation: reports, canaries, sweeps, and how many heartbeats."""

    reports: tuple[Record, ...]
    canaries: tuple[Record, ...]
    sweeps: tuple[Record, ...]
    heartbeats: int


def part(records: Sequence[Record]) -> Parted:
    """Part the function's own events from the reports."""
    sources = [record.event.get("source") if isinstance(record.event, dict) else None for record in records]
    pairs = list(zip(records, sources, strict=True))
    return Parted(
        reports=tuple(record for record, source in pairs if source not in {HEARTBEAT, CANARY, SWEEP}),
        canaries=tuple(record for record, source in pairs if source == CANARY),
        sweeps=tuple(record for record, source in pairs if source == SWEEP),
        heartbeats=sources.count(HEARTBEAT),
    )


def send(  # noqa: PLR0913  what judging and alerting take
    canaries: Sequence[Record],
    now: str,
    gate: Gate,
    *,
    settings: Settings,
    engine: Engine,
    publisher: alert.Publisher,
    deadline: float,
) -> dict[str, str]:
    """Judge the canary and send its alert; return by record id what went wrong.

    `deadline` is a time of `time.monotonic()`. Policies that allow it are logged as an error, and no message is sent:
    the alarm of the canary's queue tells.
    """
    if not canaries:
        return {}
    finding = _finding(now, settings.alert_topic_arn)
    answers = {place: answer for part in gate.decide_parts([finding], deadline) for place, answer in part.items()}
    decision = answers[0]
    records = tuple(record.id for record in canaries)
    if not isinstance(decision, Decision):
        return dict.fromkeys(records, f"the canary could not be decided: {decision}")
    fields = {"records": records, "action": decision.action}
    if decision.action != "deny":
        allowed_by = sorted({name for entry in decision.allowed for name in entry.by})
        _LOGGER.error("canary", extra={"fields": {**fields, "allowed_by": allowed_by}})
        return {}
    outcome = Outcome(records=records, report=finding, decision=decision)
    [message] = alert.messages([outcome], settings, engine, alert.Earlier())
    arguments = message.publish_arguments()
    arguments["MessageAttributes"][ATTRIBUTE] = {"DataType": "String", "StringValue": "true"}
    try:
        publisher.publish(TopicArn=settings.alert_topic_arn, **arguments)
    except (BotoCoreError, ClientError) as error:
        return dict.fromkeys(records, f"SNS did not take the canary: {error}")
    _LOGGER.info("canary", extra={"fields": fields})
    return {}


def _finding(now: str, topic: str) -> Finding:
    """Return a server of the function's account and Region whose telnet port is open to everybody."""
    region, account = topic.split(":")[3:5]
    server = Server(
        kind="instance",
        id="i-canary",
        name="portcullis-canary",
        tags={"Name": "portcullis-canary"},
        tags_known=True,
        account=account,
        region=region,
    )
    return Finding(
        id=identity(server, "internet", {("tcp", 23, 23)}),
        reporters=(Reporter(name="canary", id=CANARY, updated_at=now),),
        now=now,
        reach="internet",
        reach_known=True,
        server=server,
        exposures=(Exposure(protocol="tcp", from_port=23, to_port=23, sources=("0.0.0.0/0", "::/0")),),
    )
