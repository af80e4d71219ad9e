"""Stories: events in, messages out, through the function with real OPA and DynamoDB Local."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from mypy_boto3_dynamodb import DynamoDBClient

from handler.settings import ROOT
from tests.memory.story import Stage, remembering
from tests.memory.tables import make_table

STORIES = sorted((ROOT / "tests" / "cases" / "memory").glob("*.yaml"))


@pytest.fixture(scope="module")
def stage(opa_path: str, tmp_path_factory: pytest.TempPathFactory, dynamodb: DynamoDBClient) -> Iterator[Stage]:
    """Start the function once."""
    folder = tmp_path_factory.mktemp("function")
    with remembering(opa_path, folder, dynamodb.meta.endpoint_url, make_table(dynamodb)) as world:
        yield Stage(world, opa_path)


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_the_story_is_told_as_it_is_written(stage: Stage, table: str, path: Path) -> None:
    """Each step has the messages that are written there, and no others; what is not acknowledged is counted."""
    story = yaml.load(path.read_text(), Loader=_Loader)  # noqa: S506  a safe loader
    try:
        for number, (step, messages, given_back) in enumerate(stage.play(story, table)):
            expected = step.get("messages", [])
            where = f"step {number} at {step['at']}"
            assert [message["subject"] for message in messages] == sorted(told["subject"] for told in expected), where
            named = step.get("given_back", [])
            assert (len(given_back) if isinstance(named, int) else given_back) == named, where
            for message, told in zip(messages, sorted(expected, key=lambda told: str(told["subject"])), strict=True):
                _compare(message, told, where)
    finally:
        stage.close()


def _compare(message: dict[str, Any], told: dict[str, Any], where: str) -> None:
    """Compare a message with what is written of it."""
    text = " ".join(message["mail"].split())
    for line in told.get("says", []):
        assert line in text, f"{where}: {message['mail']}"
    for line in told.get("lacks", []):
        assert line not in text, f"{where}: {message['mail']}"
    assert message.items() >= told.get("attributes", {}).items(), where
    for part in ("state", "opened", "closed", "before"):
        if part in told:
            assert _spelled(message["news"], part) == told[part], where


def _spelled(news: list[dict[str, Any]], part: str) -> Any:
    if part == "state":
        return news[0]["state"]
    return [
        f"{entry['server']} {opened['protocol']} {opened['from_port']}-{opened['to_port']} {opened['source']}"
        for entry in news
        for opened in entry[part]
    ]


class _Loader(yaml.SafeLoader):
    """Reads times as text."""


_Loader.yaml_implicit_resolvers = {
    mark: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
    for mark, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def test_start_ends_with_the_name_of_a_missing_table(opa_path: str, dynamodb: DynamoDBClient) -> None:
    """A table that is not there is found at the start, before the first event."""
    environment = {
        "ALERT_TOPIC_ARN": "arn:aws:sns:eu-west-1:111122223333:alerts",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL_DYNAMODB": dynamodb.meta.endpoint_url,
        "MEMORY_TABLE": "nowhere",
        "OPA_PATH": opa_path,
    }
    command = [sys.executable, "-c", "import handler.app"]
    run = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "MemoryUnavailableError: MEMORY_TABLE nowhere: " in run.stderr.strip().splitlines()[-1]
