"""The AWS that the tests of the look-ups ask."""

from collections.abc import Iterator
from typing import Any

import boto3
import botocore.session
import pytest
from moto import mock_aws

from tests.lookup.cloud import Cloud
from tests.lookup.endpoint import Endpoint


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give the operations of all requests that boto3 sends in this test, retries and pages too."""
    sent: list[str] = []
    session = botocore.session.get_session()

    def keep(**event: Any) -> None:
        sent.append(event["event_name"].rpartition(".")[2])

    session.get_component("event_emitter").register_first("before-send", keep)  # before moto, which answers there
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", boto3.Session(botocore_session=session))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    return sent


@pytest.fixture
def cloud(requests: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """Give an empty account that is the function's own, in moto within this process."""
    session = boto3.DEFAULT_SESSION
    with mock_aws():
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)  # moto has put a new one in its place
        made = Cloud()
        for name, value in made.keys.items():
            monkeypatch.setenv(name.upper(), value)
        requests.clear()
        yield made


@pytest.fixture
def endpoint(requests: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    """Give an AWS that answers what the test tells it to."""
    requests.clear()
    with Endpoint() as made:
        monkeypatch.setenv("AWS_ENDPOINT_URL", made.url)
        yield made
