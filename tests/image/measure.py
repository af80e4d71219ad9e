"""`make image-bench`: the start, the warm invocations and the memory of the image. Prints, and asserts nothing."""

import json
import statistics
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import yaml

from bench import generate
from handler import reporters
from tests.image.conftest import EVENTS, NAME, build
from tests.image.function import Function, Image, memory, peak
from tests.image.layers import layers

FORMS = ("rules", "data.yaml", "data.json")
STARTS = 7
INVOCATIONS = 300
BATCH = 1000
ENVIRONMENT = {"ALERT_TOPIC_ARN": "arn:aws:sns:eu-west-1:111122223333:alerts"}
ALLOWED = json.loads((EVENTS / "01-web-443.json").read_text())

IMPORTS = """
import boto3
import opa_client.opa

boto3.client("sns", region_name="eu-west-1")


def handler(event, context):
    return None
"""
"""The start that ours is compared with: the bare imports, and a client of SNS."""

BARE = "the bare imports of boto3 with an SNS client and opa_client"

QUERY = """
import os
import time

from handler.opa import Opa
from handler.process import Process

gate = Opa(Process("/var/task/policies", os.environ["OPA_PATH"], int(os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"])))
gate.ready()
client = gate._connect()


def handler(event, context):
    start = time.perf_counter()
    client.query_rule(event, "gate.batch", "decisions")
    return 1000 * (time.perf_counter() - start)
"""
"""The invocation that ours is compared with: one query through opa-python-client, in milliseconds."""


def main() -> None:
    """Build the image and print what it costs."""
    built = build()
    if built.returncode:
        raise SystemExit(built.stderr)
    print("\nThe image by layer, MB as it is and compressed")
    for layer in layers(NAME):
        print(layer)
    with Image(NAME) as image:
        (image.root / "var" / "task" / "bare_imports.py").write_text(IMPORTS)
        (image.root / "var" / "task" / "bare_query.py").write_text(QUERY)
        starts(image)
        invocations(image)


def starts(image: Image) -> None:
    """Print the time from process start to the first request for an event, and the memory then.

    The cases take turns, so that what else the machine does falls on all of them.
    """
    cases = {BARE: {}, "the shipped policies": ENVIRONMENT}
    for form in FORMS:
        for count in (10, 1_000, 10_000):
            folder = policies(image, count, form)
            cases[f"{count} allowances as {form}"] = {**ENVIRONMENT, "POLICIES_PATH": f"/{folder}"}
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    megabytes: dict[str, dict[str, float]] = {}
    for _ in range(STARTS):
        for name, environment in cases.items():
            with Function(image, environment, "bare_imports.handler" if name == BARE else "") as function:
                seconds[name].append(function.start())
                megabytes[name] = {program: memory(pid) / 1e6 for program, pid in function.processes().items()}
    bare = statistics.median(seconds[BARE])
    print(f"\nProcess start to first `next`, ms (median of {STARTS}), times the bare imports, MB of Python and of OPA")
    for name in cases:
        middle, held = statistics.median(seconds[name]), megabytes[name]
        print(f"{1000 * middle:7.0f} {middle / bare:6.2f} {held['python3.13']:6.0f} {held.get('opa', 0):6.0f}   {name}")


def policies(image: Image, count: int, form: str) -> Path:
    """Put policies with so many allowances into the image's file system; return the folder inside it."""
    folder = Path("opt") / "bench" / f"{count}-{form}"
    allowances = generate.allowances(count, Random(generate.SEED))  # noqa: S311  a benchmark is to be repeatable
    generate.write(image.root / folder, allowances, "rules" if form == "rules" else "rows")
    table = image.root / folder / "servers" / "data.yaml"
    if form == "data.json":
        table.rename(table.with_suffix(".json"))
    elif form == "data.yaml":
        table.write_text(yaml.dump(json.loads(table.read_text()), Dumper=yaml.CSafeDumper))
    return folder


def invocations(image: Image) -> None:
    """Print what a warm invocation takes, and the memory at rest and under load."""
    [finding] = reporters.normalize(ALLOWED, "2026-11-24T06:12:00Z")
    with Function(image, ENVIRONMENT, "bare_query.handler") as function:
        function.start()
        query = {"findings": [msgspec.to_builtins(finding)]}
        told = [function.invoke(query) for _ in range(INVOCATIONS)]
        bare = statistics.median(answer.body for answer in told)
        bare_round = 1000 * statistics.median(answer.seconds for answer in told)
    with Function(image, ENVIRONMENT) as function:
        function.start()
        rest = tree(function)
        told = [function.invoke(ALLOWED) for _ in range(INVOCATIONS)]
        warm = statistics.median(line["ms"] for line in function.log() if line["event"] == "done")
        warm_round = 1000 * statistics.median(answer.seconds for answer in told)
        batch = {"Records": [record(number) for number in range(BATCH)]}
        loaded = [function.invoke(batch).seconds for _ in range(5)]
        after = tree(function)
        highest = sum(peak(pid) for pid in function.processes().values()) / 1e6
    print(f"\nWarm invocations, ms (median of {INVOCATIONS}): inside the function, and round the Runtime API")
    print(f"{bare:7.2f} {bare_round:7.2f}   one query through opa-python-client")
    print(f"{warm:7.2f} {warm_round:7.2f}   one Inspector event, judged")
    print(f"{warm / bare:7.2f} {warm_round / bare_round:7.2f}   times")
    print(f"\nMemory of the whole tree: {rest:.0f} MB at rest, {after:.0f} MB after 5 batches of {BATCH} SQS messages")
    print(f"({1000 * statistics.median(loaded):.0f} ms each), {highest:.0f} MB at the highest, of each process apart")


def record(number: int) -> dict[str, Any]:
    """Return an SQS message with an allowed event of a server of its own."""
    body = json.dumps(ALLOWED).replace(ALLOWED["detail"]["resources"][0]["id"], f"i-{number:017x}")
    return {"messageId": f"message-{number}", "eventSource": "aws:sqs", "body": body}


def tree(function: Function) -> float:
    """Return the memory of all processes of a function, in MB."""
    return sum(memory(pid) for name, pid in function.processes().items() if name != "unshare") / 1e6


if __name__ == "__main__":
    main()
