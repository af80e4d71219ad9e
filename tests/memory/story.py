"""Stories: what happens to some servers in the course of time, as events in and messages out, through the function.

A story is a list of steps, `tests/cases/memory/<story>.yaml`. A step has a time `at`; `events`, each a report of
Inspector about one server; and `messages`, what is then in the queue: the subject of each, worst first, with the lines
of its text that the step asks for.
"""

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from handler.finding import Finding
from handler.folding import Folded
from tests.world import World, bundled, sqs, start


@contextmanager
def remembering(opa_path: str, folder: Path, endpoint: str, table: str) -> Iterator[World]:
    """Start the function with a table in DynamoDB Local."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL_DYNAMODB", endpoint)
        environment.setenv("MEMORY_TABLE", table)
        with start(opa_path, folder) as world:
            yield world


def event(report: dict[str, Any]) -> dict[str, Any]:
    """Make Inspector's event of a report: `report`, `server`, `port`, `to`, `status`, `updated`, `tags`, `account`."""
    made: dict[str, Any] = copy.deepcopy(bundled("05-bastion-ssh"))
    detail = made["detail"]
    account = report.get("account", "111122223333")
    made["account"] = detail["awsAccountId"] = account
    detail["findingArn"] = f"arn:aws:inspector2:eu-west-1:{account}:finding/{report['report']}"
    detail["status"] = report.get("status", "ACTIVE")
    detail["updatedAt"] = datetime.fromisoformat(report["updated"]).strftime("%a %b %d %H:%M:%S.000 UTC %Y")
    first = report["port"]
    detail["networkReachabilityDetails"]["openPortRange"] = {"begin": first, "end": report.get("to", first)}
    resource = detail["resources"][0]
    resource["id"] = made["resources"][0] = report["server"]
    detail["networkReachabilityDetails"]["networkPath"]["steps"][-1]["componentId"] = report["server"]
    resource["tags"] = report.get("tags", {"Name": report["server"]})
    return made


class Sources:
    """A look-up that finds, for each report, the sources and rules that the story says; none where it says none."""

    def __init__(self) -> None:
        self.by_report: dict[str, dict[str, Any]] = {}

    def __call__(self, folded: Any, until: float | None) -> list[Folded]:
        """Put sources and rules into the findings."""
        del until
        return [self._looked_up(exposure) for exposure in folded]

    def _looked_up(self, folded: Folded) -> Folded:
        if not isinstance(folded.report, Finding):
            return folded
        report = self.by_report[folded.report.reporters[0].id.rpartition("/")[2]]
        if "sources" not in report:
            return folded
        exposures = tuple(
            replace(exposure, sources=tuple(report["sources"]), rules=tuple(report.get("rules", ())))
            for exposure in folded.report.exposures
        )
        return replace(folded, report=replace(folded.report, exposures=exposures))


def play(world: World, steps: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], list[dict[str, str]], Any]]:
    """Play a story; give each step, the messages that came of it, and what the function answered."""
    sources = Sources()
    world.alerts()
    for number, step in enumerate(steps):
        for report in step["events"]:
            sources.by_report[report["report"]] = report
        context = SimpleNamespace(aws_request_id=f"request-{number}", get_remaining_time_in_millis=lambda: 30_000)
        at = datetime.fromisoformat(step["at"])
        events = [event({"updated": step["at"], **report}) for report in step["events"]]
        answer = world.app.answer(sqs(*events), context, at, sources)
        yield step, [json.loads(alert["Message"]) | {"Subject": alert["Subject"]} for alert in world.alerts()], answer
