"""Looks findings up: who is behind a group, what an instance is called, who can reach its ports, what has bound them.

What is looked up only adds to a finding. Its identity is that of the report, except for a group's instances, which are
findings of their own. Nothing here raises: what fails is a note, and what it was to tell stays unknown.
"""

import logging
import time
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from handler import reachability
from handler.aws import Accounts
from handler.finding import Finding
from handler.folding import Folded, reunite
from handler.lookup import behind, containers, sharing, tags
from handler.lookup.inquiry import Inquiry
from handler.lookup.notes import noted
from handler.settings import LookUps

_LOGGER = logging.getLogger(__name__)

Step = Callable[[list[Finding], Inquiry], list[Finding]]
"""A look-up: gives each finding with what it has found, in the same order."""

_Many = Callable[[list[Finding], Inquiry], list[list[Finding]]]


def look_up(
    folded: Sequence[Folded], settings: LookUps, accounts: Accounts, until: float | None = None
) -> list[Folded]:
    """Look up all findings of an invocation at once; what is closed stays as it is.

    `until` is the time of `time.monotonic()` after which AWS is asked no more.
    """
    if not any(isinstance(one.report, Finding) for one in folded):
        return list(folded)
    start = time.monotonic()
    inquiry = Inquiry(accounts, until)
    known = list(folded)
    if settings.look_up_groups:
        known = reunite(_taken(behind.look_up, known, inquiry))
    for step in _steps(settings):
        known = _taken(_one_each(step), known, inquiry)
    milliseconds = round(1000 * (time.monotonic() - start))
    _LOGGER.info("looked up", extra={"fields": {"answers": dict(inquiry.calls), "ms": milliseconds}})
    return known


def _steps(settings: LookUps) -> list[Step]:
    """Give the look-ups that are on, in their order: a later one builds on what an earlier one has found."""
    steps: list[Step] = []
    if settings.look_up_tags != "never":
        steps.append(tags.of_all if settings.look_up_tags == "always" else tags.where_missing)
    if settings.look_up_sources:
        steps.append(reachability.look_up)
    if settings.look_up_containers:
        steps.append(containers.look_up)
    if settings.look_up_sources:
        steps.append(sharing.look_up)  # last: if it fails, or takes all the time that is left, nothing else suffers
    return steps


def _one_each(step: Step) -> _Many:
    return lambda findings, inquiry: [[found] for found in step(findings, inquiry)]


def _taken(step: _Many, known: list[Folded], inquiry: Inquiry) -> list[Folded]:
    """Put what a look-up has found in the findings' places; if it fails, they stay, and say so."""
    findings = [one.report for one in known if isinstance(one.report, Finding)]
    try:
        found = list(zip(findings, step(findings, inquiry), strict=True))
    except Exception as error:
        _LOGGER.exception("a look-up failed")
        problem = f"Portcullis failed to look it up ({type(error).__name__}: {error}); this is a bug, please report it"
        found = [(finding, [noted(finding, [problem])]) for finding in findings]
    given = iter(found)
    return [
        replace(one, report=report, reports=() if added else one.reports)
        for one in known
        for added, report in enumerate(next(given)[1] if isinstance(one.report, Finding) else [one.report])
    ]
