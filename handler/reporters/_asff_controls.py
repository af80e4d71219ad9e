"""Security Hub's own findings: the controls that found a port of a security group open."""

from collections.abc import Iterator
from typing import Any

from handler.finding import Exposure, Finding
from handler.reporters import _asff as asff
from handler.reporters import _controls as controls
from handler.reporters import _fields as fields
from handler.reporters import _opening as opening
from handler.reporters import _permissions as permissions
from handler.reporters._controls import Control
from handler.reporters._permissions import Rules

GROUP = "AwsEc2SecurityGroup"
RESOURCE: str | None = GROUP
_DETAILS = f"Details.{GROUP}."


def unwanted(received: asff.Received) -> str | None:
    """Tell the controls about open ports from all others."""
    return None if _control(received) in controls.CONTROLS else controls.OTHER


def ended(received: asff.Received) -> bool | None:
    """Go by the verdict. Of a WARNING Security Hub could not tell whether the control failed, so it is judged.

    Who asks about a group that passed is told what the policies say of its rules, if those are there.
    """
    passed = asff.ended(received)
    return None if passed is not None and received.asked and _has_rules(received) else passed


def _has_rules(received: asff.Received) -> bool:
    """Say whether the rules of a group are there, and open any port."""
    resources = map(fields.loose_object, fields.loose_list(received.finding.get("Resources")))
    return any(permissions.read(asff.details(resource), _DETAILS, "").opened for resource in resources)


def findings(received: asff.Received, resource: dict[str, Any], path: str, now: str) -> Iterator[Finding]:
    """Give a finding for each port range that the group opens."""
    name = _control(received)
    control, assumption = controls.CONTROLS[name], controls.assumption(name)
    yield from of_group(received, resource, path, now, control=control, assumption=assumption)


def of_group(  # noqa: PLR0913  what is told, where, and what it means
    received: asff.Received, resource: dict[str, Any], path: str, now: str, *, control: Control, assumption: str
) -> Iterator[Finding]:
    """Give a finding for each port range that a group opens: by its rules, else by the control's own meaning.

    All that the rules open is judged, whichever control it was that failed, so that all controls of a group tell the
    same. A control that names no port leaves it to the look-ups. `assumption` says what then is judged in its place.
    """
    group = asff.server(received, resource, path, GROUP)
    rules = permissions.read(asff.details(resource), path + _DETAILS, group.account)
    if _show(rules, control) or asff.ended(received) is not None:
        opened = rules.opened
        notes = tuple(f"It also opens protocol {protocol}, which has no ports to judge" for protocol in rules.others)
    else:
        opened, notes = dict.fromkeys(control.ports, control.sources), (assumption,)
    if not opened:
        yield opening.portless(group, asff.reporter(received), now, *notes)
    for (protocol, low, high), sources in opened.items():
        exposure = Exposure(protocol=protocol, from_port=low, to_port=high, sources=sources, security_group=group.id)
        yield asff.finding(received, group, (exposure,), now, notes=notes)


def _control(received: asff.Received) -> str:
    """Read the id of the control, under whichever standard it was checked."""
    compliance, path = fields.loose_object(received.finding.get("Compliance")), f"{received.path}Compliance."
    if compliance.get("SecurityControlId") is not None:
        holder, key, name = compliance, "SecurityControlId", fields.text(compliance, "SecurityControlId", path)
    else:
        generator = fields.text(received.finding, "GeneratorId", received.path)
        holder, key, path, name = received.finding, "GeneratorId", received.path, controls.control_of(generator)
    name = controls.spelled(name)
    if not controls.is_control(name):
        raise fields.refusal(holder, key, path, "the id of a control")
    return name


def _show(rules: Rules, control: Control) -> bool:
    """Say whether the rules have what a control found."""
    return any(
        not control.ports or any(protocol == wanted and low <= port <= high for wanted, port, _ in control.ports)
        for (protocol, low, high), sources in rules.opened.items()
        if not set(control.sources).isdisjoint(sources)
    )
