"""Security Hub's controls about the open ports of a security group, under their ids in every standard.

Ids: Security Hub user guide, "Security Hub controls for Amazon EC2" and "Impact of consolidation on ASFF fields and
values"; CIS 3.0.0 and 5.0.0 as the controls' related requirements. Ports: the AWS Config rule behind each
(`restricted-ssh`, `restricted-common-ports`, and `vpc-sg-port-restriction-check`, which looks at TCP and UDP). What
EC2.18 and EC2.19 find depends on parameters, so they do not say which port is open.
"""

import re
from typing import NamedTuple

from handler.reporters._opening import Ports

EVERYWHERE = ("0.0.0.0/0", "::/0")
_REMOTE: tuple[Ports, ...] = (("tcp", 22, 22), ("tcp", 3389, 3389), ("udp", 22, 22), ("udp", 3389, 3389))


class Control(NamedTuple):
    """What a control looks for: ports (none where it does not say), and the sources that it calls unrestricted."""

    ports: tuple[Ports, ...]
    sources: tuple[str, ...]


CONTROLS = {
    "EC2.13": Control((("tcp", 22, 22),), EVERYWHERE),
    "EC2.14": Control((("tcp", 3389, 3389),), EVERYWHERE),
    "EC2.18": Control((), EVERYWHERE),
    "EC2.19": Control((), EVERYWHERE),
    "EC2.53": Control(_REMOTE, ("0.0.0.0/0",)),
    "EC2.54": Control(_REMOTE, ("::/0",)),
}
"""A failed control says that at least one of its ports is open to at least one of its sources."""

OTHER = "A control that is not about an open port of a security group"

_ID = re.compile(r"[A-Za-z0-9.]+\.[0-9]+", re.ASCII)
_IN_STANDARDS = {  # in lower case
    "cis-aws-foundations-benchmark/v/1.2.0/rule/4.1": "EC2.13",
    "cis-aws-foundations-benchmark/v/1.2.0/rule/4.2": "EC2.14",
    "cis-aws-foundations-benchmark/v/3.0.0/5.2": "EC2.53",
    "cis-aws-foundations-benchmark/v/3.0.0/5.3": "EC2.54",
    "cis-aws-foundations-benchmark/v/5.0.0/5.3": "EC2.53",
    "cis-aws-foundations-benchmark/v/5.0.0/5.4": "EC2.54",
    "pci-dss/v/3.2.1/pci.ec2.5": "EC2.13",
}


def spelled(name: str) -> str:
    """Give the id of a control as the table has it, whatever its case and the blanks around it."""
    return next((known for known in CONTROLS if known.casefold() == name.strip().casefold()), name)


def is_control(name: str) -> bool:
    """Say whether a text is the id of a control (`EC2.13`) or of a standard's rule (`4.1`), about ports or not."""
    return _ID.fullmatch(name) is not None


def control_of(generator: str) -> str:
    """Give the id of the control behind a `GeneratorId`: `security-control/EC2.13`, or that of a standard's rule."""
    rule = generator.strip().casefold().rpartition("ruleset/")[2]
    return _IN_STANDARDS.get(rule, generator.strip().rpartition("/")[2])


def assumption(control: str) -> str:
    """Say what is judged in the place of what a control does not say."""
    if not CONTROLS[control].ports:
        return f"{control} does not say which port is open"
    ports = ", ".join(f"{protocol} {port}" for protocol, port, _ in CONTROLS[control].ports)
    sources = " and ".join(CONTROLS[control].sources)
    return f"{control} does not say exactly what is open: all that it looks for is judged ({ports} from {sources})"
