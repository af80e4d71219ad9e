"""An SNS that fails as a test says, and passes everything else on to moto's."""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self
from urllib.parse import urlsplit

import pytest

from handler import aws

Fault = Literal["throttle", "refuse", "hang", "lose the answer"]

_CODES: dict[str, tuple[int, str]] = {"throttle": (400, "Throttling"), "refuse": (403, "AuthorizationError")}


class Topic:
    """A context manager. Each request that comes takes one fault from `faults`; the last one stays."""

    def __init__(self, endpoint: str) -> None:
        self.faults: list[Fault | None] = [None]
        self.requests = 0
        self._over = threading.Event()
        topic, behind = self, urlsplit(endpoint).netloc

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                topic.requests += 1
                fault = topic.faults[0] if len(topic.faults) == 1 else topic.faults.pop(0)
                if fault == "hang":
                    topic._over.wait()
                elif fault in _CODES:
                    status, code = _CODES[fault]
                    error = f"<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
                    self._answer(status, error.encode())
                else:
                    status, answer = _passed_on(behind, body, dict(self.headers))
                    if fault is None:
                        self._answer(status, answer)
                self.close_connection = True

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Keep the tests' output clean."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,)).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    def client(self) -> Any:
        """Give the function's own client of SNS, for this topic."""
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("AWS_ENDPOINT_URL_SNS", f"http://127.0.0.1:{self._server.server_port}")
            return aws.client.__wrapped__("sns", "eu-west-1")


def _passed_on(netloc: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(netloc, timeout=10)
    try:
        connection.request("POST", "/", body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
