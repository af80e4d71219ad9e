"""Asks the embedded OPA for decisions, through opa-python-client; restarts it when it is dead or hangs.

A finding that OPA answers nothing to, again and again, is refused, so that it neither is lost nor takes others with it.
What was decided stays decided, whatever becomes of the rest. Nothing undefined, miscounted or contradictory is ever
taken for a decision.
"""

import math
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import accumulate
from operator import is_
from typing import Any, Self

import msgspec
import requests
from msgspec import UNSET, Struct

from handler import metrics
from handler.decision import Decision
from handler.errors import OpaRefusedError, OpaUnavailableError, PolicyRefusedError, PortcullisError
from handler.finding import Batch, Finding, to_json
from handler.outcome import Engine
from handler.process import Process
from handler.session import Answer, OpaClient, Session, sentences

CHUNK = 500
"""The most findings of one query."""

CHUNK_SOURCES = 2000
"""The most sources of one query, over all exposures of its findings, unless a single finding has more: the gate judges
each, in 0.1 to 1.5 ms."""

CHUNK_BYTES = 2**20
"""The largest query, unless a single finding is larger: OPA takes ten to twenty times as much memory for it."""

_AT_ONCE = 2
"""The most queries at a time, of which each keeps a core busy."""

_CONNECT_SECONDS = 0.25
_ANSWER_SECONDS = 5.0
_PARTS = 8
"""A batch that gets no decisions is asked again in so many parts: each one without an answer costs a restart."""
_PART_SECONDS = 2 * _ANSWER_SECONDS / _PARTS
"""For a part of several findings, twice its share, since all may be slow; one that is alone has a fair time again."""
_START_SECONDS = 8.0
"""From the start of the process. Lambda ends a function whose start takes 10 seconds, and would not say why."""
_POLL_SECONDS = 0.005


class _Part(Struct, frozen=True):
    """Findings to ask about at once, which of all is the first, and the most seconds that their answer may take."""

    start: int
    findings: Sequence[Finding]
    seconds: float

    def order(self) -> tuple[int, int]:
        """Give what sorts first what decides most: many findings, and of as many those with few sources."""
        return -len(self.findings), sum(map(_sources, self.findings))

    def parts(self) -> Iterator["_Part"]:
        """Cut it."""
        size = math.ceil(len(self.findings) / _PARTS)
        for at in range(0, len(self.findings), size):
            findings = self.findings[at : at + size]
            yield _Part(self.start + at, findings, _ANSWER_SECONDS if len(findings) == 1 else _PART_SECONDS)


