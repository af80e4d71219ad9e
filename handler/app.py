"""The function that Lambda calls: wiring, nothing else.

OPA is started first and loads the policies while the rest is imported; a setting that is missing, policies that OPA
refuses, or an OPA that does not answer end the start with their name.
"""
# ruff: noqa: E402

from handler import settings
from handler.process import Process

_SETTINGS = settings.read()
_PROCESS = Process(_SETTINGS.policies_path, _SETTINGS.opa_path, settings.megabytes())

import json
import logging
import time
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import to_builtins

from handler import __version__, alert, aws, canary, events, log, lookup, metrics
from handler.errors import MemoryUnavailableError, RecordsFailedError
from handler.events import Record
from handler.invocation import Judged, judge_slices
from handler.opa import Opa
from handler.outcome import Outcome

_FORGETFUL = "none: whatever is denied alerts each time that it is reported; MEMORY_TABLE names a table"

log.configure()
_LOGGER = logging.getLogger(__name__)
_REGION = _SETTINGS.alert_topic_arn.split(":")[3]
_SNS = aws.client("sns", _REGION)
_LOOK_UP = lookup.prepare(_SETTINGS)
GATE = Opa(_PROCESS)
"""The gate, for as long as the process lives."""
_ENGINE = GATE.ready()
_PROVENANCE = {"version": __version__, "policy": _ENGINE.policy, "opa": _ENGINE.opa}
_MEMORY = None
if _SETTINGS.memory_table:
    from handler.telling import Remembering

    _MEMORY = Remembering(_SETTINGS, aws.client("dynamodb", _REGION), _ENGINE.policy)
_READY = {"mode": _SETTINGS.mode, "memory": _SETTINGS.memory_table or _FORGETFUL}
_LOGGER.info("ready", extra={"fields": {**_PROVENANCE, **_READY}})

_SLICE, _DECIDED, _SENT = 0.125, 0.65, 0.8
"""Parts of an invocation's time: what was decided goes out after each such part; after the second nothing more is read
or decided, and what is left is for composing; after the third no message more is sent: one to which SNS does not answer
may take 5 seconds."""

_ANSWER_BYTES = 5 * 2**20
"""Of a direct answer, spelled in ASCII: Lambda takes no larger one than 6 MB."""


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """Judge an event now, and alert what is denied or cannot be judged. See `answer`."""
    return answer(event, context, datetime.now(UTC), _LOOK_UP)


def answer(event: Any, context: Any, at: datetime, look_up: lookup.LookUp | None) -> dict[str, Any]:
    """Judge an event as of a time, and alert what is denied or cannot be judged.

    Answers an SQS batch with `{"batchItemFailures": [{"itemIdentifier"}]}`, everything else with `{"outcomes": [...],
    "left_out"}`: each its records and `Outcome.told`, and how many others would make the answer too large. Raises
    `RecordsFailedError`, after everything has been done that could be, when a record failed and there is no other way
    to have it delivered again: a message without an id too comes again only with its whole batch.
    """
    start = time.monotonic()
    now = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    envelope = events.unwrap(event, context.aws_request_id)
    seconds = context.get_remaining_time_in_millis() / 1000
    alerts = alert.Alerts(_SETTINGS, _ENGINE, _SNS, start + _SENT * seconds)
    inventory = _MEMORY.inventory(context.aws_request_id, at, seconds) if _MEMORY is not None else None
    parted = canary.part(envelope.records)
    reply, counts = _Reply(), Counter[str](received=len(parted.reports), heartbeats=parted.heartbeats)
    failures = canary.send(
        parted.canaries,
        now,
        GATE,
        settings=_SETTINGS,
        engine=_ENGINE,
        publisher=_SNS,
        deadline=start + _DECIDED * seconds,
    )
    _log((), failures, {})
    for judged in judge_slices(
        parted.reports,
        now,
        GATE,
        aws.fetcher,
        deadline=start + _DECIDED * seconds,
        look_up=_MEMORY.with_tags(look_up) if _MEMORY is not None else look_up,
        seconds=_SLICE * seconds,
    ):
        unsent, quiet = _tell(judged, alerts, inventory)
        _log(judged.outcomes, judged.failures | unsent, unsent, quiet)
        counts.update(metrics.of_outcomes(judged.outcomes))
        failures |= judged.failures | unsent
        if envelope.kind != "sqs":
            reply.add(judged.outcomes)
    swept, messages = _sweep(parted.sweeps, look_up, at, start, seconds, context.aws_request_id)
    failures |= swept
    if _MEMORY is not None and inventory is not None:
        _MEMORY.tell_day(inventory, alerts, at, start + _DECIDED * seconds)
    _done(counts, failures, alerts.count + messages, start)
    if envelope.kind == "sqs" and not any(record.startswith(f"{context.aws_request_id}.") for record in failures):
        return {"batchItemFailures": [{"itemIdentifier": record} for record in failures]}
    if failures:
        raise RecordsFailedError(failures)
    return {"outcomes": reply.outcomes, "left_out": reply.left_out}


