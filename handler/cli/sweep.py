"""`portcullis sweep`: looks at everything that is remembered as open, and tells what is news, as the function does."""

import argparse
import math
import time
from datetime import UTC, datetime, timedelta

from handler.cli import UNREAD, executable

_LONGEST = timedelta(hours=6)


def add_to(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = (
        "List what the scanners of SWEEP_SCANNERS have found, judge again what the table of MEMORY_TABLE holds as\n"
        "open, and tell the topic of ALERT_TOPIC_ARN what is news: what the function does when it gets the event of a\n"
        "sweep. The settings are those of the function, from the environment. AWS is asked with the credentials and\n"
        "the Region of this shell.\n\n"
        "Exit status: 0, or 2 when something could not be seen or told."
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter


def run(arguments: argparse.Namespace) -> int:
    """Sweep, and print what was done; return the exit status."""
    del arguments
    from handler import aws, lookup, settings  # noqa: PLC0415  `portcullis --help` needs none of it
    from handler.cli.progress import Progress  # noqa: PLC0415
    from handler.opa import Opa  # noqa: PLC0415
    from handler.printable import printable  # noqa: PLC0415
    from handler.process import Process  # noqa: PLC0415
    from handler.sweep.clock import Clock  # noqa: PLC0415
    from handler.sweep.sweeping import sweep  # noqa: PLC0415
    from handler.sweep.teller import Means  # noqa: PLC0415
    from handler.telling import Remembering  # noqa: PLC0415

    read = settings.read()
    settings.read_memory()
    region = read.alert_topic_arn.split(":")[3]
    with Opa(Process(read.policies_path, executable())) as gate, Progress(shown=True) as progress:
        engine = gate.ready()
        memory = Remembering(read, aws.client("dynamodb", region), engine.policy)
        means = Means(
            settings=read,
            gate=gate,
            look_up=lookup.prepare(read),
            engine=engine,
            publisher=aws.client("sns", region),
            memory=memory,
        )
        end = time.monotonic() + _LONGEST.total_seconds()
        clock = Clock(begun=datetime.now(UTC), start=time.monotonic(), judge_until=end, send_until=math.inf)
        name = f"shell-{time.time_ns()}"
        summary = sweep(means, name, clock, watch=lambda places: progress.of(places, "Sweeping"))
    print(*map(printable, summary.lines()), sep="\n")
    return UNREAD if summary.problems else 0
