"""A stand-in for Lambda's Runtime API on loopback: hands out events and takes the answers.

Paths and headers: AWS Lambda developer guide, "Using the Lambda runtime API for custom runtimes", version 2018-06-01.
"""

import json
import queue
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, NamedTuple

PREFIX = "/2018-06-01/runtime"
ARN = "arn:aws:lambda:eu-west-1:111122223333:function:portcullis"


class Answer(NamedTuple):
    """What the function posted, and how many seconds after it was asked. `body` is the decoded JSON."""

    kind: Literal["response", "error", "init-error"]
    body: Any
    seconds: float


class _Event(NamedTuple):
    request: str
    body: bytes
    deadline: float


class RuntimeApi:
    """One function's API. `address` goes into its environment as AWS_LAMBDA_RUNTIME_API."""

    def __init__(self) -> None:
        self.first_next_at: float | None = None
        """When the function asked for its first event, by `time.perf_counter()`."""
        self.begun: queue.Queue[Answer | None] = queue.Queue()
        """Gets None at the first request for an event, or the init error."""
        self._events: queue.Queue[_Event | None] = queue.Queue()
        self._answers: queue.Queue[Answer] = queue.Queue()
        self._asked_at = time.perf_counter()
        api = self

        class Handler(_Handler):
            def do_GET(self) -> None:
                event = api._next(self.path)
                if event is None:
                    self.close_connection = True
                    return
                self.answer(200, event.body, event.request, event.deadline)

            def do_POST(self) -> None:
                api._posted(self.path, json.loads(self.body()))
                self.answer(202)

        self._server = _Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self.address = f"127.0.0.1:{self._server.server_port}"

    def invoke(self, event: Any, deadline: float = 30, timeout: float = 60) -> Answer:
        """Hand out an event that is to be answered within `deadline` seconds; wait `timeout` seconds at most."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        self._asked_at = time.perf_counter()
        self._events.put(_Event(str(uuid.uuid4()), body, time.time() + deadline))
        return self._answers.get(timeout=timeout)

    def close(self) -> None:
        """End the server, and the request for an event that is still open."""
        self._events.put(None)
        self._server.shutdown()
        self._server.server_close()

    def _next(self, path: str) -> _Event | None:
        if path != f"{PREFIX}/invocation/next":
            raise ValueError(path)
        if self.first_next_at is None:
            self.first_next_at = time.perf_counter()
            self.begun.put(None)
        return self._events.get()

    def _posted(self, path: str, body: Any) -> None:
        seconds = time.perf_counter() - self._asked_at
        if path == f"{PREFIX}/init/error":
            self.begun.put(Answer("init-error", body, seconds))
        elif path.endswith("/response"):
            self._answers.put(Answer("response", body, seconds))
        elif path.endswith("/error"):
            self._answers.put(Answer("error", body, seconds))
        else:
            raise ValueError(path)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Keep quiet about a function that was killed while it waited."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # one segment a reply: else the client's delayed acknowledgement adds 40 ms

    def log_message(self, *_: object) -> None:
        """Keep the test output quiet."""

    def answer(self, status: int, body: bytes = b"", request: str = "", deadline: float = 0) -> None:
        """Reply, with the headers of an invocation when there is one."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if request:
            self.send_header("Content-Type", "application/json")
            self.send_header("Lambda-Runtime-Aws-Request-Id", request)
            self.send_header("Lambda-Runtime-Deadline-Ms", str(int(deadline * 1000)))
            self.send_header("Lambda-Runtime-Invoked-Function-Arn", ARN)
            self.send_header("Lambda-Runtime-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def body(self) -> bytes:
        """Read what was posted, whole or in chunks."""
        if length := self.headers.get("Content-Length"):
            return self.rfile.read(int(length))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)
