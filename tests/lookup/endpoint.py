"""An AWS on 127.0.0.1 that answers what a test tells it to: pages, faults, or nothing at all.

Answers are written as boto3 gives them and travel in the services' own wire formats.
"""

import json
import threading
from collections.abc import Callable, Mapping
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

import botocore.session
from botocore.model import ServiceModel
from msgspec import Struct

_SERVICES = ("ec2", "elbv2", "elb", "sts")  # those of ECS travel as JSON, which needs no model
_VERSIONS = {"2015-12-01": "elbv2", "2012-06-01": "elb", "2011-06-15": "sts", "2016-11-15": "ec2"}
_ERROR = "<Response><Errors><Error><Code>{0}</Code><Message>{1}</Message></Error></Errors></Response>"
_QUERY_ERROR = "<ErrorResponse><Error><Code>{0}</Code><Message>{1}</Message></Error></ErrorResponse>"


class Fault(Struct, frozen=True):
    """An error as AWS answers it."""

    code: str
    status: int = 400
    message: str = "as the test told"


Told = Mapping[str, Any] | Fault | bytes | None
Teller = Callable[[dict[str, Any]], Told]

DENIED = Fault("UnauthorizedOperation", 403)
THROTTLED = Fault("RequestLimitExceeded", 503)


class Endpoint:
    """The server. A context manager; `url` is for AWS_ENDPOINT_URL.

    `tells` has by action what to answer: a value as boto3 gives it, a fault, bytes as they are, null for a connection
    that is left hanging until the end of the test, or a function of the request's parameters that gives one of these.
    What it does not have is denied. `asked` are the requests so far, as their action and parameters.
    """

    def __init__(self) -> None:
        self.tells: dict[str, Told | Teller] = {"GetCallerIdentity": {"Account": "111122223333"}}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self._over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = False
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,)).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Answer no more; whoever connects is refused."""
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    def actions(self) -> list[str]:
        """Give the actions that were asked for, in their order."""
        return [action for action, _ in self.asked]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = _form(self.headers.get("X-Amz-Target"), sent)
                endpoint.asked.append((form["Action"], form))
                told = endpoint.tells.get(form["Action"], DENIED)
                if callable(told):
                    told = told(form)
                if told is None:
                    endpoint._over.wait()
                    self.close_connection = True
                    return
                status, body = endpoint._spell(form, told)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Keep the tests' output clean."""

        return Handler

    def _spell(self, form: dict[str, Any], told: Mapping[str, Any] | Fault | bytes) -> tuple[int, bytes]:
        if isinstance(told, bytes):
            return 200, told
        if "Version" not in form:
            if isinstance(told, Fault):
                return told.status, json.dumps({"__type": told.code, "message": told.message}).encode()
            return 200, json.dumps(told).encode()
        service = _VERSIONS[form["Version"]]
        if isinstance(told, Fault):
            error = _ERROR if service == "ec2" else _QUERY_ERROR
            return told.status, error.format(told.code, told.message).encode()
        shape: Any = _models()[service].operation_model(form["Action"]).output_shape
        wrapper = shape.serialization.get("resultWrapper", "")
        body = _xml(shape, told)
        return 200, f"<Response>{f'<{wrapper}>{body}</{wrapper}>' if wrapper else body}</Response>".encode()


@cache
def _models() -> dict[str, ServiceModel]:
    session = botocore.session.get_session()
    return {name: session.get_service_model(name) for name in _SERVICES}


def _form(target: str | None, body: str) -> dict[str, Any]:
    """Read the parameters of a request, its action among them: a form, or JSON with the action in a header (ECS)."""
    if target is None:
        return dict(parse_qsl(body))
    return {**json.loads(body), "Action": target.rpartition(".")[2]}


def _xml(shape: Any, told: Any) -> str:
    """Spell a value as the services' model has it."""
    if shape.type_name == "structure":
        members = shape.members
        return "".join(_element(members[name], _name(members[name], name), value) for name, value in told.items())
    if shape.type_name == "list":
        return "".join(_element(shape.member, _name(shape.member, "member"), value) for value in told)
    return escape(
        str(told).lower() if isinstance(told, bool) else told.isoformat() if hasattr(told, "isoformat") else str(told)
    )


def _element(shape: Any, name: str, told: Any) -> str:
    return f"<{name}>{_xml(shape, told)}</{name}>"


def _name(shape: Any, name: str) -> str:
    return str(shape.serialization.get("name", name))
