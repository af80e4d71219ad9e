"""One invocation: its records are read, folded and judged. The Lambda function and the command line share it."""

import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from msgspec import UNSET, Struct
from msgspec.structs import replace

from handler import reading
from handler.decision import Decision
from handler.errors import OpaRefusedError, PortcullisError
from handler.events import Record
from handler.finding import PORTS_ASSUMED, UNKNOWN, Closed, Finding, Reference, Report, Undecidable, to_json
from handler.folding import fold
from handler.lookup import LookUp, ask_until
from handler.outcome import Outcome

if TYPE_CHECKING:
    from handler.fetching import Client

_SLICE_BYTES = 8 * 2**20
"""The findings of a slice, as JSON: their decisions and the text of an alert take a few times as much memory."""

WITHOUT_PORTS = "report without ports"
"""The shape of a report that names a security group and no port, where no look-up told what the group opens."""

_Answered = dict[int, tuple[Outcome, str | None]]
"""By its place among all: an outcome, and why OPA could not be asked about it where that is so."""


class Gate(Protocol):
    """What decides: `handler.opa.Opa`."""

    def decide_parts(
        self, findings: Sequence[Finding], deadline: float | None
    ) -> Iterator[Mapping[int, Decision | PortcullisError]]:
        """Give decisions as they are made, by the place of the finding; `OpaRefusedError` for what cannot be judged."""
        ...


class Judged(Struct, frozen=True, kw_only=True):
    """What became of the records: the outcomes in their order, and why a record failed, by its id.

    `last` is false where this is a slice of an invocation, and others follow. `elsewhere` are the outcomes that other
    slices have, or that failed: what their reports say is here in part only.
    """

    outcomes: tuple[Outcome, ...]
    failures: dict[str, str]
    last: bool = True
    elsewhere: tuple[Outcome, ...] = ()


def judge(  # noqa: PLR0913  what an invocation has: its records and time, and what it asks
    records: Sequence[Record],
    now: str,
    gate: Gate,
    client: "Client",
    *,
    deadline: float | None = None,
    look_up: LookUp | None = None,
) -> Judged:
    """Judge all records of an invocation at once. See `judge_slices`."""
    outcomes = read(records, now, client, ask_until(deadline), look_up)
    return _judged(dict(enumerate(decide(outcomes, gate, deadline))))


def judge_slices(  # noqa: PLR0913  see `judge`
    records: Sequence[Record],
    now: str,
    gate: Gate,
    client: "Client",
    *,
    deadline: float | None = None,
    look_up: LookUp | None = None,
    seconds: float = math.inf,
) -> Iterator[Judged]:
    """Judge the records of an invocation, and give what is decided whenever that has taken so many seconds.

    `now` is RFC 3339 in UTC, `deadline` a time of `time.monotonic()`. Whatever cannot be read, fetched or decided
    becomes an undecidable outcome. A record fails only when OPA could not be asked about one of its findings; its
    others have an outcome nevertheless. Ends with a slice that is the last, and often the only one.
    """
    outcomes = read(records, now, client, ask_until(deadline), look_up)
    answered = _without_findings(outcomes)
    since, size, left = time.monotonic(), 0, len(outcomes) - len(answered)
    for part in _answers(outcomes, gate, deadline):
        answered |= part
        left -= len(part)
        size += sum(len(to_json(outcomes[place].report)) for place in part)
        if left and (time.monotonic() - since >= seconds or size >= _SLICE_BYTES):
            yield _judged(answered, _others(outcomes, answered), last=False)
            answered, size, since = {}, 0, time.monotonic()
    yield _judged(answered, _others(outcomes, answered))


def _others(outcomes: Sequence[Outcome], answered: _Answered) -> list[Outcome]:
    return [outcome for place, outcome in enumerate(outcomes) if place not in answered]


