"""What a report changes in what is open: order, closings, and sources that cannot be read."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handler.finding import UNKNOWN
from handler.memory.claims import Observation, observe
from handler.memory.parts import Part
from handler.memory.state import Server, later

_AT = "2026-12-01T12:00:00Z"
_PATIENCE = timedelta(hours=3)
_EARLY, _MIDDLE, _LATE = "2026-12-01T08:00:00Z", "2026-12-01T09:00:00Z", "2026-12-01T10:00:00Z"


def _part(port: int, source: str = "0.0.0.0/0") -> Part:
    return Part("tcp", port, port, source, "uncovered", "high")


def _says(observed: str | None, *parts: Part, claim: str = "arn:1", **fields: Any) -> Observation:
    return Observation(claim=claim, reporter="inspector2", report=claim, observed=observed, parts=parts, **fields)


def _closes(observed: str | None, *, claim: str = "arn:1", confirmed: bool = True) -> Observation:
    return Observation(
        claim=claim, reporter="inspector2", report=claim, observed=observed, parts=None, confirmed=confirmed
    )


def _after(*observations: Observation, at: str = _AT) -> Server:
    server = Server(kind="instance", id="i-0abc", account="111122223333", region="eu-west-1")
    for observation in observations:
        server = observe(server, observation, at, _PATIENCE)
    return server


_OPEN, _CLOSED = (_part(22),), ()


@pytest.mark.parametrize(
    ("observations", "denied"),
    [
        pytest.param([_says(_LATE, _part(22)), _closes(_MIDDLE)], _OPEN, id="an older one does not close"),
        pytest.param([_closes(_LATE), _says(_MIDDLE, _part(22))], _CLOSED, id="an older one does not reopen"),
        pytest.param([_says(_LATE, _part(22)), _says(_EARLY, _part(80))], _OPEN, id="an older one changes nothing"),
        pytest.param([_says(_MIDDLE, _part(22)), _closes(_LATE)], _CLOSED, id="a newer one closes"),
        pytest.param([_closes(_MIDDLE), _says(_LATE, _part(22))], _OPEN, id="a newer one reopens"),
        pytest.param([_says(_LATE, _part(22)), _closes(_LATE)], _OPEN, id="equal dates, open first"),
        pytest.param([_closes(_LATE), _says(_LATE, _part(22))], _OPEN, id="equal dates, closed first"),
        pytest.param([_closes(_LATE), _says(_LATE, _part(22), again=True)], _CLOSED, id="closed while judged again"),
        pytest.param([_says(_LATE, _part(80)), _says(_LATE, _part(22), again=True)], _OPEN, id="judged again"),
        pytest.param([_says(_LATE, _part(22)), _says(_EARLY, _part(80), again=True)], _OPEN, id="judged again late"),
        pytest.param([_says(None, _part(22)), _closes(_LATE)], _OPEN, id="no date of the open one"),
        pytest.param([_says(_LATE, _part(22)), _closes(None)], _OPEN, id="no date of the closed one"),
        pytest.param([_closes(None), _says(_EARLY, _part(22))], _OPEN, id="no date of a closed one before"),
        pytest.param([_closes(_LATE), _says(None, _part(22))], _OPEN, id="no date of one that reopens"),
        pytest.param(
            [_closes(_LATE), _closes(None), _says(_MIDDLE, _part(22))],
            _CLOSED,
            id="a closing without a date forgets none",
        ),
        pytest.param(
            [_closes(_LATE), _closes(_EARLY), _says(_MIDDLE, _part(22))], _CLOSED, id="nor does an older closing"
        ),
        pytest.param([_says(_EARLY, _part(22)), _closes(_LATE, claim="arn:2")], _OPEN, id="another report closes"),
        pytest.param([_says(_EARLY, _part(22)), _closes(_LATE, confirmed=False)], _OPEN, id="unconfirmed"),
        pytest.param(
            [_says(_EARLY, _part(22)), _says(_EARLY, _part(22), claim="arn:2"), _closes(_LATE)],
            _OPEN,
            id="one of two reports closes",
        ),
    ],
)
def test_newer_wins_and_open_wins(observations: list[Observation], denied: tuple[Part, ...]) -> None:
    """A report is ordered by its own dates, closes only itself, and open wins where the order is not known."""
    assert _after(*observations).denied == denied


def test_a_part_of_a_report_closes_nothing() -> None:
    """What a report opened before stays open until the report is judged as a whole."""
    server = _after(_says(_EARLY, _part(22), _part(80)), _says(_LATE, _part(22), _part(443), partial=True))
    assert server.denied == (_part(22), _part(80), _part(443))
    assert observe(server, _says(_LATE, _part(22)), _AT, _PATIENCE).denied == (_part(22),)


def test_unconfirmed_is_remembered_until_the_report_comes_again() -> None:
    """A report that is gone without evidence is marked since when, and no more once it is told again."""
    server = _after(_says(_EARLY, _part(22)), _closes(_LATE, confirmed=False))
    assert server.claims["arn:1"].unconfirmed == _AT
    assert observe(server, _closes(_LATE, confirmed=False), later(_AT, _PATIENCE), _PATIENCE) is server
    assert observe(server, _says(_LATE, _part(22)), _AT, _PATIENCE).claims["arn:1"].unconfirmed is None
    assert _after(_closes(_LATE, confirmed=False)).claims == {}


def test_ports_that_nobody_is_known_to_reach_stay_as_they_were() -> None:
    """The scanner has not looked yet; what it still reports a day later is unknown."""
    unknown = _part(22, UNKNOWN)
    server = _after(_says(_EARLY, _part(22)), _says(_LATE, unknown, unreached=(unknown,)))
    assert server.denied == (_part(22),)
    hours = later(_AT, timedelta(hours=23))
    assert observe(server, _says(_LATE, unknown, unreached=(unknown,)), hours, _PATIENCE).denied == (_part(22),)
    failing = observe(server, _says(_LATE, unknown), hours, _PATIENCE)
    assert failing.denied == (_part(22),)
    day = later(_AT, timedelta(hours=24))
    assert observe(server, _says(_LATE, unknown, unreached=(unknown,)), day, _PATIENCE).denied == (_part(22), unknown)
    read = observe(server, _says(_LATE, _part(22)), hours, _PATIENCE)
    assert observe(read, _says(_LATE, unknown, unreached=(unknown,)), day, _PATIENCE).denied == (_part(22),)


_DATES = st.sampled_from([None, _EARLY, _MIDDLE, _LATE])
_SOME_PARTS = st.lists(
    st.builds(_part, st.sampled_from([22, 80]), st.sampled_from(["0.0.0.0/0", "10.0.0.0/8", "sg-1", UNKNOWN])),
    min_size=1,
    max_size=4,
)
_OBSERVATIONS = st.one_of(
    st.builds(lambda date, parts: _says(date, *parts), _DATES, _SOME_PARTS),
    st.builds(lambda date, parts: _says(date, *parts, unreached=(_part(22, UNKNOWN),)), _DATES, _SOME_PARTS),
    st.builds(lambda date, confirmed: _closes(date, confirmed=confirmed), _DATES, st.booleans()),
)


@settings(max_examples=300, deadline=None)
@given(observations=st.lists(_OBSERVATIONS, max_size=6), last=_OBSERVATIONS)
def test_the_same_report_again_costs_no_write(observations: list[Observation], last: Observation) -> None:
    """After whatever came before, a report that is told a second time leaves the very same value."""
    server = _after(*observations, last)
    again = observe(server, last, later(_AT, timedelta(hours=1)), _PATIENCE)
    since = [claim.unread_since or claim.unreached_since for claim in server.claims.values() if claim.open]
    assert again is server or any(since)


def test_a_newer_date_costs_a_write() -> None:
    """The newest observation is kept, so that an older closing that comes late is known as older."""
    server = _after(_says(_EARLY, _part(22)))
    newer = observe(server, _says(_LATE, _part(22)), _AT, _PATIENCE)
    assert newer != server
    assert observe(newer, _closes(_MIDDLE), _AT, _PATIENCE) is newer


def test_the_order_of_parts_costs_no_write() -> None:
    """What look-ups and the gate give in another order is the same."""
    server = _after(_says(_EARLY, _part(443), _part(22)))
    assert observe(server, _says(_EARLY, _part(22), _part(443)), _AT, _PATIENCE) is server


def test_look_ups_that_fail_change_nothing_for_a_while_and_then_count_once() -> None:
    """Sources that were read are kept while look-ups fail; after the patience `unknown` stands beside them."""
    read, failing = _says(_EARLY, _part(22, "10.0.0.0/8")), _says(_EARLY, _part(22, UNKNOWN))
    server = _after(read, failing)
    assert server.denied == (_part(22, "10.0.0.0/8"),)
    almost = observe(server, failing, later(_AT, timedelta(hours=2, minutes=59)), _PATIENCE)
    assert almost is server
    enough = observe(almost, failing, later(_AT, timedelta(hours=3)), _PATIENCE)
    assert enough.denied == (_part(22, "10.0.0.0/8"), _part(22, UNKNOWN))
    assert observe(enough, failing, later(_AT, timedelta(hours=9)), _PATIENCE) is enough
    assert observe(enough, read, later(_AT, timedelta(hours=9)), _PATIENCE).denied == (_part(22, "10.0.0.0/8"),)


def test_look_ups_that_fail_for_a_new_port_count_at_once() -> None:
    """Where nothing was read before, `unknown` is kept as it is."""
    server = _after(_says(_EARLY, _part(22, "10.0.0.0/8")), _says(_LATE, Part("tcp", 22, 23, UNKNOWN, severity="high")))
    assert server.denied == (_part(22, "10.0.0.0/8"), Part("tcp", 23, 23, UNKNOWN, severity="high"))


def test_failing_look_ups_of_one_port_do_not_narrow_another() -> None:
    """A port whose sources were never read in full stays `unknown`, whatever fails beside it."""
    before = _says(_EARLY, _part(22, "sg-1"), _part(22, UNKNOWN), _part(80, "10.0.0.0/8"))
    failing = _says(_LATE, _part(22, UNKNOWN), _part(80, UNKNOWN))
    server = _after(before, failing, failing)
    assert server.denied == (_part(22, "sg-1"), _part(22, UNKNOWN), _part(80, "10.0.0.0/8"))


def test_a_clock_that_jumps_back_does_not_prolong_the_patience() -> None:
    """The patience runs from the earlier time when the clock turns out to have been ahead."""
    read, failing = _says(_EARLY, _part(22, "10.0.0.0/8")), _says(_EARLY, _part(22, UNKNOWN))
    server = _after(read, failing)
    yesterday = later(_AT, timedelta(days=-1))
    server = observe(server, failing, yesterday, _PATIENCE)
    assert UNKNOWN in {part.source for part in observe(server, failing, later(yesterday, _PATIENCE), _PATIENCE).denied}


def test_what_is_judged_again_stays_unconfirmed() -> None:
    """Only a report that is told anew says that what has ended without evidence is open."""
    ended = _after(_says(_MIDDLE, _part(22)), _closes(_LATE, confirmed=False))
    again = observe(ended, _says(_MIDDLE, _part(22), _part(80), again=True), _AT, _PATIENCE)
    anew = observe(again, _says(_MIDDLE, _part(22), _part(80)), _AT, _PATIENCE)
    assert [server.claims["arn:1"].unconfirmed for server in (ended, again, anew)] == [_AT, _AT, None]
