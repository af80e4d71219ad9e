"""AWS Config's findings in Security Hub: a rule that objects to a resource, named in the product fields.

Shape: Security Hub user guide, "AWS service integrations", "AWS Config". Rules that other services made, those of the
controls too, are not sent.
"""

import re
from collections.abc import Iterator
from typing import Any

from handler.errors import UnreadableError
from handler.finding import Finding
from handler.reporters import _asff as asff
from handler.reporters import _asff_controls as asff_controls
from handler.reporters import _config_rules as rules
from handler.reporters import _fields as fields

_RULE = "aws/config/ConfigRuleName"

_KIND = re.compile(r"Aws[A-Z][0-9A-Za-z]+|CodeRepository|Container|Other")
_UNKNOWN_RULE = "A rule that is on no list, and that does not object to the group"

RESOURCE = asff_controls.RESOURCE
ended = asff_controls.ended


def unwanted(received: asff.Received) -> str | None:
    """Tell rules about open ports from all others; of an unknown rule that passed nobody has to."""
    listed = fields.filled_list(received.finding, "Resources", received.path)
    if all(map(_is_other, listed)):
        return rules.OTHER_RESOURCE
    try:
        return rules.other(asff.product_fields(received), _RULE, f"{received.path}ProductFields.")
    except UnreadableError:
        if ended(received) is None:
            raise
        return _UNKNOWN_RULE


def findings(received: asff.Received, resource: dict[str, Any], path: str, now: str) -> Iterator[Finding]:
    """Give a finding for each port range that the group opens: by its rules, else by the name of Config's rule."""
    rule = fields.text(asff.product_fields(received), _RULE, f"{received.path}ProductFields.")
    control = rules.control(rule)
    note = rules.NOT_WHENCE if control.ports else f"{rule[:100]} does not say which port is open"
    yield from asff_controls.of_group(received, resource, path, now, control=control, assumption=note)


def _is_other(resource: Any) -> bool:
    """Say whether a resource is known to be no security group."""
    about = fields.loose_object(resource)
    kind, name = fields.spoken(about.get("Type")) or "", fields.spoken(about.get("Id")) or ""
    return (
        fields.folded(kind) != fields.folded(asff_controls.GROUP)
        and bool(_KIND.fullmatch(kind))
        and ":" in name
        and "/sg-" not in name
    )