def _judged(answered: _Answered, others: Iterable[Outcome] = (), *, last: bool = True) -> Judged:
    """Part the outcomes, in their order, from what failed."""
    pairs = _settled(answered)
    failures = {record: failure for outcome, failure in pairs if failure is not None for record in outcome.records}
    outcomes = tuple(outcome for outcome, failure in pairs if failure is None)
    failed = (outcome for outcome, failure in pairs if failure is not None)
    return Judged(outcomes=outcomes, failures=failures, last=last, elsewhere=(*others, *failed))


def read(
    records: Iterable[Record], now: str, client: "Client", until: float | None, look_up: LookUp | None
) -> list[Outcome]:
    """Read, fetch, fold and look up; return the outcomes in the order of their records, without any decision.

    `until` is the time of `time.monotonic()` after which AWS is asked no more. The records are taken one by one, and of
    their events nothing is kept that is not needed.
    """
    order: dict[str, int] = {}
    portless: dict[str, Any] = {}
    reported: list[tuple[str, Report]] = []
    for record in records:
        order.setdefault(record.id, len(order))
        for report in _reports(record, now):
            reported.append((record.id, report))
            if isinstance(report, Finding) and PORTS_ASSUMED in report.notes:
                portless[record.id] = record.event
    reported = _fetched(reported, now, client, until)
    outcomes = _gathered(reported, portless, until, look_up)
    return sorted(outcomes, key=lambda outcome: order[outcome.records[0]])


def judge_again(
    reports: Iterable[tuple[str, Finding]],
    now: str,
    gate: Gate,
    *,
    deadline: float | None = None,
    look_up: LookUp | None = None,
) -> Judged:
    """Judge reports that were read before, each with the id of its record, as of now. See `judge_slices`."""
    outcomes = read_again(reports, now, ask_until(deadline), look_up)
    return _judged(dict(enumerate(decide(outcomes, gate, deadline))))


def read_again(
    reports: Iterable[tuple[str, Finding]], now: str, until: float | None, look_up: LookUp | None
) -> list[Outcome]:
    """Fold and look up reports that were read before, each with the id of its record, as if they came now."""
    reported: list[tuple[str, Report]] = [(record, replace(report, now=now)) for record, report in reports]
    portless = {
        record: msgspec.to_builtins(report)
        for record, report in reported
        if isinstance(report, Finding) and PORTS_ASSUMED in report.notes
    }
    return _gathered(reported, portless, until, look_up)


def _gathered(
    reported: Sequence[tuple[str, Report]], portless: Mapping[str, Any], until: float | None, look_up: LookUp | None
) -> list[Outcome]:
    """Fold reports and look up what they do not say; `portless` are the events that name no ports, by record."""
    folded = fold((record, report) for record, report in reported if isinstance(report, Finding | Closed))
    if look_up is not None:
        folded = look_up(folded, until)
    outcomes = [
        Outcome(
            records=group.records,
            report=_told_ports(group.report, [portless[record] for record in group.records if record in portless]),
            reports=group.reports,
            claims=group.claims,
        )
        for group in folded
    ]
    outcomes += [
        Outcome(records=(record,), report=report, reports=(record,))
        for record, report in reported
        if not isinstance(report, Finding | Closed | Reference)
    ]
    return outcomes


def decide(
    outcomes: Sequence[Outcome], gate: Gate, deadline: float | None = None
) -> Iterator[tuple[Outcome, str | None]]:
    """Give each outcome with the decision on its finding, or beside it why OPA could not be asked."""
    answered = _without_findings(outcomes)
    for part in _answers(outcomes, gate, deadline):
        answered |= part
    yield from _settled(answered)


def _settled(answered: _Answered) -> list[tuple[Outcome, str | None]]:
    """Put outcomes into their order, and let a deny win where one exposure was judged by several tags."""
    by_exposure: dict[str, list[tuple[Outcome, str | None]]] = {}
    for place in sorted(answered):
        report = answered[place][0].report
        name = report.id if isinstance(report, Finding) else f"outcome {place}"
        by_exposure.setdefault(name, []).append(answered[place])
    return [pair for same in by_exposure.values() for pair in _strictest(same)]


