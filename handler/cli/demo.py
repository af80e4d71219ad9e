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
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import msgspec

from handler.cli import executable, guarded, table, verdicts
from handler.cli.summary import Line, Summary
from handler.outcome import Told

_EVENTS = Path(__file__).resolve().parent / "demo_events"
_ANSWERS = Path(__file__).resolve().parent / "demo_aws"

_ALLOWED = 3
"""Allowed rows that are shown where not everything is: with all that is denied the table then is one screen."""

_NEXT = """
What to do next:
  make demo ALL=1                            see every verdict and read every mail
  .venv/bin/portcullis decide FILE           judge your own: aws inspector2 list-findings > FILE
  .venv/bin/portcullis init FOLDER           begin a folder of policies of your own"""

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


def main() -> int:
    """Print the verdicts, the worst mail as its reader gets it and the subjects of the others, or every mail."""
    start = time.monotonic()
    with recorded_aws() as (environment, mails):
        for name in [name for name in os.environ if name.startswith(("AWS_", "ALERT_", "LOOK_UP_", "POLICIES_"))]:
            del os.environ[name]
        topic = "arn:aws:sns:eu-west-1:111122223333:portcullis-alerts"
        os.environ |= {**environment, "ALERT_TOPIC_ARN": topic, "OPA_PATH": executable()}
        with contextlib.redirect_stdout(io.StringIO()) as log:
            lines = list(_judged())
    summary = Summary()
    for line in lines:
        summary.add(line)
    everything = "--all" in sys.argv
    _print_table(lines, summary, everything=everything)
    _print_mails(sorted(mails), whole=len(mails) if everything else 1)
    print(_NEXT)
    ready = json.loads(log.getvalue().splitlines()[0])
    milliseconds = round(1000 * (time.monotonic() - start))
    print(f"Policy {ready['policy']}, OPA {ready['opa']}, {milliseconds:,} ms", file=sys.stderr)
    return 0


def _judged() -> Iterator[Line]:
    """Call the function once an event, as Lambda would, at the time of the newest one."""
    from handler import app, lookup, settings  # noqa: PLC0415  importing it is the cold start

    events = {path: json.loads(path.read_text()) for path in sorted(_EVENTS.glob("*.json"))}
    at = datetime.fromisoformat(max(event["time"] for event in events.values() if "time" in event))
    look_up = lookup.prepare(settings.read_look_ups(), lambda: at)
    with app.GATE:  # which Lambda never ends, so that its socket would stay in the folder for temporary files
        for path, event in events.items():
            context: Any = SimpleNamespace(aws_request_id=path.stem, get_remaining_time_in_millis=lambda: 30_000)
            for outcome in app.answer(event, context, at, look_up)["outcomes"]:
                told = {key: value for key, value in outcome.items() if key != "records"}
                yield Line(file=path.name, record="1", told=msgspec.convert(told, Told))


def _print_table(lines: list[Line], summary: Summary, *, everything: bool) -> None:
    """Print the verdicts, the worst first; of what is allowed a few, unless everything is asked for, and the counts."""
    console = table.terminal()
    rows = sorted((row for line in lines for row in verdicts.rows(line)), key=verdicts.SORTS["severity"])
    shown = len(rows) if everything else sum(row.verdict != "allow" for row in rows) + _ALLOWED
    table.print_rows(rows[:shown], console)
    hidden = len(rows) - shown
    more = [f"... and {hidden} more lines of what is allowed: make demo ALL=1"] if hidden > 0 else []
    table.print_paragraphs([*more, *summary.counts()], console)


def _print_mails(mails: list[Mail], whole: int) -> None:
    """Print so many mails in full, and of the others the subjects."""
    for number, (subject, text) in enumerate(mails[:whole], start=1):
        print(f"\n{f' Mail {number} of {len(mails)} ':─^70}\nSubject: {subject}\n\n{text}")
    if mails[whole:]:
        print(f"\n{' The other mails ':─^70}", *(subject for subject, _ in mails[whole:]), sep="\n")


if __name__ == "__main__":
    sys.exit(guarded(main))
