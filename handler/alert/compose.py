"""Makes the messages of one invocation, each of them small enough for SNS."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from handler.alert import answer, digest, mail, subjects, undecidable
from handler.alert.attributes import gather
from handler.alert.case import SEVERITIES, Case, Judged, cases, denials, judgements
from handler.alert.content import Carried
from handler.alert.draft import Draft, fitted
from handler.alert.message import Earlier, Message
from handler.alert.text import DIGEST_ROOMS
from handler.finding import Closed, Ignored
from handler.outcome import Engine, Outcome
from handler.settings import Settings

if TYPE_CHECKING:
    from handler.memory.comparison import Compared


def messages(  # noqa: PLR0913  what an invocation has
    outcomes: Sequence[Outcome],
    settings: Settings,
    engine: Engine,
    earlier: Earlier = Earlier(),  # noqa: B008  it is frozen
    *,
    last: bool = True,
    compared: "Compared | None" = None,
) -> list[Message]:
    """Give the messages of one invocation, the worst first; none when nothing was denied and everything could be read.

    One message a server and one a shape of unreadable report; one digest of all of them where they are more than
    `alert_max_messages`, or where the outcomes are a slice: `earlier` went out before, or this is not the `last`. How
    to close a rule can only be said where everything that came with it has been judged. Every record whose finding was
    denied or could not be judged is in one of them. Whoever asked gets one message more, about everything that is not
    in the others. With what the memory has `compared`, only what is news of it is told, servers of one cause in one
    message, and what has closed in one message a team.
    """
    judged = judgements(outcomes)
    servers, shapes = cases(judged), undecidable.by_shape(outcomes)
    closed: list[Draft] = []
    why = ""
    if compared is not None:
        from handler.alert import remembered  # noqa: PLC0415  without a memory none of it is imported

        servers, why = remembered.news(outcomes, compared, engine), remembered.uncompared(compared)
        shapes = undecidable.by_shape(remembered.undecided(compared))
        closed = remembered.closings(compared.entries, settings, engine)
    denied = [case for case in servers if case.denied]
    allowed = [case for case in servers if not case.denied]
    groups, asides = _groups(denied), answer.asides(outcomes)
    part = earlier if earlier.messages or not last else None
    if part is not None:
        why = digest.part(part)
    elif not why and len(groups) + len(shapes) > settings.alert_max_messages:
        why = digest.too_many(len(groups) + len(shapes), settings)
    if (denied or shapes) and why:
        drafts = [_digest(denied, shapes, settings, engine, why, part)]
        allowed = [replace(case, denied=()) for case in servers if case.answered]
    else:
        drafts = [_of_group(group, judged, settings, engine) for group in groups]
        drafts += [_undecidable(shape, settings, engine) for shape in shapes]
    drafts += [_answer(allowed, asides, settings, engine)] if allowed or asides else []
    return [fitted(draft, settings, engine) for draft in sorted([*drafts, *closed], key=_badness)]


def _groups(denied: Sequence[Case]) -> list[list[Case]]:
    """Gather the servers that are told in one message: those that share a story's group, in the order of the worst."""
    groups: dict[object, list[Case]] = {}
    for number, case in enumerate(denied):
        groups.setdefault(case.story.group if case.story and case.story.group else number, []).append(case)
    return list(groups.values())


def _of_group(group: Sequence[Case], judged: Sequence[Judged], settings: Settings, engine: Engine) -> Draft:
    """Draft the message about a server, or about those that share a story's group."""
    if len(group) == 1 or group[0].story is None:
        return _server(group[0], judged, settings, engine)
    return _digest(group, (), settings, engine, group[0].story.why, None)


def _server(case: Case, judged: Sequence[Judged], settings: Settings, engine: Engine) -> Draft:
    return Draft(
        records=case.records,
        subject=subjects.server(case, denials(case)),
        attributes=gather([case], [], settings),
        text=mail.writer(case, judged, settings, engine),
        carried=Carried(kind="server", judged=case.shown, summary=digest.summary([case]), news=_data([case])),
    )


def _undecidable(shape: undecidable.Shape, settings: Settings, engine: Engine) -> Draft:
    return Draft(
        records=shape.records,
        subject=subjects.undecidable(shape.reports),
        attributes=gather([], shape.reports, settings),
        text=lambda room: undecidable.body(shape, settings, engine, room),
        carried=Carried(kind="undecidable", reports=shape.reports, summary=undecidable.summary([shape])),
    )


def _answer(allowed: Sequence[Case], asides: Sequence[Outcome], settings: Settings, engine: Engine) -> Draft:
    reports = [aside.report for aside in asides if isinstance(aside.report, Closed | Ignored)]
    return Draft(
        records=frozenset().union(*(case.records for case in allowed), *(aside.records for aside in asides)),
        subject=subjects.answer(allowed, asides),
        attributes=gather(allowed, [], settings, asides),
        text=lambda room: answer.body(allowed, asides, settings, engine, room),
        carried=Carried(
            kind="answer",
            judged=[judged for case in allowed for judged in case.shown],
            reports=reports,
            summary=answer.summary(allowed, asides),
        ),
    )


def _digest(  # noqa: PLR0913, PLR0917  what a digest is made of
    denied: Sequence[Case],
    shapes: Sequence[undecidable.Shape],
    settings: Settings,
    engine: Engine,
    why: str,
    part: Earlier | None,
) -> Draft:
    judged = [entry for case in denied for entry in case.denied]
    reports = [report for shape in shapes for report in shape.reports]
    return Draft(
        records=frozenset().union(*(entry.records for entry in judged), *(shape.records for shape in shapes)),
        subject=subjects.digest(denied, reports) if denied else subjects.undecidable(reports),
        attributes=gather(denied, reports, settings),
        text=lambda room: digest.body(denied, shapes, settings, engine, room, why),
        rooms=DIGEST_ROOMS,
        closing=digest.closing,
        carried=Carried(
            kind="digest",
            judged=judged,
            reports=reports,
            summary=digest.summary(denied) + undecidable.summary(shapes),
            news=_data(denied),
            earlier=part,
        ),
    )


def _data(denied: Sequence[Case]) -> list[dict[str, Any]]:
    """Return what the memory knows of servers, for the JSON."""
    return [case.story.data for case in denied if case.story]


def _badness(draft: Draft) -> int:
    severity = draft.attributes["severity"]
    return SEVERITIES.index(severity if isinstance(severity, str) else severity[0])
