"""`make demo`: bundled events go through the very function that Lambda calls; SNS is this terminal.

boto3's SNS client is real and publishes to a server on 127.0.0.1 (its setting AWS_ENDPOINT_URL_SNS), which keeps what
it receives. No account, no credentials, nothing outside.
"""

import contextlib
import io
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import msgspec

from handler.cli import executable, table
from handler.outcome import Engine, Told

_EVENTS = Path(__file__).resolve().parent / "demo_events"
_ANSWER = b"""<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>demo</MessageId>
</PublishResult><ResponseMetadata><RequestId>demo</RequestId></ResponseMetadata></PublishResponse>"""


class _Topic(BaseHTTPRequestHandler):
    """Takes SNS's Publish (a form: Amazon SNS API reference) and keeps the subject and the text of the mail."""

    mails: list[tuple[str, str]]

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.mails.append((form["Subject"][0], json.loads(form["Message"][0])["email"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(_ANSWER)

    def log_message(self, *_: object) -> None:
        """Keep the terminal for the mails."""


def main() -> None:
    """Print the table of decisions, then every mail as its reader gets it, then one of the log's lines."""
    mails: list[tuple[str, str]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Topic", (_Topic,), {"mails": mails}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.environ |= _environment(server.server_port)
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
    server.shutdown()


def _environment(port: int) -> dict[str, str]:
    return {
        "ALERT_TOPIC_ARN": "arn:aws:sns:eu-west-1:111122223333:portcullis-alerts",
        "OPA_PATH": executable(),
        "AWS_ENDPOINT_URL_SNS": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "demo",
        "AWS_SECRET_ACCESS_KEY": "demo",
    }


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
