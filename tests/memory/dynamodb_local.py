"""DynamoDB Local, the server that AWS publishes for tests: fetched by Maven, held to checksums, started with Java.

It keeps everything in memory, and deletes what has expired within seconds. It has no option for the address that it
listens on, so that is every one; clients use 127.0.0.1.
"""

import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

import boto3
from botocore.config import Config
from msgspec import Struct
from mypy_boto3_dynamodb import DynamoDBClient

from handler.process import dying_with_its_parent
from tests.maven import DYNAMODB_LOCAL

START_SECONDS = 120


class DynamoDBLocalError(Exception):
    """DynamoDB Local does not run."""


class Address(Struct, frozen=True):
    """Where a DynamoDB Local listens, and its log."""

    port: int
    log: str

    def check(self) -> None:
        """Do nothing where it accepts connections; raise `DynamoDBLocalError` with its log where it does not."""
        try:
            socket.create_connection(("127.0.0.1", self.port)).close()
        except ConnectionRefusedError as error:
            message = f"DynamoDB Local does not run: {Path(self.log).read_text()}"
            raise DynamoDBLocalError(message) from error

    def client(self) -> DynamoDBClient:
        """Return a client that sends each request once, so that tests can count them."""
        session = boto3.Session(region_name="eu-west-1", aws_access_key_id="test", aws_secret_access_key="test")  # noqa: S106  it takes any
        config = Config(retries={"total_max_attempts": 1})
        return session.client("dynamodb", endpoint_url=f"http://127.0.0.1:{self.port}", config=config)


class Server:
    """A DynamoDB Local that has been started. A context manager, which begins when it accepts connections.

    `folder` is for its log and temporary files. On Linux it dies with the thread that started it. To begin raises
    `DynamoDBLocalError` with its log when it does not start.
    """

    def __init__(self, folder: Path, jars: Path = DYNAMODB_LOCAL.folder) -> None:
        self._log = folder / "dynamodb-local.log"
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.address = Address(probe.getsockname()[1], str(self._log))
        half_the_cpu = "-XX:TieredStopAtLevel=1"  # to start and to answer thousands of requests
        java = ["java", half_the_cpu, f"-Djava.io.tmpdir={folder}", "-cp", f"{jars}/*"]
        options = ["-inMemory", "-disableTelemetry", "-port", str(self.address.port)]
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [*java, "software.amazon.dynamodb.services.local.main.ServerRunner", *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=dying_with_its_parent(),  # noqa: PLW1509  a thread of the parent can hold no lock of prctl
            )

    def __enter__(self) -> Self:
        try:
            self._wait_for_port()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _wait_for_port(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", self.address.port)):
                return
            with suppress(subprocess.TimeoutExpired):
                status = self._process.wait(0.05)
                message = f"DynamoDB Local ended with status {status}: {self._log.read_text()}"
                raise DynamoDBLocalError(message)
        message = f"DynamoDB Local did not start within {START_SECONDS} seconds: {self._log.read_text()}"
        raise DynamoDBLocalError(message)

    def stop(self) -> None:
        """End it, whatever state it is in."""
        self._process.kill()
        self._process.wait()
