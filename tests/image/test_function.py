"""The image, driven through Lambda's Runtime API as Lambda drives it: read-only, unprivileged, frozen and thawed."""

import os
import select
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image.conftest import Topic, event
from tests.image.function import Function, Image, state

INIT_SECONDS = 10
"""What Lambda grants a start."""


@pytest.fixture
def function(image: Image, topic: Topic) -> Iterator[Function]:
    """Give a function that has started."""
    with Function(image, topic.environment) as started:
        started.start()
        yield started


def verdict(function: Function, name: str, deadline: float = 30) -> str:
    """Invoke it with a bundled event; return the one decision's action."""
    answer = function.invoke(event(name), deadline)
    assert answer.kind == "response", f"{answer.body}\n{function.output()}"
    [outcome] = answer.body["outcomes"]
    action: str = outcome["decision"]["action"]
    return action


def ended(pid: int) -> None:
    """Wait until a process has ended."""
    descriptor = os.pidfd_open(pid)
    select.select([descriptor], [], [], 10)
    os.close(descriptor)


def test_good_event_in_silence(function: Function, topic: Topic) -> None:
    """What the policy allows is answered, and nothing is sent."""
    assert verdict(function, "01-web-443") == "allow"
    assert topic.alerts() == []


def test_denied_event_alerts(function: Function, topic: Topic) -> None:
    """What no policy allows reaches the topic."""
    assert verdict(function, "05-bastion-ssh") == "deny"
    [alert] = topic.alerts()
    assert "bastion-01" in alert["Subject"]
    assert alert["MessageAttributes"]["action"]["Value"] == "deny"


@pytest.mark.parametrize(
    "report", [pytest.param({"hello": 1}, id="of-no-known-shape"), pytest.param(["x"], id="no-object")]
)
def test_bad_event_alerts(function: Function, topic: Topic, report: object) -> None:
    """What nobody knows how to read is told as undecidable, and the function goes on."""
    answer = function.invoke(report)
    assert [outcome["outcome"] for outcome in answer.body["outcomes"]] == ["undecidable"]
    [alert] = topic.alerts()
    assert alert["MessageAttributes"]["action"]["Value"] == "undecidable"
    assert verdict(function, "01-web-443") == "allow"


def test_handler_error_is_told_to_lambda(image: Image, topic: Topic) -> None:
    """An alert that SNS refuses is an error of the invocation, so that Lambda tries again; the next one is answered."""
    with Function(image, topic.environment | {"ALERT_TOPIC_ARN": f"{topic.arn}-gone"}) as function:
        function.start()
        answer = function.invoke(event("05-bastion-ssh"))
        assert (answer.kind, answer.body["errorType"]) == ("error", "RecordsFailedError")
        assert "NotFound" in answer.body["errorMessage"]
        assert verdict(function, "01-web-443") == "allow"


def test_logs_the_version_and_policies_of_the_labels(image: Image, function: Function) -> None:
    """The start and every invocation log the version, the policies' version and revision, and OPA's version."""
    verdict(function, "01-web-443")
    labels = image.configuration["Labels"]
    lines = {line["event"]: line for line in function.log()}
    policies = f"{labels['portcullis.policy.version']} (sha256:{labels['portcullis.policy']})"
    for name in ("ready", "done"):
        assert lines[name]["version"] == labels["org.opencontainers.image.version"]
        assert lines[name]["policy"] == policies
        assert lines[name]["opa"] == "1.22.2"


def test_runs_unprivileged_on_a_read_only_root(function: Function) -> None:
    """Neither Python nor OPA is root, and nothing in the image can be written."""
    for pid in function.processes().values():
        status = dict(
            line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line
        )
        if status["Name"] != "unshare":
            assert status["Uid"].split() == ["993"] * 4
    mounts = Path(f"/proc/{function.processes()['opa']}/mountinfo").read_text().splitlines()
    assert ["ro" in line.split()[5].split(",") for line in mounts if line.split()[4] == "/"] == [True]


