"""What it means that a report is listed no more: it closes on evidence alone, whatever happens between."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from handler.memory.state import Claim, spelled
from handler.sweep.absence import Covered, Listing, verdict

NAME = "arn:aws:inspector2:eu-west-1:111122223333:finding/a"
CONTROL = "arn:aws:securityhub:eu-west-1:111122223333:security-control/EC2.13/finding/a"
_BEGIN = datetime(2026, 11, 24, tzinfo=UTC)


def _at(hour: float) -> str:
    return spelled(_BEGIN + timedelta(hours=hour))


def _claim(**fields: Any) -> Claim:
    return Claim(**{"reporter": "inspector2", "report": NAME, "observed": _at(0), "since": _at(0)} | fields)


def _listing(hour: float, **fields: Any) -> Listing:
    known: dict[str, Any] = {
        "scanner": "inspector2",
        "start": _at(hour),
        "complete": True,
        "enabled": True,
        "held": {"other"},
        "coverage": {"i-0a1": Covered(active=True, scanned=_at(hour))},
    }
    return Listing(**known | fields)


_HUB: dict[str, Any] = {
    "scanner": "security_hub",
    "coverage": None,
    "since": _at(-90),
    "controls": {CONTROL.partition("/finding/")[0]: _at(-90)},
}


@pytest.mark.parametrize(
    ("claim", "listing", "expected"),
    [
        pytest.param(_claim(), _listing(1), "marked", id="the first listing without it"),
        pytest.param(_claim(unlisted=_at(1)), _listing(2), "closed", id="the second"),
        pytest.param(_claim(unlisted=_at(1)), _listing(1), "stays", id="the same listing again"),
        pytest.param(_claim(), _listing(1, held={NAME}), "stays", id="held"),
        pytest.param(_claim(unlisted=_at(1)), _listing(2, held={NAME}, complete=False), "listed", id="held again"),
        pytest.param(_claim(unlisted=_at(1)), _listing(2, complete=False), "stays", id="not complete"),
        pytest.param(_claim(unlisted=_at(1)), _listing(2, enabled=False), "stays", id="not on"),
        pytest.param(_claim(unlisted=_at(1)), _listing(2, coverage=None), "stays", id="nobody says what is scanned"),
        pytest.param(_claim(), _listing(1, held=set()), "stays", id="empty"),
        pytest.param(_claim(unlisted=_at(1)), _listing(2, held=set()), "stays", id="empty after one that was not"),
        pytest.param(_claim(since=_at(1)), _listing(1), "stays", id="opened when the listing began"),
        pytest.param(_claim(observed=_at(3)), _listing(1), "stays", id="seen since the listing began"),
        pytest.param(
            _claim(unlisted=_at(1)),
            _listing(2, coverage={"i-0a1": Covered(active=True, scanned=_at(1))}),
            "stays",
            id="not scanned since",
        ),
        pytest.param(
            _claim(unlisted=_at(1)),
            _listing(2, coverage={"i-0a1": Covered(active=True, reason="PENDING_INITIAL_SCAN")}),
            "stays",
            id="never scanned",
        ),
        pytest.param(
            _claim(unlisted=_at(1)),
            _listing(2, coverage={"i-0a1": Covered(active=True, reason="SUCCESSFUL")}),
            "closed",
            id="scanned",
        ),
        pytest.param(
            _claim(unlisted=_at(1)),
            _listing(2, coverage={"i-0a1": Covered(active=False, reason="EXCLUDED_BY_TAG")}),
            "unconfirmed",
            id="excluded",
        ),
        pytest.param(
            _claim(unlisted=_at(1), unconfirmed=_at(1)),
            _listing(2, coverage={"i-0a1": Covered(active=False, reason="EXCLUDED_BY_TAG")}),
            "stays",
            id="excluded, and known to be",
        ),
        pytest.param(
            _claim(unlisted=_at(1)),
            _listing(
                2,
                coverage={
                    "i-0a1": Covered(active=False, reason="RESOURCE_TERMINATED"),
                    "i-0b1": Covered(active=True, scanned=_at(2)),
                },
            ),
            "closed",
            id="terminated",
        ),
        pytest.param(_claim(unlisted=_at(1)), _listing(2, coverage={}), "stays", id="nothing is covered at all"),
        pytest.param(
            _claim(unlisted=_at(1)), _listing(49, coverage={}), "unconfirmed", id="old, and nothing is covered"
        ),
        pytest.param(
            _claim(reporter="security_hub", unlisted=_at(1)),
            _listing(2),
            "closed",
            id="Inspector's, passed on by a Hub",
        ),
        pytest.param(
            _claim(reporter="security_hub", report=CONTROL, unlisted=_at(1)), _listing(2), "stays", id="another scanner"
        ),
        pytest.param(
            _claim(reporter="security_hub", report=CONTROL, unlisted=_at(1)),
            _listing(2, **_HUB),
            "closed",
            id="control",
        ),
        pytest.param(
            _claim(reporter="security_hub", report=CONTROL, unlisted=_at(1)),
            _listing(2, **_HUB | {"since": _at(-24)}),
            "stays",
            id="control of a young Hub",
        ),
        pytest.param(
            _claim(reporter="security_hub", report=CONTROL, unlisted=_at(1)),
            _listing(2, **_HUB | {"since": None}),
            "stays",
            id="control of a Hub of no age",
        ),
        pytest.param(
            _claim(reporter="security_hub", report=CONTROL, unlisted=_at(1)),
            _listing(2, **_HUB | {"controls": {CONTROL.partition("EC2.13")[0] + "EC2.18": _at(-90)}}),
            "unconfirmed",
            id="control that is off",
        ),
        pytest.param(
            _claim(reporter="security_hub", report=CONTROL, unlisted=_at(1)),
            _listing(2, **_HUB | {"controls": {CONTROL.partition("/finding/")[0]: _at(-40)}}),
            "stays",
            id="control that was switched on again",
        ),
        pytest.param(
            _claim(reporter="security_hub", report=CONTROL, unlisted=_at(1)),
            _listing(50, **_HUB | {"since": _at(2)}),
            "closed",
            id="control of a Hub that was switched on again since the mark",
        ),
        pytest.param(
            _claim(reporter="security_hub", report="prowler-a", unlisted=_at(1)),
            _listing(2, **_HUB),
            "unconfirmed",
            id="another product's finding in a Hub",
        ),
        pytest.param(_claim(), _listing(49, complete=False), "stays", id="old, and the listing is not complete"),
        pytest.param(_claim(reporter="prowler", report="a"), _listing(49), "unconfirmed", id="old, and never listed"),
        pytest.param(_claim(reporter="prowler", report="a"), _listing(47), "stays", id="not old yet"),
        pytest.param(
            _claim(reporter="prowler", observed="9999-12-31T23:59:59Z"),
            _listing(49),
            "stays",
            id="of the last day of time",
        ),
        pytest.param(_claim(unconfirmed=_at(1), reporter="config"), _listing(49), "marked", id="old, known to be"),
    ],
)
def test_verdict(claim: Claim, listing: Listing, expected: str) -> None:
    """What a listing says of a claim last seen at midnight, with two days until what is untold is unconfirmed."""
    said = verdict(NAME, claim, "i-0a1", {listing.scanner: listing}, at=listing.start, untold=timedelta(days=2))
    assert said == expected


_EVENTS = st.one_of(
    st.just("told"),
    st.just("scanned"),
    st.builds(
        lambda complete, enabled, held, known: (complete, enabled, held, known),
        st.booleans(),
        st.sampled_from([True, True, False]),
        st.sampled_from([False, False, False, True]),
        st.sampled_from([True, True, False]),
    ),
)


@given(st.lists(_EVENTS, max_size=30))
def test_nothing_closes_without_two_complete_listings_since_it_was_last_seen(events: list[Any]) -> None:
    """Both have begun after the last word of it, with the scanner on, and the scanner has looked between the two."""
    claim = _claim()
    since: list[int] = []
    scanned = last_scan = 0
    for hour, event in enumerate(events, 1):
        if event == "told":
            claim, since = replace(claim, observed=_at(hour), unlisted=None, unconfirmed=None), []
        elif event == "scanned":
            scanned = last_scan = hour
        else:
            complete, enabled, held, known = event
            listing = _listing(
                hour,
                complete=complete,
                enabled=enabled,
                held={"other", NAME} if held else {"other"},
                coverage={"i-0a1": Covered(active=True, scanned=_at(scanned))} if known else None,
            )
            said = verdict(NAME, claim, "i-0a1", {"inspector2": listing}, at=_at(hour), untold=None)
            if held:
                since = []
            elif complete and enabled:
                since.append(hour)
            if said == "closed":
                assert len(since) >= 2
                assert since[0] < last_scan < since[-1] == hour
                return
            if said == "marked":
                assert len(since) == 1
                claim = replace(claim, unlisted=listing.start)
            elif said == "listed":
                claim = replace(claim, unlisted=None)
