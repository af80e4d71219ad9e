"""AWS's own products that send findings to Security Hub and none of which is about an open port.

Ids: Security Hub user guide, "AWS service integrations", and the product ARNs in findings of the new Hub.
"""

_OTHERS = {
    "aws/access-analyzer",
    "aws/device-defender",
    "aws/firewall-manager",
    "aws/health",
    "aws/iot-device-defender",
    "aws/macie",
    "aws/route-53-resolver-dns-firewall",
    "aws/securityhub-coverage",
    "aws/securityhub-risk",
    "aws/ssm-patch-manager",
    "aws/systems-manager-opscenter-and-explorer",
    "aws/systems-manager-patch-manager",
}


def is_known_other(product: str) -> bool:
    """Say whether a product (`aws/macie`, in lower case) is known to tell of no open port."""
    return product in _OTHERS
