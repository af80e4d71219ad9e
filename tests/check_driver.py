"""Compares what the check says with golden files; `RENEW_GOLDEN=1` writes them anew, and then they want to be read."""

import os
from datetime import date
from pathlib import Path

CASES = Path(__file__).parent / "check"
TODAY = date(2026, 11, 24)


def compare(name: str, text: str) -> None:
    """Assert that a text is that of a golden file in `tests/check`."""
    golden = CASES / name
    if os.environ.get("RENEW_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text()