def _strictest(pairs: list[tuple[Outcome, str | None]]) -> list[tuple[Outcome, str | None]]:
    """Give what failed and what is denied of one exposure, or one of its outcomes where nothing is."""
    if len(pairs) == 1:
        return pairs
    strict = [
        (outcome, failure)
        for outcome, failure in pairs
        if failure is not None or (outcome.decision is not None and outcome.decision.action == "deny")
    ]
    (first, failure), *others = strict or pairs[:1]
    reports = tuple(record for outcome, _ in pairs for record in outcome.reports)
    return [(replace(first, reports=reports), failure), *((replace(other, reports=()), why) for other, why in others)]


def _without_findings(outcomes: Sequence[Outcome]) -> _Answered:
    """Give what needs no decision."""
    return {place: (outcome, None) for place, outcome in enumerate(outcomes) if not isinstance(outcome.report, Finding)}


def _answers(outcomes: Sequence[Outcome], gate: Gate, deadline: float | None) -> Iterator[_Answered]:
    """Give the outcomes that have a finding as OPA answers to them."""
    opened = [
        (place, outcome, outcome.report)
        for place, outcome in enumerate(outcomes)
        if isinstance(outcome.report, Finding)
    ]
    for answers in gate.decide_parts([finding for _, _, finding in opened], deadline) if opened else ():
        part: _Answered = {}
        for number, answer in answers.items():
            place, outcome, finding = opened[number]
            match answer:
                case Decision() as decision:
                    part[place] = replace(outcome, decision=decision), None
                case OpaRefusedError() as error:
                    part[place] = replace(outcome, report=_refused(finding, error)), None
                case error:
                    part[place] = outcome, f"OPA could not decide: {error}"
        yield part


def _reports(record: Record, now: str) -> Iterable[Report]:
    if record.problem is not None:
        return [record.problem]
    return reading.read(record.event, now, record.id)


def _fetched(
    told: list[tuple[str, Report]], now: str, client: "Client", until: float | None
) -> list[tuple[str, Report]]:
    """Put what AWS has under a reference in the reference's place."""
    references = [report for _, report in told if isinstance(report, Reference)]
    if not references:
        return told
    from handler.fetching import fetch  # noqa: PLC0415  it loads botocore, which few reports need

    answers = iter(fetch(references, now, client, until))
    return [
        (record, found)
        for record, report in told
        for found in (next(answers) if isinstance(report, Reference) else [report])
    ]


def _told_ports(report: Finding | Closed, events: list[Any]) -> Finding | Closed | Undecidable:
    """Make undecidable what names a security group and no port, if no look-up told what the group opens.

    `events` are those of all records that told it: it alerts with each of them.
    """
    if not isinstance(report, Finding) or PORTS_ASSUMED not in report.notes:
        return report
    untold = (0, 65535, (UNKNOWN,), ())
    if any((one.from_port, one.to_port, one.sources, one.rules) != untold for one in report.exposures):
        return report
    more = "".join(f"; {note}" for note in report.notes if note != PORTS_ASSUMED)
    title = report.reporters[0].title
    told = f" ({title})" if title else ""
    remedy = "LOOK_UP_SOURCES=true has them read"
    problem = f"names a security group and no port{told}; no look-up told what its rules open ({remedy}){more}"
    return _undecidable(report, WITHOUT_PORTS, problem, events[0] if len(events) == 1 else events)


def _refused(finding: Finding, error: OpaRefusedError) -> Undecidable:
    problem = f"OPA gives no decision on it: {error}"
    return _undecidable(finding, "finding that the policies fail to judge", problem, msgspec.to_builtins(finding))


def _undecidable(finding: Finding, shape: str, problem: str, raw: Any) -> Undecidable:
    reporter, server = finding.reporters[0], finding.server
    return Undecidable(
        shape=shape,
        field="",
        problem=problem,
        raw=raw,
        reporter=reporter.name,
        id=reporter.id,
        account=server.account,
        region=server.region,
        server=server.id,
        asked=any(reporter.asked for reporter in finding.reporters) or UNSET,
    )
