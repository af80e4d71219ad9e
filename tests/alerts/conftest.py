"""What the tests of alerts share: the gate with the shipped policies, and an EC2 without a cloud."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from handler.opa import Opa
from handler.process import Process
from handler.settings import ROOT
from tests.alerts import REGION
from tests.alerts.shell import Group


@pytest.fixture(scope="package")
def gate(opa_path: str) -> Iterator[Opa]:
    """Give the gate with the shipped policies."""
    with Opa(Process(str(ROOT / "policies"), opa_path)) as gate:
        gate.ready()
        yield gate


@pytest.fixture(scope="module")
def ec2() -> Iterator[Any]:
    """Give an EC2 without a cloud."""
    with pytest.MonkeyPatch.context() as environment, mock_aws():
        environment.setenv("AWS_ACCESS_KEY_ID", "test")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
        yield boto3.client("ec2", region_name=REGION)


@pytest.fixture
def group(ec2: Any) -> Group:
    """Give a group without rules."""
    return Group(ec2)
