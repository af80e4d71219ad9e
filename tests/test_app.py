"""The function itself: real OPA, real boto3 against moto's SNS and SQS, from an event to a message or to silence."""

import json
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from handler import aws
from handler.errors import RecordsFailedError
from handler.opa import CHUNK
from handler.settings import ROOT
from tests.builders import CONFLICT, PANIC
from tests.world import World, bundled, renamed, sqs, start


@pytest.fixture(scope="module")
def started(opa_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Start the function once."""
    with start(opa_path, tmp_path_factory.mktemp("app"), conflict=CONFLICT, panic=PANIC) as world:
        yield world


@pytest.fixture
def world(started: World) -> World:
    """Give the started function with an empty queue."""
    started.alerts()
    return started


def test_allowed_event_is_silent(world: World) -> None:
    """What the policy allows is decided and nobody hears of it."""
    [outcome] = world.invoke(bundled("01-web-443"))["outcomes"]
    assert (outcome["outcome"], outcome["decision"]["action"]) == ("decided", "allow")
    assert world.alerts() == []


@pytest.mark.parametrize("name", ["09-closed", "10-package-vulnerability"])
def test_what_is_not_open_or_not_ours_is_silent(world: World, name: str) -> None:
    """A closed finding and a listed kind of another type raise no alert."""
    [outcome] = world.invoke(bundled(name))["outcomes"]
    assert outcome["outcome"] in {"closed", "ignored"}
    assert world.alerts() == []


def test_denied_event_alerts(world: World) -> None:
    """A deny reaches the topic with every attribute that a filter policy may ask for."""
    world.invoke(bundled("05-bastion-ssh"))
    [alert] = world.alerts()
    assert "bastion-01" in alert["Subject"]
    attributes = {name: value["Value"] for name, value in alert["MessageAttributes"].items()}
    assert attributes == {
        "account": "111122223333",
        "region": "eu-west-1",
        "severity": "critical",
        "server": "i-0aaaaaaaaaaaaaaa5",
        "action": "deny",
        "team": "netops",
    }


def test_unreadable_event_alerts(world: World) -> None:
    """What should be a finding and cannot be read alerts with the event as it came."""
    [outcome] = world.invoke(bundled("08-reversed-range"))["outcomes"]
    assert outcome["outcome"] == "undecidable"
    [alert] = world.alerts()
    assert "openPortRange" in alert["Message"]


def test_batch_decides_what_it_can(world: World) -> None:
    """A message that is no JSON alerts and does not keep its batch from being decided."""
    batch = sqs(bundled("01-web-443"), "{no json", bundled("05-bastion-ssh"), bundled("09-closed"))
    assert world.invoke(batch) == {"batchItemFailures": []}
    subjects = sorted(alert["Subject"] for alert in world.alerts())
    assert len(subjects) == 2
    assert any("bastion-01" in subject for subject in subjects)


def test_same_exposure_in_two_records_is_one_alert(world: World) -> None:
    """An exposure told twice in one invocation is said once."""
    assert world.invoke(sqs(bundled("05-bastion-ssh"), bundled("05-bastion-ssh"))) == {"batchItemFailures": []}
    assert len(world.alerts()) == 1


def test_killed_opa_loses_nothing(world: World) -> None:
    """An OPA that was killed between two invocations is restarted and the event decided."""
    os.kill(world.app.GATE.pid, signal.SIGKILL)
    [outcome] = world.invoke(bundled("01-web-443"))["outcomes"]
    assert outcome["decision"]["action"] == "allow"


def test_without_opa_records_come_again(world: World) -> None:
    """Without OPA the records with findings fail and come again; what needs no OPA is done; nothing is allowed."""
    opa = world.policies.with_name("opa")
    kept = opa.rename(opa.with_name("kept"))
    os.kill(world.app.GATE.pid, signal.SIGKILL)
    batch = sqs(bundled("01-web-443"), bundled("10-package-vulnerability"), "{no json", bundled("05-bastion-ssh"))
    assert world.invoke(batch) == {
        "batchItemFailures": [{"itemIdentifier": "message-0"}, {"itemIdentifier": "message-3"}]
    }
    assert len(world.alerts()) == 1
    with pytest.raises(RecordsFailedError, match="OPA could not decide"):
        world.invoke(bundled("01-web-443"))
    kept.rename(opa)
    assert world.invoke(batch) == {"batchItemFailures": []}


def test_what_was_decided_is_alerted(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """A record fails with the finding that is not decided, and its other findings alert, and say so."""
    caplog.set_level(logging.INFO)
    findings = [renamed(bundled("07-telnet"), "web-prod-01", number) for number in range(CHUNK)]
    fatal = renamed(bundled("07-telnet"), "fatal", CHUNK)
    opa = world.policies.with_name("opa")
    kept = opa.rename(opa.with_name("kept"))
    with pytest.raises(RecordsFailedError, match="OPA could not decide: OPA cannot be started"):
        world.invoke([*findings, fatal])
    kept.rename(opa)
    assert len(world.alerts()) == 1
    told = [record.__dict__["fields"] for record in caplog.records if record.message == "decided"]
    assert [fields["alerted"] for fields in told] == [True] * CHUNK


def test_what_is_decided_goes_out_before_the_rest_is(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices of an invocation go out as digests one after the other; each says how much went before."""
    world.invoke(bundled("01-web-443"))  # OPA is alive, so the first question is about as many as it may be
    monkeypatch.setattr(world.app, "_SLICE", 0)
    events = [renamed(bundled("07-telnet"), "web-prod-01", number) for number in range(CHUNK + 2)]
    answer = world.invoke([*events, {"source": "strange"}])
    assert len(answer["outcomes"]) == CHUNK + 3
    digests = [json.loads(alert["Message"]) for alert in world.alerts()]
    numbers = [{kind: len(told[kind]) + told["left_out"][kind] for kind in ("findings", "reports")} for told in digests]
    earlier = [told["earlier"] for told in digests]
    assert sorted(zip(earlier, numbers, strict=True), key=lambda pair: pair[0]["messages"]) == [
        ({"messages": 0, "findings": 0, "reports": 0}, {"findings": CHUNK, "reports": 1}),
        ({"messages": 1, "findings": CHUNK, "reports": 1}, {"findings": 2, "reports": 0}),
    ]


def test_direct_answer_is_one_that_lambda_takes(world: World) -> None:
    """Of an answer that would be larger than 6 MB the rest is counted."""
    ignored = {**bundled("10-package-vulnerability"), "id": "x" * 1000}
    answer = world.invoke([ignored] * 6000)
    assert len(json.dumps(answer)) < 6 * 2**20
    assert len(answer["outcomes"]) + answer["left_out"] == 6000
    assert answer["left_out"] > 0


def test_failure_of_many_records_names_some_and_counts_the_rest() -> None:
    """The error of a batch of a thousand records can be read."""
    error = RecordsFailedError({f"record-{number:03}": "no" for number in range(1000)})
    assert str(error).startswith("record-000: no; record-001: no; ")
    assert str(error).endswith("; record-019: no; and 980 more records")
    assert len(error.failures) == 1000


def test_refused_message_comes_again(world: World) -> None:
    """When SNS refuses a message, the records in it fail; those that needed no message do not."""
    topic = world.subscribe()
    world.sns.delete_topic(TopicArn=topic)
    batch = sqs(bundled("01-web-443"), bundled("05-bastion-ssh"), bundled("07-telnet"))
    assert world.invoke(batch) == {
        "batchItemFailures": [{"itemIdentifier": "message-1"}, {"itemIdentifier": "message-2"}]
    }
    with pytest.raises(RecordsFailedError, match="NotFound"):
        world.invoke(bundled("05-bastion-ssh"))
    world.subscribe()
    assert world.invoke(batch) == {"batchItemFailures": []}
    assert len(world.alerts()) == 2


def test_silent_sns_fails_the_records_in_time(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An SNS that never answers is tried for one message, twice; what was decided is in the log, as not alerted."""
    caplog.set_level(logging.INFO)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(0)
        monkeypatch.setenv("AWS_ENDPOINT_URL_SNS", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setattr(world.app, "_SNS", aws.client.__wrapped__("sns", "eu-west-1"))
        batch = sqs(bundled("01-web-443"), bundled("05-bastion-ssh"), bundled("07-telnet"))
        assert world.invoke(batch) == {
            "batchItemFailures": [{"itemIdentifier": "message-1"}, {"itemIdentifier": "message-2"}]
        }
        for _ in range(2):
            silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()
    told = [record.__dict__["fields"] for record in caplog.records if record.message == "decided"]
    assert [(fields["action"], fields["alerted"]) for fields in told] == [
        ("allow", False),
        ("deny", False),
        ("deny", False),
    ]


def test_late_alerts_are_not_tried(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the time for SNS is over, the records come again."""
    monkeypatch.setattr(world.app, "_SENT", 0)
    with pytest.raises(RecordsFailedError, match="no time was left to send the alert"):
        world.invoke(bundled("05-bastion-ssh"))
    assert world.alerts() == []


def test_conflict_on_one_of_a_hundred(world: World) -> None:
    """A finding on which the policies contradict themselves alerts as undecidable; the other 99 are decided."""
    web = bundled("01-web-443")
    names = ["guilty" if number == 57 else "web-prod-01" for number in range(100)]
    batch = sqs(*(renamed(web, name, number) for number, name in enumerate(names)))
    assert world.invoke(batch) == {"batchItemFailures": []}
    [alert] = world.alerts()
    assert "eval_conflict_error" in alert["Message"]
    assert alert["MessageAttributes"]["server"]["Value"] == f"i-{57:017x}"


def test_message_without_an_id_fails_the_whole_batch(world: World) -> None:
    """SQS cannot deliver a message alone that has no id, so a failing one raises."""
    world.sns.delete_topic(TopicArn=world.subscribe())
    batch = sqs(bundled("05-bastion-ssh"))
    del batch["Records"][0]["messageId"]
    with pytest.raises(RecordsFailedError):
        world.invoke(batch)
    world.subscribe()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"ALERT_TOPIC_ARN": None}, "ALERT_TOPIC_ARN is not set", id="no-topic"),
        pytest.param({"ALERT_TOPIC_ARN": "alerts"}, "ALERT_TOPIC_ARN is 'alerts'", id="no-arn"),
        pytest.param({"ALERT_MAX_MESSAGES": "many"}, "ALERT_MAX_MESSAGES is 'many'", id="no-number"),
        pytest.param({"OPA_PATH": "no-opa"}, "OPA_PATH is 'no-opa'", id="no-opa"),
        pytest.param({"POLICIES_PATH": "handler"}, "authz.rego defines system", id="no-policies"),
    ],
)
def test_start_ends_with_the_name_of_what_is_wrong(opa_path: str, change: dict[str, str | None], said: str) -> None:
    """A function that cannot gate does not start, and says why."""
    given = {"ALERT_TOPIC_ARN": "arn:aws:sns:eu-west-1:111122223333:alerts", "OPA_PATH": opa_path, **change}
    environment = {"PATH": os.environ["PATH"], **{name: value for name, value in given.items() if value is not None}}
    command = [sys.executable, "-c", "import handler.app"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment, timeout=30)
    assert ran.returncode == 1
    assert said in ran.stderr


@pytest.mark.parametrize(
    ("memory", "told"),
    [
        pytest.param({}, {}, id="unknown"),
        pytest.param(
            {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512"}, {"GOGC": "400", "GOMEMLIMIT": "256MiB"}, id="of-the-function"
        ),
    ],
)
def test_opa_gets_half_of_the_memory(opa_path: str, memory: dict[str, str], told: dict[str, str]) -> None:
    """OPA is told how much memory it may use, where Lambda says how much there is."""
    given = {"ALERT_TOPIC_ARN": "arn:aws:sns:eu-west-1:111122223333:alerts", "OPA_PATH": opa_path, **memory}
    program = "from handler.app import GATE\nprint(open(f'/proc/{GATE.pid}/environ').read())"
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env=given, timeout=30)
    environment = dict(line.split("=", 1) for line in ran.stdout.splitlines()[-1].strip("\0").split("\0"))
    assert environment.pop("OPA_TOKEN")
    assert environment == told
