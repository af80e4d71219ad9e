"""Who reports: one module a reporter, each of which turns its own reports into the values of `handler.finding`.

To add a reporter, write its module, list it in `REPORTERS`, and give it cases in `tests/cases/<its name>/`.
"""

from collections.abc import Iterator
from typing import Any, Protocol

from handler.finding import Ignored, Report, Undecidable
from handler.reporters import _fields as fields
from handler.reporters import _noise as noise
from handler.reporters import (
    config,
    guardduty,
    inspector2,
    inspector_classic,
    prowler,
    security_hub,
    security_hub_v2,
    trusted_advisor,
)


class ReporterModule(Protocol):
    """What a module in this folder has.

    `claims` says whether an event is this reporter's; it must be true for no event of another's. `normalize` gives what
    the event's reports become. Neither raises, whatever the event. `now` is the time of the invocation (RFC 3339, UTC).
    """

    NAME: str

    def claims(self, event: Any) -> bool:
        """Say whether the event is this reporter's, readable or not."""

    def normalize(self, event: Any, now: str) -> Iterator[Report]:
        """Give one value for each report in a claimed event."""


REPORTERS: tuple[ReporterModule, ...] = (
    inspector2,
    inspector_classic,
    security_hub,
    security_hub_v2,
    guardduty,
    config,
    trusted_advisor,
    prowler,
)

_ANSWER = {"findings", "Findings", "failedItems", "nextToken", "NextToken", "ResponseMetadata"}
"""All that an answer of an API has beside what it tells."""


def normalize(event: Any, now: str) -> list[Report]:
    """Give what an event's reports become: never nothing, and never an exception.

    An array is several events. An event that no reporter claims is undecidable, under a shape that equal ones share.
    """
    if isinstance(event, list) and event:
        return [report for member in event for report in _normalize(member, now)]
    return _normalize(event, now)


def _normalize(event: Any, now: str) -> list[Report]:
    """Ask the reporter that claims the event."""
    for reporter in REPORTERS:
        if reporter.claims(event):
            reports = list(reporter.normalize(event, now)) or [_without_any(event, reporter.NAME)]
            return reports + _further(event, reporter.NAME)
    return [noise.ignored(event) or _unknown(event)]


def _without_any(event: dict[str, Any], reporter: str) -> Ignored | Undecidable:
    """Put an answer without any finding aside, if it holds nothing else either."""
    if event.keys() <= _ANSWER:
        return Ignored(reporter=reporter, reason="An answer without any finding")
    return _unknown(event)


def _further(event: Any, reporter: str) -> list[Report]:
    """Say of an answer that further pages follow it, and what it holds beside the findings that were read."""
    return [*_unread(event, reporter), *_pages(event, reporter)]


def _unread(event: Any, reporter: str) -> Iterator[Undecidable]:
    """Refuse what an answer could not give, unless it was read, and findings under two names."""
    if not isinstance(event, dict) or "detail-type" in event:
        return
    names = {key: fields.squeezed(key) for key in event}
    first, *others = [key for key, name in names.items() if name == "findings"] or [""]
    for key, name in names.items():
        failed = "failed" in name or "unprocessed" in name or "error" in name
        failed = failed and (key, reporter) != ("failedItems", inspector_classic.NAME)
        if (failed or key in others) and event[key]:
            problem = "tells what could not be given" if failed else f"is there beside {first}, and is not read"
            yield Undecidable(
                shape="answer with more than its findings", field=key, problem=problem, raw=event, reporter=reporter
            )


def _pages(event: Any, reporter: str) -> list[Report]:
    """Say of an answer that further pages follow it: nothing on them is judged with it."""
    tokens = [token for token in ("nextToken", "NextToken") if isinstance(event, dict) and event.get(token)]
    return [
        Ignored(reporter=reporter, reason=f"{token}: the answer goes on, on pages that are to be judged too")
        for token in tokens
    ]


def _unknown(event: Any) -> Undecidable:
    """Say of an event that nobody knows it; EventBridge's name whose and where it is."""
    around = event if isinstance(event, dict) else {}
    return Undecidable(
        shape=_shape(event),
        field="",
        problem="is of a kind that Portcullis does not know",
        raw=event,
        account=fields.spoken(around.get("account")),
        region=fields.spoken(around.get("region")),
    )


def _shape(event: Any) -> str:
    """Name the kind of an unknown event: EventBridge's source and detail-type, else the keys that it has."""
    if not isinstance(event, dict):
        return "an event that is no object"
    kind = (event.get("source"), event.get("detail-type"))
    if all(isinstance(part, str) for part in kind):
        return " ".join(map(str, kind))[:200]
    return f"an object of {', '.join(sorted(map(str, event))) or 'nothing'}"[:200]
