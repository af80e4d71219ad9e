"""Of a report that names a group and none of its ports, what the group's rules open is judged, and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from handler import reporters
from handler.finding import PORTS_ASSUMED, Finding
from handler.settings import LookUps
from tests.lookup.cloud import ANYWHERE, OFFICE, Cloud, looked_up, opens, sources, tcp

EVENT = json.loads((Path(__file__).parents[1] / "cases/config/authorized-ports/event.json").read_text())


def objected_to(group: str) -> Finding:
    """Read AWS Config's objection to a group."""
    detail: dict[str, Any] = EVENT["detail"] | {"resourceId": group}
    (finding,) = reporters.normalize(EVENT | {"detail": detail}, "2026-11-24T06:12:00Z")
    assert isinstance(finding, Finding)
    return finding


def test_rules_take_the_place_of_every_port(cloud: Cloud) -> None:
    """Each rule is an exposure; what no rule opens was never reported, and the identity stays the report's."""
    group = cloud.group(tcp(22, OFFICE), opens("udp", 1194, 1194, *ANYWHERE))
    rules, reported = cloud.rules(group), objected_to(group)
    [found] = looked_up(reported)
    assert sources(found) == {
        ("tcp 22-22", rules[OFFICE]): {OFFICE},
        ("udp 1194-1194", rules["0.0.0.0/0"]): {"0.0.0.0/0"},
        ("udp 1194-1194", rules["::/0"]): {"::/0"},
    }
    assert found.id == reported.id
    assert PORTS_ASSUMED not in found.notes


def test_instances_behind_the_group_have_the_ports_of_its_rules(cloud: Cloud) -> None:
    """Who is behind the group is exposed as its rules say."""
    group = cloud.group(tcp(443, *ANYWHERE))
    instance = cloud.instance(group)
    [found] = looked_up(objected_to(group), settings=LookUps(look_up_sources=True, look_up_groups=True))
    assert found.server.id == instance
    assert {(one.protocol, one.from_port, one.to_port, one.sources) for one in found.exposures} == {
        ("tcp", 443, 443, ("0.0.0.0/0",))
    }


def test_whoever_a_load_balancer_in_front_of_the_group_lets_in_is_judged(cloud: Cloud) -> None:
    """The group is in no target group; what is in it may be."""
    front = cloud.group(tcp(443, "0.0.0.0/0"))
    group = cloud.group(tcp(80, front))
    cloud.listen(cloud.balancer(front), 443, cloud.instance(group))
    [found] = looked_up(objected_to(group))
    assert sources(found) == {("tcp 80-80", cloud.rules(front)["0.0.0.0/0"]): {"0.0.0.0/0"}}


@pytest.mark.usefixtures("cloud")
def test_every_port_of_an_unreadable_group_stays() -> None:
    """A group that AWS does not show may open anything."""
    reported = objected_to("sg-0fffffffffffffff1")
    [found] = looked_up(reported)
    assert found.exposures == reported.exposures
    assert PORTS_ASSUMED in found.notes


def test_every_port_of_a_group_without_rules_stays(cloud: Cloud) -> None:
    """Config objects to a group that opens nothing now: somebody looks at it."""
    reported = objected_to(cloud.group())
    [found] = looked_up(reported)
    assert found.exposures == reported.exposures
    assert any("now; the scanner last looked at 2026-11-20 09:03 UTC" in note for note in found.notes)


def test_ports_that_a_report_tells_stay(cloud: Cloud) -> None:
    """Where the report does tell the ports, what no rule opens is still told."""
    group = cloud.group(tcp(22, OFFICE))
    detail: dict[str, Any] = EVENT["detail"] | {"resourceId": group, "configRuleName": "restricted-ssh"}
    (reported,) = reporters.normalize(EVENT | {"detail": detail}, "2026-11-24T06:12:00Z")
    assert isinstance(reported, Finding)
    [found] = looked_up(reported)
    assert {source for one in found.exposures for source in one.sources} == set(ANYWHERE)