def test_needs_no_temporary_folder(image: Image, topic: Topic) -> None:
    """Where /tmp cannot be written, the function judges all the same: OPA then listens without a folder."""
    with Function(image, topic.environment, temporary=False) as function:
        function.start()
        assert verdict(function, "01-web-443") == "allow"
        assert verdict(function, "05-bastion-ssh") == "deny"
    assert len(topic.alerts()) == 1


def test_hundred_invocations_in_a_row(function: Function, topic: Topic) -> None:
    """A hundred invocations are each decided by the OPA of the start, and leave no open file behind."""
    verdict(function, "05-bastion-ssh")
    processes = function.processes()
    files = Path(f"/proc/{processes['python3.13']}/fd")
    opened = len(list(files.iterdir()))
    actions = [verdict(function, name) for name in ("01-web-443", "05-bastion-ssh") * 50]
    assert actions == ["allow", "deny"] * 50
    assert function.processes() == processes
    assert len(list(files.iterdir())) == opened
    assert len(topic.alerts()) == 51


def test_freeze_and_thaw(function: Function) -> None:
    """An invocation after a freeze longer than any of our time-outs is decided by the same OPA."""
    assert verdict(function, "01-web-443") == "allow"
    processes = function.processes()
    function.signal(signal.SIGSTOP)
    time.sleep(6)
    assert {state(pid) for pid in processes.values()} == {"T"}
    function.signal(signal.SIGCONT)
    assert verdict(function, "01-web-443") == "allow"
    assert verdict(function, "05-bastion-ssh") == "deny"
    assert function.processes() == processes


def test_opa_killed_between_two(function: Function) -> None:
    """An OPA that died between two invocations is started again, and the event is decided."""
    assert verdict(function, "01-web-443") == "allow"
    dead = function.processes()["opa"]
    os.kill(dead, signal.SIGKILL)
    ended(dead)
    assert verdict(function, "01-web-443") == "allow"
    assert verdict(function, "05-bastion-ssh") == "deny"
    assert function.processes()["opa"] != dead


def test_deadline_is_honoured(function: Function) -> None:
    """An OPA that hangs is given up early enough for another one to decide within the time that the header leaves."""
    hung = function.processes()["opa"]
    os.kill(hung, signal.SIGSTOP)
    start = time.monotonic()
    assert verdict(function, "01-web-443", deadline=3) == "allow"
    assert time.monotonic() - start < 3
    assert function.processes()["opa"] != hung


def test_opa_dies_with_the_function(function: Function) -> None:
    """When Python is killed, OPA does not live on."""
    processes = function.processes()
    descriptor = os.pidfd_open(processes["opa"])
    os.kill(processes["python3.13"], signal.SIGKILL)
    assert select.select([descriptor], [], [], 10)[0] == [descriptor]
    os.close(descriptor)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        pytest.param({"ALERT_TOPIC_ARN": ""}, "ALERT_TOPIC_ARN is not set", id="missing-variable"),
        pytest.param({"POLICIES_PATH": "/opt/refused"}, "allow/refused.rego:4: rego_parse_error", id="refused-policy"),
        pytest.param({"OPA_PATH": "/opt/no-opa"}, "OPA_PATH is '/opt/no-opa'", id="no-opa"),
        pytest.param({"OPA_PATH": "/bin/false"}, "OPA ended with status 1", id="opa-that-ends"),
        pytest.param({"OPA_PATH": "/opt/hanging"}, "OPA was started and does not answer in time", id="opa-that-hangs"),
    ],
)
def test_init_error_names_what_is_wrong(image: Image, topic: Topic, environment: dict[str, str], said: str) -> None:
    """Without a gate there is no function: the start ends with the reason within the time that Lambda grants it."""
    refused = image.root / "opt" / "refused"
    shutil.copytree(image.root / "var" / "task" / "policies", refused, dirs_exist_ok=True)
    (refused / "allow" / "refused.rego").write_text("package allow\n\nallowance contains {\n")
    hanging = image.root / "opt" / "hanging"
    hanging.write_text("#!/bin/sh\nexec sleep 600\n")
    hanging.chmod(0o755)
    with Function(image, topic.environment | environment) as function:
        message, seconds = function.init_error()
    assert said in message
    assert seconds < INIT_SECONDS
