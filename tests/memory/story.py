"""Stories: what happens to some servers in the course of time, as events in and messages out, through the function.

A story is a file, `tests/cases/memory/<story>.yaml`: what it is about, the settings that it changes, and its steps. A
step has a time `at`, `events` (see `event`), and the `messages` that are then in the queue. It may change the settings
(`settings`) and the policies (`policies`), have its events come in batches of so many (`batch`), strike the `store`,
let the look-up see something else of a report without any event (`sees`), have a second function get events
`meanwhile`, just before the first one calls SNS, let a `fault` strike a call to AWS, invoke it with its one event
(`direct`) instead of a batch of a queue, and have each finding decided and told by itself (`slices`).
"""
# ruff: noqa: SLF001  it replaces what the started function holds

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from msgspec import UNSET
from msgspec.structs import replace

from handler import opa
from handler.finding import UNKNOWN, Exposure, Finding, Server, identity
from handler.folding import Folded
from handler.lookup import tags
from handler.opa import Opa
from handler.process import Process
from handler.settings import ROOT
from handler.telling import Remembering
from tests.world import World, bundled, sqs, start

ACCOUNT, REGION = "111122223333", "eu-west-1"
_ASKED = ROOT / "tests" / "cases" / "security_hub" / "asked" / "event.json"
_RELAYED = ROOT / "tests" / "cases" / "security_hub" / "inspector-archived" / "event.json"


class Death(BaseException):
    """The function dies: nothing in it may catch this."""


