"""A quiet start from end to end: observe, propose, fill in, release, accept, alert; the function and the shell."""

from collections.abc import Iterator
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from handler.cli import main
from tests.memory.story import play, remembering
from tests.memory.tables import make_table
from tests.world import World

ALLOWED, CLOSED_LATER, NEW = ({"report": name, "group": f"sg-0{name}"} for name in ("a1", "b2", "c3"))
WEB = {"report": "w", "server": "i-0f6", "port": 443, "sources": ["0.0.0.0/0"], "tags": {"Role": "web"}}


@pytest.fixture
def world(
    opa_path: str, dynamodb: DynamoDBClient, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """Start a function that only observes, with an empty table, and give the shell what it was given."""
    monkeypatch.setenv("MODE", "observe")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    table = make_table(dynamodb)
    with (
        remembering(opa_path, tmp_path_factory.mktemp("function"), dynamodb.meta.endpoint_url, table) as world,
        pytest.MonkeyPatch.context() as environment,
    ):
        environment.setenv("OPA_PATH", opa_path)
        yield world


def test_quiet_start(world: World, opa_path: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What was proposed and released is silent, what was accepted closes aloud, and what is new alerts."""

    def subjects(*steps: dict[str, Any]) -> list[str]:
        told = [message["subject"] for _, messages, _ in play(world, [*steps], opa_path) for message in messages]
        capsys.readouterr()
        return told

    first = {"at": "2026-11-24T06:00:00", "events": [WEB]}
    assert subjects(first, {"at": "2026-11-24T07:00:00", "events": [ALLOWED, CLOSED_LATER]}) == []

    assert main(["baseline", "--open", "--policies", str(world.policies)]) == 0
    _, _, proposed = capsys.readouterr().out.partition("package allow\n")
    for blank, text in (('"owner": ""', '"owner": "netops"'), ('"reason": ""', '"reason": "Administration"')):
        proposed = proposed.replace(blank, text)
    assert 'input.server.id in {"sg-0a1", "sg-0b2"}' in proposed
    kept = proposed.replace('in {"sg-0a1", "sg-0b2"}', '== "sg-0a1"')
    assert subjects({"at": "2026-11-24T08:00:00", "policies": {"baseline": kept}, "events": [{"sweep": True}]}) == []

    assert main(["baseline", "--accept"]) == 0
    assert capsys.readouterr().out == "accepted: - sg-0b2: tcp 22 from 0.0.0.0/0, ::/0\n"

    alert = {"at": "2026-11-24T09:00:00", "settings": {"mode": "alert"}, "policies": {"baseline": kept}}
    passed = CLOSED_LATER | {"status": "PASSED"}
    assert subjects(
        alert | {"events": [ALLOWED, CLOSED_LATER, NEW]},
        {"at": "2026-11-24T10:00:00", "events": [passed, ALLOWED]},
    ) == [
        "[critical] sg-0c3: tcp 22 open to 0.0.0.0/0 and ::/0, account Web production (111122223333)",
        "[closed] security group sg-0b2: tcp 22 from 0.0.0.0/0, ::/0, account Web production (111122223333)",
    ]
