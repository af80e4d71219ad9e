"""`make demo`: bundled events go through the very function that Lambda calls; AWS and its mails are in this terminal.

boto3 is real and asks a server on 127.0.0.1, which answers with what AWS would say of the events' servers
(`demo_aws/`, a file an action in the service's own wire format) and keeps what SNS is given. No account, no
credentials, nothing outside.
"""

import contextlib
import io
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import msgspec

from handler.cli import executable, table
from handler.outcome import Engine, Told

_EVENTS = Path(__file__).resolve().parent / "demo_events"
_ANSWERS = Path(__file__).resolve().parent / "demo_aws"

Mail = tuple[str, str]
"""Subject and text."""


class _Aws(BaseHTTPRequestHandler):
    """Answers a request with what is recorded for its action, and keeps what is published.

    EC2, ELB, STS and SNS take a form that names its action, ECS takes JSON and has it in a header. Of several answers
    to an action the one is given whose name has a word of the request: `ListTasks.c1c1.json`.
    """

    mails: list[Mail]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = parse_qs(body)
        action = form["Action"][0] if "Action" in form else self.headers["X-Amz-Target"].rpartition(".")[2]
        if action == "Publish":
            self.mails.append((form["Subject"][0], json.loads(form["Message"][0])["email"]))
        told = [path for path in _ANSWERS.glob(f"{action}.*") if all(word in body for word in path.stem.split(".")[1:])]
        self.send_response(200 if told else 400)
        self.end_headers()
        self.wfile.write(max(told, key=lambda path: len(path.name)).read_bytes() if told else b"")

    def log_message(self, *_: object) -> None:
        """Keep the terminal for the mails."""


@contextlib.contextmanager
def recorded_aws() -> Iterator[tuple[dict[str, str], list[Mail]]]:
    """Serve the recorded AWS. Give the environment in which boto3 asks it and the look-ups are on, and SNS's mails."""
    mails: list[Mail] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Aws", (_Aws,), {"mails": mails}))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    environment = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
        "AWS_ACCESS_KEY_ID": "demo",
        "AWS_SECRET_ACCESS_KEY": "demo",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        "LOOK_UP_SOURCES": "true",
        "LOOK_UP_TAGS": "missing",
        "LOOK_UP_GROUPS": "true",
        "LOOK_UP_CONTAINERS": "true",
        "LOOK_UP_ROLE_NAME": "portcullis-reader",
    }
    yield environment, mails
    server.shutdown()
    server.server_close()


def main() -> None:
    """Print the table of decisions, then every mail as its reader gets it, then one of the log's lines."""
    with recorded_aws() as (environment, mails):
        for name in [name for name in os.environ if name.startswith(("AWS_", "ALERT_", "LOOK_UP_", "POLICIES_"))]:
            del os.environ[name]
        topic = "arn:aws:sns:eu-west-1:111122223333:portcullis-alerts"
        os.environ |= {**environment, "ALERT_TOPIC_ARN": topic, "OPA_PATH": executable()}
        start = time.monotonic()
        with contextlib.redirect_stdout(io.StringIO()) as log:
            lines = _invoke()
        milliseconds = round(1000 * (time.monotonic() - start))
    ready = json.loads(log.getvalue().splitlines()[0])
    table.show(lines, Engine(policy=ready["policy"], opa=ready["opa"]), milliseconds)
    for number, (subject, text) in enumerate(mails, start=1):
        print(f"\n{f' Mail {number} of {len(mails)} ':─^100}\nSubject: {subject}\n\n{text}")
    denied = next(line for line in log.getvalue().splitlines() if '"action":"deny"' in line)
    print(f"\n{' And in the log, for each finding, a line like this ':─^100}\n{denied}", file=sys.stdout)


def _invoke() -> list[table.Line]:
    """Call the function once an event, as Lambda would."""
    from handler.app import lambda_handler  # noqa: PLC0415  importing it is the cold start

    lines = []
    for path in sorted(_EVENTS.glob("*.json")):
        context: Any = SimpleNamespace(aws_request_id=path.stem, get_remaining_time_in_millis=lambda: 30_000)
        answer = lambda_handler(json.loads(path.read_text()), context)
        for outcome in answer["outcomes"]:
            told = {key: value for key, value in outcome.items() if key != "records"}
            lines.append(table.Line(file=path.name, record="1", told=msgspec.convert(told, Told)))
    return lines


if __name__ == "__main__":
    main()
