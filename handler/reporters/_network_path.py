"""Follows the network path that Inspector found to a port, from its gateway to the instance.

A path is a list of `{"componentId", "componentType"}`. Inspector may leave it out, so nothing here but its length is
refused.
"""

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from handler.errors import UnreadableError
from handler.finding import UNKNOWN, Exposure, Reach
from handler.reporters import _fields as fields
from handler.reporters._opening import Ports

_REACH: dict[str, Reach] = {
    "AWS::EC2::InternetGateway": "internet",
    "AWS::EC2::VPCPeeringConnection": "peered_vpc",
    "AWS::EC2::VPNGateway": "vpn",
    "AWS::EC2::VPNConnection": "vpn",
}
_REACH_BY_ID: dict[str, Reach] = {"igw": "internet", "pcx": "peered_vpc", "vgw": "vpn", "vpn": "vpn"}
"""Only the first component type is documented; the prefixes of AWS's ids tell the others."""

_MOST = 30
"""Steps of a path, as botocore has it for `inspector2`."""

_GROUP = "AWS::EC2::SecurityGroup"
_INTERFACE = "AWS::EC2::NetworkInterface"
_LOAD_BALANCER = "LoadBalancer"


class Hop(Struct, frozen=True):
    """What the last hop to an instance leads through: its groups, the one beside it last, and what is before them."""

    groups: tuple[str | None, ...] = ()
    interface: str | None = None
    load_balancer: str | None = None

    def exposure(self, ports: Ports) -> Exposure:
        """Give the ports that it leads to. Inspector never says which addresses can reach them."""
        protocol, low, high = ports
        return Exposure(
            protocol=protocol,
            from_port=low,
            to_port=high,
            sources=(UNKNOWN,),
            security_group=(None, *self.groups)[-1],
            interface=fields.known(self.interface),
            load_balancer=fields.known(self.load_balancer),
        )


class Way(Struct, frozen=True):
    """From where (null if not told), the last hop, and to which instance it leads (null if not told)."""

    reach: Reach | None
    hop: Hop
    instance: str | None

    def hop_to(self, server: str) -> Hop:
        """Give the last hop to a server, an empty one if the path leads to another."""
        return self.hop if self.instance in {None, server} else Hop()


def follow(steps: Any, path: str) -> Way:
    """Follow the steps, which stand at a path of the report.

    Behind a load balancer the first groups are the balancer's, the last the instance's. More steps than a path has
    raise `UnreadableError`.
    """
    number = len(fields.loose_list(steps))
    if number > _MOST:
        raise UnreadableError(path, f"has {number} steps, and no path has more than {_MOST}")
    components = [_component(step) for step in fields.loose_list(steps)]
    kind, name = components[0] if components else (None, None)
    reach = _REACH.get(kind or "") or _REACH_BY_ID.get((name or "").partition("-")[0])
    hop, instance_hop, instance, beside = Hop(), Hop(), None, False
    for kind, name in components:
        if kind == _GROUP:
            hop = replace(hop, groups=(*hop.groups, name) if beside else (name,))
        elif kind == _INTERFACE:
            hop = replace(hop, interface=name)
        elif kind and kind.endswith(_LOAD_BALANCER):
            hop = replace(hop, interface=None, load_balancer=name)
        elif kind == "AWS::EC2::Instance":
            instance_hop, instance = hop, name
        beside = kind == _GROUP
    return Way(reach, instance_hop if instance else hop, instance)


def _component(step: Any) -> tuple[str | None, str | None]:
    """Give a step's type and id."""
    if not isinstance(step, dict):
        return None, None
    return fields.spoken(step.get("componentType")), fields.spoken(step.get("componentId"))
