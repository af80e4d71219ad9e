"""Prowler's findings in Security Hub: a failed check, whose name is all that they say of the port.

Shape: prowler 4 and 5, `lib/outputs/asff/asff.py`. A `GeneratorId` is `prowler-` and the id of the check.
"""

from collections.abc import Iterator
from typing import Any

from handler.errors import UnreadableError
from handler.finding import Exposure, Finding
from handler.reporters import _asff as asff
from handler.reporters import _fields as fields
from handler.reporters._prowler_checks import NOT_WHICH, SOURCES, is_about_ports, is_check, is_checked, ports_of

RESOURCE: str | None = None

_OTHER = "Another check of Prowler, not about an open port of an instance or a security group"
_MUTED = "WARNING: muted in Prowler"
_PREFIX = "prowler-"


def unwanted(received: asff.Received) -> str | None:
    """Tell the checks about open ports from all others."""
    if not is_about_ports(_check(received)):
        return _OTHER
    return _MUTED if asff.compliance(received) == "WARNING" and not received.asked else None


def ended(received: asff.Received) -> bool | None:
    """Go by the verdict; `NOT_AVAILABLE` is Prowler's MANUAL."""
    passed = asff.ended(received)
    return passed and is_checked(received.finding.get("Description"))


def findings(received: asff.Received, resource: dict[str, Any], path: str, now: str) -> Iterator[Finding]:
    """Give the one finding of an instance or a group, with all ports that the check is about."""
    check, server = _check(received), asff.server(received, resource, path)
    ports = ports_of(check)
    if ports is None:
        problem = f"names {check[:100]}: some port is open, but Prowler does not say which"
        raise UnreadableError(f"{received.path}GeneratorId", problem)
    group = server.id if server.kind == "security_group" else None
    exposures = tuple(
        Exposure(protocol=protocol, from_port=low, to_port=high, sources=SOURCES, security_group=group)
        for protocol, low, high in ports
    )
    yield asff.finding(received, server, exposures, now, notes=(NOT_WHICH,))


def _check(received: asff.Received) -> str:
    """Read the id of the check."""
    generator = fields.text(received.finding, "GeneratorId", received.path)
    check = generator.removeprefix(_PREFIX)
    if check == generator or not is_check(check):
        raise fields.refusal(received.finding, "GeneratorId", received.path, f"a check of Prowler ({_PREFIX}...)")
    return check
