"""Floods the function as Lambda would run it, and prints how fast it was, what it took, and that nothing is missing.

The function has the documented memory and the share of a processor that goes with it, where a control group may be
made. AWS is a topic on 127.0.0.1 that counts what it is given. `--events` is how many events the queue holds.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Self
from urllib.parse import parse_qs

from rich.console import Console

from bench import generate
from handler.cli import executable
from load import shapes
from load.limits import Limits

MEGABYTES, SECONDS = 512, 30
SHARE = MEGABYTES / 1769
"""Lambda gives one processor at 1,769 MB, and less in proportion."""

BATCH = 10
ALLOWANCES = 100
DENIED = 0.02
ROUNDS = 10
"""The most deliveries of a batch that is given back."""


class Topic:
    """An SNS that takes everything and counts the findings and reports in it. A context manager."""

    def __init__(self) -> None:
        self.messages = self.told = 0
        topic = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                data = json.loads(json.loads(form["Message"][0])["default"])
                topic.messages += 1
                topic.told += sum(len(data[kind]) + data["left_out"][kind] for kind in ("findings", "reports"))
                body = b"<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>"
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Keep the terminal for the figures."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class Function:
    """The function in its own process, within limits."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._read()

    def invoke(self, event: Any) -> dict[str, Any]:
        """Invoke it, and return what became of it."""
        assert self._process.stdin  # noqa: S101  it is a pipe
        print(json.dumps({"event": event, "seconds": SECONDS}), file=self._process.stdin, flush=True)
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout  # noqa: S101  it is a pipe
        line = self._process.stdout.readline()
        if not line:
            sys.exit(f"The function ended with status {self._process.wait()}.")
        told: dict[str, Any] = json.loads(line)
        return told


@contextmanager
def function(policies: Path, topic: Topic, limits: Limits) -> Iterator[Function]:
    """Start the function, and end it."""
    environment = {
        "ALERT_TOPIC_ARN": f"arn:aws:sns:eu-west-1:{generate.ACCOUNT}:alerts",
        "AWS_ACCESS_KEY_ID": "load",
        "AWS_SECRET_ACCESS_KEY": "load",
        "AWS_ENDPOINT_URL": topic.url,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(MEGABYTES),
        "OPA_PATH": shutil.which(executable()) or executable(),
        "POLICIES_PATH": str(policies),
        "PYTHONPATH": str(generate.POLICIES.parent),
    }
    with subprocess.Popen(
        [sys.executable, "-m", "load.function"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        preexec_fn=limits.enter,  # noqa: PLW1509  nothing runs beside it yet
    ) as process:
        try:
            yield Function(process)
        finally:
            if process.stdin:
                process.stdin.close()
            process.wait(60)


def main() -> None:
    """Run the floods."""
    parser = argparse.ArgumentParser(prog="make load", description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    given = parser.parse_args()
    console = Console(width=120)
    random = Random(generate.SEED)  # noqa: S311  the same numbers in every run
    allowances = [one for one in generate.allowances(2 * ALLOWANCES, random) if "anywhere" in one["sources"]]
    with TemporaryDirectory() as folder:
        policies = Path(folder) / "policies"
        generate.write(policies, allowances, "rules")
        for name, event, findings in shapes.largest():
            with Topic() as topic, Limits(MEGABYTES, SHARE) as limits, function(policies, topic, limits) as running:
                _redeliver(console, name, event, findings, running, topic)
                console.print(f"  peak {limits.peak()}; {limits.problem or _within()}")
        with Topic() as topic, Limits(MEGABYTES, SHARE) as limits, function(policies, topic, limits) as running:
            _queue(console, given.events, allowances, random, running, topic)
            console.print(f"  peak {limits.peak()}; {limits.problem or _within()}")


def _within() -> str:
    return f"within {MEGABYTES} MB and {SHARE:.2f} of a processor, {os.cpu_count()} in all"


def _redeliver(  # noqa: PLR0913, PLR0917  what is delivered, how much is in it, and where to
    console: Console, name: str, event: dict[str, Any], findings: int, running: Function, topic: Topic
) -> None:
    """Deliver one large batch until nothing of it is given back, as a queue does."""
    sum_ = _Sum()
    records = event["Records"]
    for delivery in range(1, ROUNDS + 1):
        told = running.invoke({"Records": records})
        sum_.add(told)
        failed = {failure["itemIdentifier"] for failure in told["answer"]["batchItemFailures"]}
        console.print(
            f"{name}, delivery {delivery}: {len(records)} records in {told['seconds']:.1f} s, "
            f"{len(failed)} given back; Python {told['python']} MB, OPA {told['opa']} MB"
        )
        records = [record for record in records if record["messageId"] in failed]
        if not records:
            break
    console.print(f"  {findings} findings in {sum_.spelled(findings, len(records), topic)}")


def _queue(  # noqa: PLR0913, PLR0917  how many events of what, where to
    console: Console, number: int, allowances: list[Any], random: Random, running: Function, topic: Topic
) -> None:
    """Deliver events in batches, each once."""
    sum_, seconds, states = _Sum(), list[float](), list[dict[str, Any]]()
    given_back = delivered = 0
    while delivered < number:
        events = generate.events(min(BATCH, number - delivered), allowances, DENIED, random)
        told = running.invoke(shapes.batch([_numbered(event.event, delivered) for event in events], delivered))
        sum_.add(told)
        delivered += len(events)
        seconds.append(told["seconds"])
        given_back += len(told["answer"]["batchItemFailures"])
        if len(seconds) % max(1, number // BATCH // 10) == 0:
            states.append(told)
    cuts = statistics.quantiles(seconds, n=100) if len(seconds) > 1 else seconds * 99
    console.print(
        f"{number} events in batches of {BATCH}: {number / sum(seconds):.0f} events a second; "
        f"a batch p50 {1000 * cuts[49]:.0f} ms, p99 {1000 * cuts[98]:.0f} ms"
    )
    for what in ("python", "opa", "files", "children"):
        console.print(f"  {what:<9}{' '.join(str(state[what]) for state in states)}  (after each tenth)")
    console.print(f"  {number} events in {sum_.spelled(number, given_back, topic)}")


def _numbered(event: dict[str, Any], first: int) -> dict[str, Any]:
    """Return a generated event with a server that no other batch has."""
    [resource] = event["detail"]["resources"]
    resource["id"] = f"i-{first + int(resource['id'].removeprefix('i-'), 16):017x}"
    return event


class _Sum:
    """The ids of all findings that were alerted or allowed."""

    def __init__(self) -> None:
        self.alerted: list[str] = []
        self.allowed: set[str] = set()

    def add(self, told: dict[str, Any]) -> None:
        """Add what one invocation logged."""
        self.alerted += told.get("alerted", [])
        self.allowed |= set(told.get("allowed", []))

    def spelled(self, number: int, given_back: int, topic: Topic) -> str:
        """Say what became of so many findings; end the program where one is missing, or not on the topic."""
        alerted = set(self.alerted)
        if len(alerted | self.allowed) + given_back != number or topic.told != len(self.alerted):
            sys.exit(
                f"{number} findings, {len(alerted)} alerted, {len(self.allowed)} allowed, {topic.told} on the topic"
            )
        again = len(self.alerted) - len(alerted)
        return (
            f"= alerted {len(alerted)} (in {topic.messages} messages, {again} of them twice) "
            f"+ silent {len(self.allowed)} + given back {given_back}"
        )


if __name__ == "__main__":
    main()
