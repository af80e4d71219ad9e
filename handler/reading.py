"""Reads an event whatever the reporters do with it: one that they choke on alerts, and spoils no other."""

import logging
from typing import Any

from handler import reporters
from handler.finding import Report, Undecidable

_LOGGER = logging.getLogger(__name__)


def read(event: Any, now: str, origin: str) -> list[Report]:
    """Give what an event's reports become. `origin` is the record or the report for the log.

    Never raises: an event at which a reporter fails is undecidable.
    """
    try:
        return reporters.normalize(event, now)
    except Exception as error:
        _LOGGER.exception("a reporter failed", extra={"fields": {"record": origin}})
        problem = f"Portcullis failed to read it ({type(error).__name__}: {error}); this is a bug, please report it"
        return [Undecidable(shape="event that Portcullis failed to read", field="", problem=problem, raw=event)]