def _tell(judged: Judged, alerts: alert.Alerts, inventory: Any) -> tuple[dict[str, str], set[int]]:
    """Tell what is denied, with a memory what of it is news.

    Returns by record id what went wrong, and the `id()` of each outcome that is no news.
    """
    if inventory is None:
        return alerts.send(judged.outcomes, last=judged.last), set()
    from handler.telling import tell  # noqa: PLC0415  without a memory it is not imported

    return tell(judged, alerts, inventory)


def _sweep(  # noqa: PLR0913, PLR0917  what an invocation has
    records: Sequence[Record], look_up: lookup.LookUp | None, at: datetime, start: float, seconds: float, name: str
) -> tuple[dict[str, str], int]:
    """Look at everything that is remembered as open, or at what messages of a sweep name, each once.

    Returns by record id what went wrong, and how many messages were sent or tried.
    """
    if not records:
        return {}, 0
    if _MEMORY is None:
        return {record.id: f"a sweep has nothing to look at: {_FORGETFUL}" for record in records}, 0
    from handler.sweep import sweeping  # noqa: PLC0415
    from handler.sweep.clock import Clock  # noqa: PLC0415  what is not asked for is not imported
    from handler.sweep.teller import Means  # noqa: PLC0415

    clock = Clock(begun=at, start=start, judge_until=start + _DECIDED * seconds, send_until=start + _SENT * seconds)
    means = Means(settings=_SETTINGS, engine=_ENGINE, publisher=_SNS, memory=_MEMORY, gate=GATE, look_up=look_up)
    messages = 0
    for event in sweeping.distinct(record.event for record in records):
        try:
            summary = sweeping.run(means, name, clock, event)
        except MemoryUnavailableError as error:
            return {record.id: f"the sweep ended early: {error}" for record in records}, messages
        messages += summary.messages
        write = _LOGGER.error if summary.problems else _LOGGER.info
        write("sweep", extra={"fields": {**summary.fields(), **_PROVENANCE}})
        metrics.COUNTED.update(summary.counts())
    return {}, messages


class _Reply:
    """The outcomes for a direct answer, as many as Lambda takes."""

    def __init__(self) -> None:
        self.outcomes: list[dict[str, Any]] = []
        self.left_out = 0
        self._room = _ANSWER_BYTES

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """Add what fits, and count the rest."""
        for outcome in outcomes:
            spelled = {"records": outcome.records, **to_builtins(outcome.told())} if self._room > 0 else {}
            self._room -= len(json.dumps(spelled)) + len(", ")
            if self._room > 0:
                self.outcomes.append(spelled)
            else:
                self.left_out += 1


def _log(
    outcomes: Sequence[Outcome],
    failures: dict[str, str],
    unsent: dict[str, str],
    quiet: Collection[int] = (),
) -> None:
    for outcome in outcomes:
        alerted = outcome.alerts and id(outcome) not in quiet and unsent.keys().isdisjoint(outcome.records)
        _LOGGER.info(outcome.kind, extra={"fields": {**log.fields(outcome), "alerted": alerted, **_PROVENANCE}})
    for record, problem in failures.items():
        _LOGGER.error("failed", extra={"fields": {"record": record, "problem": problem, **_PROVENANCE}})


def _done(counts: Counter[str], failures: dict[str, str], alerts: int, start: float) -> None:
    milliseconds = round(1000 * (time.monotonic() - start), 1)
    done: dict[str, Any] = {**counts, "failed": len(failures), "alerts": alerts, "ms": milliseconds}
    _LOGGER.info("done", extra={"fields": {**metrics.embedded(done), **_PROVENANCE}})