@contextmanager
def remembering(opa_path: str, folder: Path, endpoint: str, table: str) -> Iterator[World]:
    """Start the function with a table in DynamoDB Local."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL_DYNAMODB", endpoint)
        environment.setenv("MEMORY_TABLE", table)
        with start(opa_path, folder) as world:
            yield world


class Faults:
    """What happens at the calls of some clients: `before` and `after` have what to do, by the name of the call."""

    def __init__(self, *clients: Any) -> None:
        self.before: dict[str, Any] = {}
        self.after: dict[str, Any] = {}
        for client in clients:
            client.meta.events.register("before-call", partial(self._happen, self.before))
            client.meta.events.register("after-call", partial(self._happen, self.after))

    @staticmethod
    def _happen(doings: Mapping[str, Any], model: Any, **_: object) -> None:
        service = model.service_model.service_name
        for name in (service, f"{service}.{model.name}"):
            if name in doings:
                doings[name]()

    def clear(self) -> None:
        """Let nothing happen any more."""
        self.before.clear()
        self.after.clear()


class Published:
    """The messages that SNS has taken: their JSON, with `subject` and `mail`."""

    def __init__(self, sns: Any) -> None:
        self._asked: list[dict[str, Any]] = []
        self._taken: list[dict[str, Any]] = []
        sns.meta.events.register("provide-client-params.sns.Publish", self._ask)
        sns.meta.events.register("after-call.sns.Publish", self._take)

    def _ask(self, params: dict[str, Any], **_: object) -> None:
        forms = json.loads(params["Message"])
        self._asked.append(json.loads(forms["default"]) | {"subject": params["Subject"], "mail": forms["email"]})

    def _take(self, parsed: dict[str, Any], **_: object) -> None:
        asked = self._asked.pop()
        if "MessageId" in parsed:
            self._taken.append(asked)

    def collect(self) -> list[dict[str, Any]]:
        """Give the messages since the last time, by their subjects."""
        taken = sorted(self._taken, key=lambda message: str(message["subject"]))
        self._asked.clear()
        self._taken.clear()
        return taken


class Stage:
    """The started function, on which one story after the other is played, each with a table of its own."""

    def __init__(self, world: World, opa_path: str) -> None:
        self.world = world
        self.app: Any = world.app
        self._opa_path = opa_path
        self._settings, self._gate, self._engine = self.app._SETTINGS, self.app.GATE, self.app._ENGINE
        self.dynamodb = self.app._MEMORY._table._client
        self._published = Published(self.app._SNS)
        self.faults = Faults(self.dynamodb, self.app._SNS)
        self._sources = Sources()

    def play(
        self, story: dict[str, Any], table: str
    ) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]], list[str]]]:
        """Play a story; give each step, the messages that came of it, and the records that were given back."""
        self._published.collect()
        self._settings_of = replace(self._settings, memory_table=table, **story.get("settings", {}))
        self.app.GATE, self.app._ENGINE = self._gate, self._engine
        self._remember_anew()
        for step in story["steps"]:
            if "settings" in step:
                self._settings_of = replace(self._settings_of, **step["settings"])
                self._remember_anew()
            if "policies" in step:
                self._judge_by(step["policies"])
            if "store" in step:
                self._strike(step["store"], table)
            for name, seen in step.get("sees", {}).items():
                self._sources.by_report.setdefault(name, {}).update(seen)
            given_back = self._invoke_all(step)
            yield step, self._published.collect(), given_back
        self.close()

    def close(self) -> None:
        """End the OPA that policies of a story were given to."""
        self.faults.clear()
        if self.app.GATE is not self._gate:
            self.app.GATE.close()
            self.app.GATE, self.app._ENGINE = self._gate, self._engine

    def _remember_anew(self) -> None:
        self.app._SETTINGS = self._settings_of
        self.app._MEMORY = Remembering(self._settings_of, self.dynamodb, self.app._ENGINE.policy)

    def _judge_by(self, texts: dict[str, str]) -> None:
        """Start again with these files of allowances, as after a release of the policies."""
        self.close()
        for path in (self.world.policies / "allow").glob("story-*.rego"):
            path.unlink()
        for name, text in texts.items():
            (self.world.policies / "allow" / f"story-{name}.rego").write_text(f"package allow\n\n{text}")
        self.app.GATE = Opa(Process(str(self.world.policies), self._opa_path))
        self.app._ENGINE = self.app.GATE.ready()
        self._remember_anew()

    def _strike(self, blow: str, table: str) -> None:
        """Damage each item of the table, make it one of a newer format, or delete it as an old backup knows it not."""
        for item in self.dynamodb.scan(TableName=table)["Items"]:
            match blow:
                case "empty":
                    self.dynamodb.delete_item(TableName=table, Key={"pk": item["pk"], "sk": item["sk"]})
                case "damaged servers" if not item["sk"]["S"].startswith("server#"):
                    continue
                case "damaged" | "damaged servers":
                    self.dynamodb.put_item(TableName=table, Item=item | {"state": {"S": item["state"]["S"][:-9]}})
                case "newer":
                    self.dynamodb.put_item(TableName=table, Item=item | {"format": {"N": "2"}})

    def _invoke_all(self, step: dict[str, Any]) -> list[str]:
        events = [made for report in step["events"] for made in self._events(report, step["at"])]
        size = step.get("batch", len(events) or 1)
        given_back: list[str] = []
        if "meanwhile" in step:
            others = [made for report in step["meanwhile"] for made in self._events(report, step["at"])]
            self.faults.before["sns"] = lambda: self._once(given_back, others, step["at"])
        if "fault" in step:
            self._prepare(step["fault"])
        with self._sliced() if "slices" in step else nullcontext():
            for first in range(0, len(events), size):
                try:
                    batch = events[first : first + size]
                    invoke = self._ask if "direct" in step else self._invoke
                    given_back += invoke(batch, step["at"])
                except Death:
                    given_back.append("died")
        self.faults.clear()
        return given_back

    def _once(self, given_back: list[str], events: list[Any], at: str) -> None:
        del self.faults.before["sns"]
        given_back += self._invoke(events, at)

    def _prepare(self, fault: dict[str, Any]) -> None:
        """Let a call fail: `before` it is sent or `after` it was answered, with `error`, else the function dies.

        A `timeout` is no answer at all.

        With `then` it is that call which fails, from then on.
        """
        [when] = fault.keys() & {"before", "after"}
        error = fault.get("error", "death")
        if "then" in fault:
            then = {"before": fault["then"], "error": error}
            getattr(self.faults, when)[fault[when]] = lambda: self._prepare(then)
            return

        def fail() -> None:
            if error == "death":
                raise Death
            if error == "timeout":
                raise ReadTimeoutError(endpoint_url=fault[when])
            raise ClientError({"Error": {"Code": error, "Message": "as the story has it"}}, fault[when])

        getattr(self.faults, when)[fault[when]] = fail

    def _events(self, report: dict[str, Any], at: str) -> Iterator[dict[str, Any]]:
        """Make the event of a report, or with `times` so many, numbered by `#`; one of a schedule, or a `raw` one."""
        if "raw" in report:
            yield report["raw"]
            return
        for name in report.keys() & {"sweep", "canary"}:
            yield {"source": f"portcullis.{name}", "id": f"{name} of {at}"}
            return
        text = json.dumps({"updated": at} | report)
        for number in range(report.get("times", 1)):
            numbered = json.loads(text.replace("#", f"{number:04}"))
            self._sources.by_report[numbered["report"]] = numbered
            yield event(numbered)

    @contextmanager
    def _sliced(self) -> Iterator[None]:
        """Let each finding be a query and a slice of its own, as where deciding takes long."""
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(opa, "CHUNK", 1)
            patched.setattr(self.app, "_SLICE", 0)
            yield

    def _ask(self, events: list[Any], at: str) -> list[str]:
        """Invoke the function with one event, as a person does."""
        [event] = events
        context = SimpleNamespace(aws_request_id=str(uuid4()), get_remaining_time_in_millis=lambda: 30_000)
        self.app.answer(event, context, datetime.fromisoformat(at).replace(tzinfo=UTC), self._sources)
        return []

    def _invoke(self, events: list[Any], at: str) -> list[str]:
        context = SimpleNamespace(aws_request_id=str(uuid4()), get_remaining_time_in_millis=lambda: 30_000)
        answer = self.app.answer(sqs(*events), context, datetime.fromisoformat(at).replace(tzinfo=UTC), self._sources)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def event(report: dict[str, Any]) -> dict[str, Any]:
    """Make the event of a report.

    `report` is its id, `port` and `to` its ports, `status` and `updated` its state and date, `tags`, `account`. With
    `server` it is Inspector's about an instance, as Security Hub passes it on where it is `relayed`, with `group`
    Security Hub's about a security group, open to ssh; `state` is Security Hub's own. `asked` is where a person chose
    the custom action. `sources` and `rules` are what the look-up of the function finds (no sources where
    nobody is known to come in), `ways` where there are several, each with its own and its `load_balancer`. `described`
    are the tags that it finds, null where it fails to; `behind` the instances of the group.
    """
    make = _of_group if "group" in report else _relayed if report.get("relayed") else _of_instance
    made = make(report)
    return made | {"id": f"{report['report']} of {report['updated']}"}


def _of_instance(report: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = bundled("05-bastion-ssh")
    detail = made["detail"]
    account = report.get("account", ACCOUNT)
    made["account"] = detail["awsAccountId"] = account
    detail["findingArn"] = f"arn:aws:inspector2:{REGION}:{account}:finding/{report['report']}"
    detail["status"] = report.get("status", "ACTIVE")
    detail["updatedAt"] = _date(report["updated"], "%a %b %d %H:%M:%S.000 UTC %Y")
    first = report["port"]
    detail["networkReachabilityDetails"]["openPortRange"] = {"begin": first, "end": report.get("to", first)}
    resource = detail["resources"][0]
    resource["id"] = made["resources"][0] = report["server"]
    detail["networkReachabilityDetails"]["networkPath"]["steps"][-1]["componentId"] = report["server"]
    resource["tags"] = report.get("tags", None if "described" in report else {"Name": report["server"]})
    return made


def _relayed(report: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(_RELAYED.read_text())
    [found] = made["detail"]["findings"]
    found["Id"] = f"arn:aws:inspector2:{REGION}:{ACCOUNT}:finding/{report['report']}"
    found["UpdatedAt"] = _date(report["updated"], "%Y-%m-%dT%H:%M:%S.000Z")
    found["ProductFields"]["aws/inspector/FindingStatus"] = report.get("status", "ACTIVE")
    if "port" in report:
        found["Network"]["OpenPortRange"] = {"Begin": report["port"], "End": report["port"]}
    else:
        del found["Network"]
    found["NetworkPath"][-1]["ComponentId"] = report["server"]
    found["Resources"][0]["Id"] = f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{report['server']}"
    found["Resources"][0]["Tags"] = report["tags"]
    found["RecordState"] = report.get("state", "ACTIVE")
    return made


def _of_group(report: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(_ASKED.read_text())
    [found] = made["detail"]["findings"]
    if not report.get("asked"):
        made["detail-type"] = "Security Hub Findings - Imported"
    found["Id"] = f"arn:aws:securityhub:{REGION}:{ACCOUNT}:security-control/EC2.13/finding/{report['report']}"
    found["Resources"][0]["Id"] = f"arn:aws:ec2:{REGION}:{ACCOUNT}:security-group/{report['group']}"
    found["UpdatedAt"] = _date(report["updated"], "%Y-%m-%dT%H:%M:%S.000Z")
    found["Compliance"]["Status"] = report.get("status", "FAILED")
    found["RecordState"] = report.get("state", "ACTIVE")
    return made


def _date(at: str, form: str) -> str:
    """Spell a time; what is none stays as it is."""
    try:
        return datetime.fromisoformat(at).strftime(form)
    except ValueError:
        return at


class Sources:
    """A look-up that finds, for each report, the sources, rules and instances that the story says."""

    def __init__(self) -> None:
        self.by_report: dict[str, dict[str, Any]] = {}

    def __call__(self, folded: Iterable[Folded], until: float | None) -> list[Folded]:
        """Put what was found into the findings."""
        del until
        return [looked_up for exposure in folded for looked_up in self._looked_up(exposure)]

    def _looked_up(self, folded: Folded) -> Iterator[Folded]:
        if not isinstance(folded.report, Finding):
            yield folded
            return
        report = self.by_report.get(folded.report.reporters[0].id.rpartition("/")[2], {})
        finding = folded.report
        if "described" in report:
            finding = _described(finding, report["described"])
        ways = report.get("ways", [report] if "sources" in report else [])
        if ways:
            exposures = tuple(_reached(exposure, way) for exposure in finding.exposures for way in ways)
            finding = replace(finding, exposures=exposures)
        if "behind" not in report:
            yield replace(folded, report=finding)
        for name in report.get("behind", ()):
            named = report.get("tags", {"Name": name})
            server = Server(
                kind="instance", id=name, name=name, tags=named, tags_known=True, account=ACCOUNT, region=REGION
            )
            ports = {(exposure.protocol, exposure.from_port, exposure.to_port) for exposure in finding.exposures}
            yield replace(
                folded, report=replace(finding, id=identity(server, finding.reach, set(ports)), server=server)
            )


def _described(finding: Finding, described: dict[str, str] | None) -> Finding:
    """Return a finding with the tags that an instance has, or with none because it was not described."""
    if described is None:
        return tags._tagged(finding, None, "ec2:DescribeInstances was denied in 111122223333", "")
    instance = {"Tags": [{"Key": key, "Value": text} for key, text in described.items()]}
    return tags._tagged(finding, instance, None, "2026-11-24 06:00 UTC")


def _reached(exposure: Exposure, way: dict[str, Any]) -> Exposure:
    """Return an exposure with what opens it on one way."""
    found: dict[str, Any] = {"sources": tuple(way["sources"]) or (UNKNOWN,), "rules": tuple(way.get("rules", ()))}
    found |= {} if way["sources"] else {"unreached": True}
    return replace(exposure, **found, load_balancer=way.get("load_balancer", UNSET))


def play(
    world: World, steps: list[dict[str, Any]], opa_path: str = ""
) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]], list[str]]]:
    """Play steps on the function as it stands, with the table that it was started with.

    Steps that change the policies need `opa_path`.
    """
    stage = Stage(world, opa_path)
    for step, messages, given_back in stage.play({"steps": steps}, world.app._SETTINGS.memory_table):
        yield step, [message | {"Subject": message["subject"]} for message in messages], given_back
