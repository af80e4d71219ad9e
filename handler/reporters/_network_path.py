"""Follows the network path that Inspector found to a port, from its gateway to the instance.

A path is a list of `{"componentId", "componentType"}`. Inspector may leave it out, so nothing here is refused.
"""

from typing import Any

from msgspec import Struct

from handler.finding import Reach
from handler.reporters import _fields as fields

_REACH: dict[str, Reach] = {
    "AWS::EC2::InternetGateway": "internet",
    "AWS::EC2::VPCPeeringConnection": "peered_vpc",
    "AWS::EC2::VPNGateway": "vpn",
    "AWS::EC2::VPNConnection": "vpn",
}
_REACH_BY_ID: dict[str, Reach] = {"igw": "internet", "pcx": "peered_vpc", "vgw": "vpn", "vpn": "vpn"}
"""Only the first component type is documented; the prefixes of AWS's ids tell the others."""

_GROUP = "AWS::EC2::SecurityGroup"


class Way(Struct, frozen=True):
    """From where (null if not told), to which instance, and the groups of the last hop, the one beside it last."""

    reach: Reach | None
    groups: tuple[str | None, ...]
    instance: str | None

    def groups_of(self, server: str) -> tuple[str | None, ...]:
        """Give the groups of a server, none if the path leads to another."""
        return self.groups if self.instance in {None, server} else ()


def follow(steps: Any) -> Way:
    """Follow the steps. Behind a load balancer the first groups are the balancer's, the last the instance's."""
    components = [_component(step) for step in fields.loose_list(steps)]
    kind, name = components[0] if components else (None, None)
    reach = _REACH.get(kind or "") or _REACH_BY_ID.get((name or "").partition("-")[0])
    groups: list[str | None] = []
    found, instance, beside = groups, None, False
    for kind, name in components:
        if kind == _GROUP:
            groups = [*groups, name] if beside else [name]
        elif kind == "AWS::EC2::Instance":
            found, instance = groups, name
        beside = kind == _GROUP
    return Way(reach, tuple(found if instance else groups), instance)


def _component(step: Any) -> tuple[str | None, str | None]:
    """Give a step's type and id."""
    if not isinstance(step, dict):
        return None, None
    return fields.spoken(step.get("componentType")), fields.spoken(step.get("componentId"))