class Opa:
    """The gate. Owns a started process; a context manager that ends it. `ready` comes before `decide`."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._client: Any = None
        self._pool: ThreadPoolExecutor | None = None
        self._ahead: list[tuple[list[Finding], Future[Answer]]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The process id of the OPA that is asked."""
        return self._process.pid

    def ready(self, deadline: float | None = None) -> Engine:
        """Wait until OPA answers, try it with an empty batch, and say what is running.

        `deadline` is a time of `time.monotonic()`; OPA has at most 8 seconds from its start, and a second where it is
        waited for later. Raises `PolicyRefusedError` with OPA's own message, or `OpaUnavailableError`.
        """
        until = max(self._process.started + _START_SECONDS, time.monotonic() + 1)
        late = "OPA was started and does not answer in time; give the function more memory"
        if deadline is not None and deadline < until:
            until, late = deadline, "no time is left to start OPA again"
        while not (self._process.listens() and self._connect().check_health()):
            self._process.check()
            if time.monotonic() >= until:
                raise OpaUnavailableError(late)
            time.sleep(_POLL_SECONDS)
        self._process.said()
        answer = self._ask([], _seconds(until), provenance="true")
        if answer.result != ():
            msg = f"{self._process.policies}: data.gate.batch.decisions is not there; install Portcullis again"
            raise PolicyRefusedError(msg)
        return Engine(policy=self._process.policy, opa=answer.provenance["version"])

    def decide(self, findings: Sequence[Finding], deadline: float | None = None) -> list[Decision | PortcullisError]:
        """Give one decision a finding, in their order, once all are made. See `decide_parts`."""
        answers: dict[int, Decision | PortcullisError] = {}
        for part in self.decide_parts(findings, deadline):
            answers |= part
        return [answers[place] for place in range(len(findings))]

    def decide_parts(
        self, findings: Sequence[Finding], deadline: float | None = None
    ) -> Iterator[dict[int, Decision | PortcullisError]]:
        """Give decisions as they are made, by the place of the finding: in the end each has one.

        A finding that OPA refuses to judge gets `OpaRefusedError`. `deadline` is a time of `time.monotonic()` by which
        the answer is needed. What is undecided when it is over, or when OPA cannot be restarted, gets that error.
        """
        cut = list(chunks(findings))
        starts = accumulate(map(len, cut), initial=0)
        parts = (_Part(start, chunk, _ANSWER_SECONDS) for start, chunk in zip(starts, cut, strict=False))
        waiting = sorted(parts, key=_Part.order)
        while waiting:
            part = waiting.pop(0)
            try:
                yield dict(enumerate(_checked(part.findings, self._ask_alive(part, deadline)), part.start))
            except OpaRefusedError as error:
                if len(part.findings) == 1:
                    yield {part.start: error}
                else:
                    waiting = sorted([*waiting, *part.parts()], key=_Part.order)
            except (OpaUnavailableError, PolicyRefusedError) as error:
                yield {rest.start + place: error for rest in (part, *waiting) for place in range(len(rest.findings))}
                return

    def ask_ahead(self, findings: Sequence[Finding]) -> None:
        """Begin to ask about findings of which the decisions are wanted soon, two queries at a time.

        `decide_parts` takes these answers where they come, and asks itself where they do not.
        """
        if self._pool is None:
            self._pool = ThreadPoolExecutor(_AT_ONCE)
        self._ahead += [(chunk, self._pool.submit(self._ask_apart, chunk)) for chunk in chunks(findings)]

    def close(self) -> None:
        """End OPA."""
        self._disconnect()
        self._process.stop()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool, self._ahead = None, []

    def _ask_alive(self, part: _Part, deadline: float | None) -> Answer:
        """Ask; restart an OPA that died or hangs, and ask again, but for the batch that may have been the reason."""
        answer = self._asked_ahead(part.findings)
        if answer is not None:
            return answer
        seconds = _seconds(deadline, part.seconds)
        try:
            return self._ask(part.findings, seconds)
        except OpaUnavailableError as error:
            self._restart(deadline)
            if len(part.findings) > 1:
                raise OpaRefusedError(str(error)) from error
        seconds = _seconds(deadline, part.seconds)
        try:
            return self._ask(part.findings, seconds)
        except OpaUnavailableError as error:
            if seconds < part.seconds:
                msg = "no time is left to ask OPA about it again"
                raise OpaUnavailableError(msg) from error
            self._restart(deadline)
            msg = f"no answer to it, while others have one: {error}"
            raise OpaRefusedError(msg) from error

    def _restart(self, deadline: float | None) -> None:
        metrics.COUNTED["opa_restarts"] += 1
        self.close()
        self._process.start()
        self.ready(deadline)

    def _asked_ahead(self, findings: Sequence[Finding]) -> Answer | None:
        """Return the answer about these very findings that was asked for ahead; null where there is none."""
        for place, (chunk, answer) in enumerate(self._ahead):
            if len(chunk) == len(findings) and all(map(is_, chunk, findings)):
                del self._ahead[place]
                with suppress(PortcullisError):
                    return answer.result()
                break
        return None

    def _ask_apart(self, findings: Sequence[Finding]) -> Answer:
        """Ask through a connection for this query alone, in a thread."""
        client = self._new_client()
        try:
            return self._ask(findings, _AT_ONCE * _ANSWER_SECONDS, client)
        finally:
            client.close_connection()

    def _ask(
        self, findings: Sequence[Finding], seconds: float, client: OpaClient | None = None, **parameters: str
    ) -> Answer:
        client = client or self._connect()
        client.timeout = (_CONNECT_SECONDS, seconds)
        query = {"strict-builtin-errors": "true", **parameters}
        try:
            answer: Answer = client.query_rule(Batch(findings=tuple(findings)), "gate.batch", "decisions", query)
        except requests.HTTPError as error:
            if error.response.status_code not in {400, 500}:
                msg = f"OPA answered {error.response.status_code} to a query"
                raise OpaUnavailableError(msg) from error
            raise OpaRefusedError(sentences(error.response.text)) from error
        except msgspec.ValidationError as error:
            msg = f"data.gate.batch.decisions is not an array of decisions: {error}"
            raise OpaRefusedError(msg) from error
        except msgspec.DecodeError as error:
            msg = f"OPA's answer is not JSON: {error}"
            raise OpaRefusedError(msg) from error
        except requests.Timeout as error:
            msg = f"OPA did not answer in {seconds:.3g} seconds"
            raise OpaUnavailableError(msg) from error
        except requests.RequestException as error:
            msg = f"OPA cannot be asked: {error}"
            raise OpaUnavailableError(msg) from error
        finally:
            sys.stderr.write(self._process.said())
        return answer

    def _connect(self) -> OpaClient:
        if self._client is None:
            self._client = self._new_client()
        return self._client

    def _new_client(self) -> OpaClient:
        client = OpaClient(token=self._process.token)
        session = Session(self._process.address, self._process.pid, client.headers)
        client._session = session  # noqa: SLF001  the client takes no session
        return client

    def _disconnect(self) -> None:
        if self._client is not None:
            self._client.close_connection()
            self._client = None


