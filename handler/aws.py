"""The boto3 clients: one a service and region, impatient, since Lambda's time is bounded and a record is told again."""

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

_CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
"""Seconds; three attempts in all."""


@cache
def client(service: str, region: str) -> Any:
    """Give the client of a service in a region."""
    make: Any = boto3.client  # its type names every service
    return make(service, region_name=region, config=_CONFIG)
