"""The log: every line is one JSON object, whatever the values in it."""

import json
import logging

import pytest

from handler import log


@pytest.mark.parametrize(
    "value", ["web-01", "\ud800", {"i-\ud800": ["\udfff"]}, {1, 2}, b"x"], ids=["text", "half", "deep", "set", "bytes"]
)
def test_line_is_json_whatever_is_in_it(value: object) -> None:
    """A text that UTF-8 cannot carry is escaped, what JSON cannot say is spelled; no line is lost."""
    record = logging.LogRecord("handler", logging.INFO, "", 1, "decided", (), None)
    record.__dict__["fields"] = {"server": value}
    assert json.loads(log.Lines().format(record))["event"] == "decided"
