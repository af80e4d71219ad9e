"""GuardDuty's findings in Security Hub: those of port probes, whose ports are product fields, flattened to texts.

Shapes: a recorded one (`aws/guardduty/service/action/portProbeAction/portProbeDetails.0_/localPortDetails/port`), and
botocore `securityhub`, `Action`. Neither names the protocol, nor who else can reach the port.
"""

import re
from collections.abc import Iterator
from typing import Any

from handler.errors import UnreadableError
from handler.finding import UNKNOWN, Exposure, Finding
from handler.reporters import _asff as asff
from handler.reporters import _fields as fields
from handler.reporters.guardduty import TCP_ASSUMED, is_probe

RESOURCE: str | None = "AwsEc2Instance"

_OTHER = "A finding of GuardDuty that tells of a threat, not of an open port"
_ACTION = "aws/guardduty/service/action/"
_PORT = re.compile(rf"{_ACTION}portProbeAction/portProbeDetails\.\d+_/localPortDetails/port")


def unwanted(received: asff.Received) -> str | None:
    """Tell port probes by their type or by what was done; one without a type of GuardDuty's is unreadable."""
    listed = fields.loose_list(received.finding.get("Types"))
    kinds = [kind for kind in listed if isinstance(kind, str) and ":" in kind]
    done = (asff.product_fields(received).get(f"{_ACTION}actionType"), _action(received).get("ActionType"))
    if "port_probe" in map(fields.folded, done) or any(map(is_probe, kinds)):
        return None
    if not kinds:
        raise UnreadableError(
            f"{received.path}Types", "names no type of GuardDuty's, like Recon:EC2-PortProbeUnprotectedPort"
        )
    return _OTHER


def ended(received: asff.Received) -> bool | None:  # noqa: ARG001  every product is asked
    """GuardDuty ends nothing but by archiving it."""
    return None


def findings(received: asff.Received, resource: dict[str, Any], path: str, now: str) -> Iterator[Finding]:
    """Give a finding for each port that was probed. Known scanners did it, so the internet reaches it."""
    server = asff.server(received, resource, path, RESOURCE)
    for port in _ports(received):
        exposure = Exposure(protocol="tcp", from_port=port, to_port=port, sources=(UNKNOWN,))
        yield asff.finding(received, server, (exposure,), now, reach="internet", notes=(TCP_ASSUMED,))


def _ports(received: asff.Received) -> list[int]:
    """Read the ports, in either form or both, without repeats; one that cannot be read spoils the finding."""
    product, path = asff.product_fields(received), f"{received.path}ProductFields."
    ports = []
    for name in product:
        if _PORT.fullmatch(name):
            ports.append(fields.port(product, name, path))
        elif fields.squeezed(name).rstrip("s").endswith("localportdetailsport"):
            raise UnreadableError(path + name, "is close to the name of a probed port, and is none")
    path = f"{received.path}Action.PortProbeAction."
    probes = fields.loose_object(_action(received).get("PortProbeAction")).get("PortProbeDetails")
    for index, probe in enumerate(fields.loose_list(probes)):
        at = f"{path}PortProbeDetails[{index}]."
        local = fields.mapping(fields.entry(probe, at), "LocalPortDetails", at)
        ports.append(fields.port(local, "Port", f"{at}LocalPortDetails."))
    if not ports:
        raise UnreadableError(f"{received.path}ProductFields", "names no port that was probed")
    return list(dict.fromkeys(ports))


def _action(received: asff.Received) -> dict[str, Any]:
    return fields.loose_object(received.finding.get("Action"))