def chunks(findings: Sequence[Finding]) -> Iterator[list[Finding]]:
    """Cut findings into what one query can answer in time, and OPA and Python can hold."""
    chunk: list[Finding] = []
    sources = size = 0
    for finding in findings:
        more_sources, more_bytes = _sources(finding), len(to_json(finding))
        full = len(chunk) == CHUNK or sources + more_sources > CHUNK_SOURCES or size + more_bytes > CHUNK_BYTES
        if chunk and full:
            yield chunk
            chunk, sources, size = [], 0, 0
        chunk.append(finding)
        sources += more_sources
        size += more_bytes
    if chunk:
        yield chunk


def _sources(finding: Finding) -> int:
    return sum(len(exposure.sources) for exposure in finding.exposures)


def _seconds(deadline: float | None, most: float = _ANSWER_SECONDS) -> float:
    """Give the time for one answer: at most half of what is left, so that a restart and another try fit in."""
    seconds = 2 * most if deadline is None else deadline - time.monotonic()
    if seconds <= 0:
        msg = "no time is left to ask OPA"
        raise OpaUnavailableError(msg)
    return min(most, seconds / 2)


def _checked(findings: Sequence[Finding], answer: Answer) -> tuple[Decision, ...]:
    """Take nothing for decisions but one for every finding, in order, each without contradiction."""
    decisions = answer.result
    if decisions is UNSET:
        msg = "data.gate.batch.decisions is undefined"
        raise OpaRefusedError(msg)
    if [decision.id for decision in decisions] != [finding.id for finding in findings]:
        msg = f"data.gate.batch.decisions has not one decision for each of {len(findings)} findings, in their order"
        raise OpaRefusedError(msg)
    for decision in decisions:
        against = bool(decision.denied or decision.undecidable)
        if (decision.action == "deny") != against or not (against or decision.allowed):
            msg = f"the decision on {decision.id} says {decision.action} and contradicts itself"
            raise OpaRefusedError(msg)
    return decisions
