"""Sets of parts against brute force, over every port and address of a small universe."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from handler.finding import UNKNOWN
from handler.memory.parts import Part, common, ended, holds, inside, outside, read_since, segments, united
from tests.memory.points import ADDRESSES, addresses_at, completed, placed, points

_PORTS = st.tuples(st.integers(20, 25), st.integers(20, 25)).map(sorted)
_PARTS = st.builds(
    lambda protocol, ports, source, severity: Part(protocol, ports[0], ports[1], source, severity=severity),
    st.sampled_from(["tcp", "tcp", "tcp", "udp"]),
    _PORTS,
    st.sampled_from(sorted(ADDRESSES)),
    st.sampled_from(["", "high"]),
)
_SETS = st.lists(_PARTS, max_size=6)
_SOURCES = st.frozensets(st.sampled_from(sorted(ADDRESSES)), max_size=6)
_often = settings(max_examples=100, deadline=None)


def _is_held(part: Part, port: int, cover: Sequence[Part]) -> bool:
    """Return whether a part's source lies wholly in the cover at a port."""
    here = addresses_at(cover, part.protocol, port)
    return completed(ADDRESSES[part.source]) <= here


@_often
@given(sources=_SOURCES, source=st.sampled_from(sorted(ADDRESSES)))
def test_holds_as_the_gate_does(sources: frozenset[str], source: str) -> None:
    """A source lies in others where every address of it does, networks united."""
    held = frozenset(completed(address for name in sources for address in ADDRESSES[name]))
    assert holds(sources, source) == (frozenset(ADDRESSES[source]) <= held)


def test_only_everything_or_unknown_holds_unknown() -> None:
    """What may be any address is held by all of both families, in whatever pieces, and by nothing less."""
    assert holds(frozenset({"0.0.0.0/1", "128.0.0.0/1", "::/0"}), UNKNOWN)
    assert holds(frozenset({UNKNOWN}), "sg-1")
    assert not holds(frozenset({"0.0.0.0/0", "sg-1", "pl-1"}), UNKNOWN)
    assert not holds(frozenset(), UNKNOWN)


@_often
@given(parts=_SETS, cover=_SETS)
def test_outside_and_inside_part_every_port_by_what_covers_it(parts: list[Part], cover: list[Part]) -> None:
    """A part comes back at exactly the ports at which its source is not wholly covered; elsewhere it is inside."""
    expected = {
        held: {
            ((part.protocol, port), part.source, part.severity)
            for part in parts
            for port in range(part.from_port, part.to_port + 1)
            if _is_held(part, port, cover) == held
        }
        for held in (False, True)
    }
    for function, held in ((outside, False), (inside, True)):
        cut = function(parts, cover)
        assert {(*place, part.severity) for part in cut for place in placed([part])} == expected[held]
        assert cut == united(cut)


@_often
@given(told=_SETS, still=_SETS)
def test_what_has_ended_is_no_longer_open(told: list[Part], still: list[Part]) -> None:
    """What was told has ended where its source is not wholly open; `unknown` where nothing is open at all."""
    expected = {
        place
        for part in told
        for place in placed([part])
        if (
            not addresses_at(still, *place[0])
            if part.source == UNKNOWN
            else not _is_held(part, place[0][1], [other for other in still if other.protocol == part.protocol])
        )
    }
    assert placed(ended(told, still)) == expected


@_often
@given(one=_SETS, other=_SETS)
def test_what_two_sets_have_in_common_is_the_points_of_both(one: list[Part], other: list[Part]) -> None:
    """The common parts hold exactly the points that both sets hold."""
    assert points(common(one, other)) == points(one) & points(other)


@_often
@given(told=_SETS, still=_SETS)
def test_sources_that_were_read_take_the_place_of_unknown(told: list[Part], still: list[Part]) -> None:
    """Where a port was told as `unknown` and is open, what is open counts as told; all else stays as it was told."""
    read = read_since(told, still)
    for protocol in ("tcp", "udp"):
        for port in range(20, 26):
            here = {part.source for part in told if ((protocol, port), part.source) in placed([part])}
            opened = addresses_at(still, protocol, port)
            known = completed(address for source in here - {UNKNOWN} for address in ADDRESSES[source])
            if UNKNOWN not in here or not opened:
                expected = addresses_at(told, protocol, port)
            else:
                expected = completed(known | opened)
            assert addresses_at(read, protocol, port) == expected
    assert read_since(read, still) == read
    assert not outside(still, read) or outside(still, told)


@_often
@given(parts=_SETS, order=st.randoms(use_true_random=False))
def test_united_parts_hold_the_same_and_are_the_same_in_any_order(parts: list[Part], order: object) -> None:
    """Uniting changes no point, joins what adjoins, and does not depend on the order."""
    joined = united(parts)
    assert placed(joined) == placed(parts)
    assert joined == united(joined) == united(sorted(parts, key=lambda _: order.random()))  # type: ignore[attr-defined]
    for part in joined:
        beside = [replace(part, from_port=0, to_port=0) == replace(o, from_port=0, to_port=0) for o in joined]
        adjoining = [o for o, same in zip(joined, beside, strict=True) if same and o.from_port == part.to_port + 1]
        assert not adjoining


@_often
@given(part=_PARTS, cover=_SETS)
def test_segments_cut_a_part_into_all_its_ports_once(part: Part, cover: list[Part]) -> None:
    """The pieces follow each other without a gap, and each names the sources that cover all of its ports."""
    near = [replace(over, protocol=part.protocol) for over in cover]
    pieces = list(segments(part, near))
    assert [port for low, high, _ in pieces for port in range(low, high + 1)] == [
        *range(part.from_port, part.to_port + 1)
    ]
    for low, high, sources in pieces:
        for port in range(low, high + 1):
            assert sources == {over.source for over in near if over.from_port <= port <= over.to_port}
