"""Looks findings up: who is behind a group, what an instance is called, who can reach its ports, what has bound them.

What is looked up only adds to a finding. Its identity is that of the report, except for a group's instances, which are
findings of their own. Nothing here raises: what fails is a note, and what it was to tell stays unknown.
"""

import logging
import time
from collections.abc import Callable, Sequence
from functools import partial

from msgspec.structs import replace

from handler import reachability
from handler.aws import Accounts
from handler.finding import Finding
from handler.folding import Folded, reunite
from handler.lookup import behind, containers, sharing, tags
from handler.lookup.inquiry import Inquiry, Place, grouped
from handler.lookup.notes import noted
from handler.settings import LookUps

_LOGGER = logging.getLogger(__name__)

Step = Callable[[Sequence[Finding], Inquiry], Sequence[Finding | list[Finding]]]
"""A look-up of the findings of one place: gives each with what it has learned, or those that it becomes, in order."""


def look_up(
    folded: Sequence[Folded], settings: LookUps, accounts: Accounts, until: float | None = None
) -> list[Folded]:
    """Look up all findings of an invocation at once; what is closed stays as it is.

    `until` is the time of `time.monotonic()` after which AWS is asked no more.
    """
    if not any(isinstance(each.report, Finding) for each in folded):
        return list(folded)
    start = time.monotonic()
    inquiry = Inquiry(accounts, until)
    known = list(folded)
    if settings.look_up_groups:
        known = reunite(_taken(behind.look_up, known, inquiry))
    steps: list[tuple[bool, Step]] = [  # in their order: a later one builds on what an earlier one has learned
        (settings.look_up_tags != "never", partial(tags.look_up, always=settings.look_up_tags == "always")),
        (settings.look_up_sources, reachability.look_up),
        (settings.look_up_containers, containers.look_up),
        (settings.look_up_sources, sharing.look_up),  # last: if it takes all the time left, nothing else suffers
    ]
    for is_on, step in steps:
        known = _taken(step, known, inquiry) if is_on else known
    milliseconds = round(1000 * (time.monotonic() - start))
    _LOGGER.info("looked up", extra={"fields": {"answers": dict(inquiry.calls), "ms": milliseconds}})
    return known


def _taken(step: Step, known: list[Folded], inquiry: Inquiry) -> list[Folded]:
    """Put what a look-up has learned in the findings' places, each account and Region by itself."""
    findings = [each.report for each in known if isinstance(each.report, Finding)]
    learned: dict[int, list[Finding]] = {}
    by_place = grouped((Place(finding.server.account, finding.server.region), finding) for finding in findings)
    for place, there in by_place.items():
        learned |= zip(map(id, there), _attempted(step, there, inquiry.of(place)), strict=True)
    return [
        replace(each, report=report, reports=() if added else each.reports)
        for each in known
        for added, report in enumerate(learned.get(id(each.report), [each.report]))
    ]


def _attempted(step: Step, findings: list[Finding], inquiry: Inquiry) -> list[list[Finding]]:
    """Return what a look-up makes of findings; if it fails, they stay, and say so."""
    try:
        learned = [made for _, made in zip(findings, step(findings, inquiry), strict=True)]
        return [made if isinstance(made, list) else [made] for made in learned]
    except Exception as error:
        _LOGGER.exception("a look-up failed")
        problem = f"Portcullis failed to look it up ({type(error).__name__}: {error}); this is a bug, please report it"
        return [[noted(finding, [problem])] for finding in findings]
