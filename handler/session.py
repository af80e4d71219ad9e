"""The HTTP session beneath opa-python-client: to the socket of one process and to no other, in UTF-8, with no proxy."""

import socket
import struct
import sys
from importlib import import_module
from types import ModuleType
from typing import Any

import msgspec
import requests
from msgspec import UNSET, Struct, UnsetType
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

from handler.decision import Decision
from handler.errors import OpaRefusedError
from handler.finding import Batch, to_json
from handler.process import BODY_BYTES, socket_name

_UNUSED = ModuleType("opa_client.opa_async")
vars(_UNUSED)["AsyncOpaClient"] = None
sys.modules.setdefault(_UNUSED.__name__, _UNUSED)
"""In the place of the asynchronous client, which nobody uses: it imports aiohttp, which takes 0.2 s of every start."""

OpaClient: Any = import_module("opa_client.opa").OpaClient
"""The client of opa-python-client."""


class Answer(Struct, frozen=True):
    """What OPA answers to a query: no result where the rule is undefined; the provenance where it was asked for."""

    result: tuple[Decision, ...] | UnsetType = UNSET
    provenance: dict[str, Any] = {}


class Session:
    """What opa-python-client needs of a `requests.Session`. `address` is a path, or a name with `@` before it (Linux).

    Nothing is sent to a process that is not `pid`, where the system says who listens: on Linux.
    """

    def __init__(self, address: str, pid: int, headers: dict[str, str]) -> None:
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update(headers)
        self._session.mount("http://", _Adapter(address, pid))

    def get(self, url: str, timeout: Any) -> requests.Response:
        """Send a GET."""
        return self._session.get(url, timeout=timeout)

    def post(self, url: str, json: dict[str, Batch], timeout: Any) -> "_Response":
        """Send a batch. Raises `OpaRefusedError` for one that OPA would not read."""
        body = to_json(json)
        if len(body) > BODY_BYTES:
            msg = f"it takes {len(body)} bytes, and OPA reads no more than {BODY_BYTES}"
            raise OpaRefusedError(msg)
        headers = {"Content-Type": "application/json"}
        return _Response(self._session.post(url, data=body, headers=headers, timeout=timeout))

    def close(self) -> None:
        """Close the connection."""
        self._session.close()


class _Response(Struct, frozen=True):
    """A response whose JSON is decoded straight into decisions; what is none raises `msgspec.DecodeError`."""

    response: requests.Response

    def raise_for_status(self) -> None:
        self.response.raise_for_status()

    def json(self) -> Answer:
        return msgspec.json.decode(self.response.content, type=Answer)


class _Connection(HTTPConnection):
    """A connection to a Unix socket."""

    def __init__(self, *arguments: Any, address: str, pid: int, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._address = socket_name(address)
        self._pid = pid

    def _new_conn(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(self.timeout)
            connection.connect(self._address)
            listener = _listener(connection)
            if listener not in {None, self._pid}:
                msg = f"process {listener} listens in the place of OPA, which is process {self._pid}"
                raise ConnectionRefusedError(msg)
        except OSError:
            connection.close()
            raise
        return connection


def _listener(connection: socket.socket) -> int | None:
    """Return the id of the process that listens; null where the system does not say."""
    if sys.platform != "linux":
        return None
    credentials = struct.Struct("3i")
    pid, _, _ = credentials.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, credentials.size))
    return int(pid)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _Adapter(HTTPAdapter):
    """Has every request go to the socket, whatever its URL."""

    def __init__(self, address: str, pid: int) -> None:
        super().__init__(max_retries=0)
        self._pool = _Pool("localhost", address=address, pid=pid)

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> _Pool:
        return self._pool

    def close(self) -> None:
        self._pool.close()
        super().close()


def sentences(text: str) -> str:
    """Give the sentences of OPA's error answer, `{"code", "message", "errors": [{"code", "message", "location"}]}`."""
    try:
        answer = msgspec.json.decode(text)
        return "; ".join(_sentence(error) for error in answer.get("errors") or [answer])
    except (msgspec.DecodeError, AttributeError, KeyError, TypeError):
        return text


def _sentence(error: dict[str, Any]) -> str:
    location = error.get("location")
    place = f"{location['file']}:{location['row']}: " if location else ""
    return f"{place}{error['code']}: {error['message']}"
