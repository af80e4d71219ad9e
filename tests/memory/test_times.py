"""Since when each port is open, and whether it reopens, against a plain reading: a dictionary of ports."""

from hypothesis import given, settings
from hypothesis import strategies as st

from handler.memory.flapping import Rules
from handler.memory.parts import Part
from tests.memory.test_news import Story

_PORTS = range(80, 84)
_SAYINGS = st.lists(st.tuples(st.sampled_from(["a", "b"]), st.frozensets(st.sampled_from(_PORTS))), max_size=15)


def _parts(ports: frozenset[int]) -> list[Part]:
    return [Part("tcp", port, port, "0.0.0.0/0", "uncovered", "high") for port in sorted(ports)]


def _ports(parts: tuple[Part, ...]) -> set[int]:
    return {port for part in parts for port in range(part.from_port, part.to_port + 1)}


@settings(max_examples=200, deadline=None, derandomize=True)
@given(sayings=_SAYINGS)
def test_each_port_is_open_since_it_was_told_itself(sayings: list[tuple[str, frozenset[int]]]) -> None:
    """Two reports open and close ports, an hour apart: each is timed, reopened and closed whatever the others do."""
    story = Story(Rules(changes=1000))
    open_ports: dict[str, frozenset[int]] = {"a": frozenset(), "b": frozenset()}
    since: dict[int, str] = {}
    closed: set[int] = set()
    for name, ports in sayings:
        story.hours += 1
        before = set(since)
        open_ports[name] = ports
        after = {*open_ports["a"], *open_ports["b"]}
        told = story.tell(*_parts(ports), claim=name, closes=not ports)
        assert (_ports(told.opened), _ports(told.closed), _ports(told.before)) == (
            after - before,
            before - after,
            before & after,
        )
        if after - before:
            reopens, widens = after - before <= closed, before & after
            assert told.kind == ("reopened" if reopens else "wider" if widens else "new")
        if before - after:
            assert story.episodes[-1].opened == min(since[port] for port in before - after)
        closed |= before - after
        since = {port: since.get(port, story.at) for port in after}
        assert {port: story.server.told_since(tuple(_parts(frozenset({port})))) for port in after} == since
