"""The AWS that the tests of the look-ups ask."""

from collections.abc import Iterator
from typing import Any
from urllib.request import urlopen

import boto3
import botocore.session
import pytest
from moto.server import ThreadedMotoServer

from tests.lookup.cloud import Cloud
from tests.lookup.endpoint import Endpoint


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """Start moto's server once."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give the operations of all requests that boto3 sends in this test, retries and pages too."""
    sent: list[str] = []
    session = botocore.session.get_session()

    def keep(**event: Any) -> None:
        sent.append(event["event_name"].rpartition(".")[2])

    session.register("before-send", keep)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", boto3.Session(botocore_session=session))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    return sent


@pytest.fixture
def cloud(moto_url: str, requests: list[str], monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """Give an empty account that is the function's own."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_url)
    urlopen(f"{moto_url}/moto-api/reset", data=b"").close()  # noqa: S310  moto's own
    made = Cloud(moto_url)
    for name, value in made.keys.items():
        monkeypatch.setenv(name.upper(), value)
    requests.clear()
    return made


@pytest.fixture
def endpoint(requests: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    """Give an AWS that answers what the test tells it to."""
    requests.clear()
    with Endpoint() as made:
        monkeypatch.setenv("AWS_ENDPOINT_URL", made.url)
        yield made
