"""AWS Config's managed rules about the open ports of a security group, by the names that AWS gives them.

Neither the managed rule behind a name nor its parameters are told, and only one name says which port it is about.
"""

import re
from typing import Any

from handler.reporters import _fields as fields
from handler.reporters._controls import EVERYWHERE, Control

_PORT_RULES = (
    "restrictedssh",
    "incomingsshdisabled",
    "vpcsgopenonlytoauthorizedports",
    "restrictedcommonports",
    "restrictedincomingtraffic",
    "vpcsgportrestrictioncheck",
)
_OTHER = "A rule about security groups that is not about an open port"
OTHER_RESOURCE = "A rule about another kind of resource, not about a security group"

NOT_WHENCE = "The rule does not say whether ssh is open to 0.0.0.0/0 or to ::/0: both are judged"


def _named(*rules: str) -> re.Pattern[str]:
    """Match managed rules under the names that AWS gives them, and no name that might say more."""
    return re.compile(
        rf"(?:awscontroltower_aws-gr_|securityhub-)?(?:{'|'.join(rules)})"
        r"(?:-conformance-pack-[0-9a-z]+|-[0-9a-f]{6,8}|-(?=[a-z]*[0-9])[0-9a-z]{12,13})?",
        re.ASCII | re.IGNORECASE,
    )


_SSH_RULE = _named(r"restricted[-_]ssh", r"incoming[-_]?ssh[-_]?disabled")
_OTHER_RULES = _named(
    r"vpc[-_]?default[-_]?security[-_]?group[-_]?closed",
    r"ec2[-_]?security[-_]?group[-_]?attached[-_]?to[-_]?eni(?:[-_]?periodic)?",
    r"required[-_]?tags",
)


def other(holder: dict[str, Any], key: str, path: str) -> str | None:
    """Give the reason why a named rule about security groups is none about open ports.

    Raises `UnreadableError` for an unknown rule: of one nobody can say.
    """
    rule = fields.text(holder, key, path)
    if any(word in fields.squeezed(rule) for word in _PORT_RULES):
        return None
    if _OTHER_RULES.fullmatch(rule):
        return _OTHER
    raise fields.refusal(holder, key, path, "a rule on any list: whether it is about ports is not known")


def control(rule: str) -> Control:
    """Say what a rule about open ports looks for."""
    return Control((("tcp", 22, 22),) if _SSH_RULE.fullmatch(rule) else (), EVERYWHERE)
